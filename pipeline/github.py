"""What GitHub's runner hands to a job, and what a job hands back through it."""

import os
from pathlib import Path


def is_push_to_main() -> bool:
    """Say whether this run is a push to main."""
    return (
        os.environ.get("GITHUB_EVENT_NAME") == "push"
        and os.environ.get("GITHUB_REF") == "refs/heads/main"
    )


def set_output(name: str, value: str) -> None:
    """Set an output of the step; on a laptop there is none to set.

    See https://docs.github.com/actions/reference/workflow-commands-for-github-actions
    """
    if path := os.environ.get("GITHUB_OUTPUT"):
        with Path(path).open("a") as file:
            file.write(f"{name}={value}\n")
