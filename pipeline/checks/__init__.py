"""Checks that evaluate more than a tool's exit code."""
