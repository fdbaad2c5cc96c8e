"""Check that a laptop runs what CI runs: one job is one session, workflows contain no logic."""
