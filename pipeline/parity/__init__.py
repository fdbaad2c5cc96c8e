"""The proof that a laptop runs what CI runs: one job is one session, workflows hold no logic."""
