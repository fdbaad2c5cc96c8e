"""The commands that the documents show: they are run, and what they name exists."""
