"""Variables and files that GitHub's runner gives to a job, and outputs of the job."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

from pipeline.escaping import escape_control
from pipeline.git import local_branch_ref, remote_branch_ref

ZERO_COMMIT = "0" * 40
"""The commit id of "no commit" in git and GitHub."""


def is_push_to(branch: str) -> bool:
    """Return whether this run is a push to a branch.

    Args:
        branch: Its name.
    """
    pushed = os.environ.get("GITHUB_EVENT_NAME") == "push"
    return pushed and os.environ.get("GITHUB_REF") == local_branch_ref(branch)


def pushed_from(branch: str) -> str | None:
    """Return the commit of a branch before the push of this run; None outside of one.

    `ZERO_COMMIT`, if the push created the branch. See `before` in
    https://docs.github.com/webhooks/webhook-events-and-payloads#push

    Args:
        branch: Its name.
    """
    if not is_push_to(branch):
        return None
    event = json.loads(Path(os.environ["GITHUB_EVENT_PATH"]).read_text())
    commit: str = event["before"]
    return commit


def baseline_candidates(main: str) -> Iterator[str]:
    """Yield commits and branches that this work may be based on, the most reliable first.

    Not all of them need exist. A push to main is compared with main before the push. Branches have
    their full names, as a short one may also be that of a tag.

    Args:
        main: The name of the main branch.
    """
    if pushed := pushed_from(main):
        yield pushed
    yield remote_branch_ref(base_ref() or main)
    if not base_ref():
        yield local_branch_ref(main)


def set_output(name: str, value: str) -> None:
    """Set an output of the step; outside of GitHub Actions, do nothing.

    See https://docs.github.com/actions/reference/workflow-commands-for-github-actions
    """
    if path := os.environ.get("GITHUB_OUTPUT"):
        _append(path, f"{name}={value}\n")


def add_summary(text: str) -> None:
    """Add Markdown to the summary of the run; outside of GitHub Actions, do nothing.

    Args:
        text: The Markdown; control characters in it are escaped.
    """
    if path := os.environ.get("GITHUB_STEP_SUMMARY"):
        _append(path, escape_control(text))


def _append(path: str, text: str) -> None:
    with Path(path).open("a", encoding="utf-8", errors="backslashreplace") as file:
        file.write(text)


def base_ref() -> str | None:
    """Return the target branch of a pull request; None outside of one."""
    return os.environ.get("GITHUB_BASE_REF") or None
