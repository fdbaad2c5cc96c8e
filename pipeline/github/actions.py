"""What GitHub's runner hands to a job, and what a job hands back through it."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

from pipeline.escaping import escaped
from pipeline.git import local, remote

NONE = "0" * 40
"""No commit, as GitHub and git write it."""


def is_push_to(branch: str) -> bool:
    """Say whether this run is a push to a branch.

    Args:
        branch: Its name.
    """
    pushed = os.environ.get("GITHUB_EVENT_NAME") == "push"
    return pushed and os.environ.get("GITHUB_REF") == local(branch)


def before(branch: str) -> str | None:
    """Return the commit that a branch was before the push that runs this; None outside of one.

    `NONE`, if the push made the branch. See `before` in
    https://docs.github.com/webhooks/webhook-events-and-payloads#push

    Args:
        branch: Its name.
    """
    if not is_push_to(branch):
        return None
    event = json.loads(Path(os.environ["GITHUB_EVENT_PATH"]).read_text())
    commit: str = event["before"]
    return commit


def comes_after(main: str) -> Iterator[str]:
    """Yield what this work may have started from, the surest first; not all of it need be here.

    A push to main follows what main was before.
    Branches have their full names: a short one may be that of a tag, or of another branch.

    Args:
        main: The name of the main branch.
    """
    if pushed := before(main):
        yield pushed
    yield remote(base() or main)
    if not base():
        yield local(main)


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
        _append(path, escaped(text))


def _append(path: str, text: str) -> None:
    with Path(path).open("a", encoding="utf-8", errors="backslashreplace") as file:
        file.write(text)


def base() -> str | None:
    """Return the branch that a pull request wants to go to; None outside of one."""
    return os.environ.get("GITHUB_BASE_REF") or None
