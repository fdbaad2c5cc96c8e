"""The settings of the repository on GitHub, as pipeline.toml defines them."""
