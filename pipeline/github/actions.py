"""What GitHub's runner hands to a job, and what a job hands back through it."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

from pipeline.escaping import escape_control
from pipeline.git import local_branch_ref, remote_branch_ref

ZERO_COMMIT = "0" * 40
"""No commit, as GitHub and git write it."""


def is_push_to(branch: str) -> bool:
    """Say whether this run is a push to a branch.

    Args:
        branch: Its name.
    """
    pushed = os.environ.get("GITHUB_EVENT_NAME") == "push"
    return pushed and os.environ.get("GITHUB_REF") == local_branch_ref(branch)


def pushed_from(branch: str) -> str | None:
    """Return the commit that a branch was before the push that runs this; None outside of one.

    `ZERO_COMMIT`, if the push made the branch. See `before` in
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
    """Yield what this work may have started from, the surest first; not all of it need be here.

    A push to main follows what main was before.
    Branches have their full names: a short one may be that of a tag, or of another branch.

    Args:
        main: The name of the main branch.
    """
    if pushed := pushed_from(main):
        yield pushed
    yield remote_branch_ref(base_ref() or main)
    if not base_ref():
        yield local_branch_ref(main)


def set_output(name: str, value: str) -> None:
    """Set an output of the step; on a laptop there is none to set.

    See https://docs.github.com/actions/reference/workflow-commands-for-github-actions
    """
    if path := os.environ.get("GITHUB_OUTPUT"):
        _append(path, f"{name}={value}\n")


def add_summary(text: str) -> None:
    """Show Markdown on the page of the run; on a laptop there is none.

    Args:
        text: What to show; control characters in it, as of others' words, are written out.
    """
    if path := os.environ.get("GITHUB_STEP_SUMMARY"):
        _append(path, escape_control(text))


def _append(path: str, text: str) -> None:
    with Path(path).open("a", encoding="utf-8", errors="backslashreplace") as file:
        file.write(text)


def base_ref() -> str | None:
    """Return the branch that a pull request wants to go to; None outside of one."""
    return os.environ.get("GITHUB_BASE_REF") or None
