"""GitHub's side of the repository: its settings, as pipeline.toml wants them."""
