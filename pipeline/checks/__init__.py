"""Gates that need more than their tool's exit code."""
