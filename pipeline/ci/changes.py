"""What a change touches: the files that differ from where it left the main branch."""

import os
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline import git
from pipeline.ci.cache.worktree import Listed
from pipeline.github import actions

DIFF = ("diff", "--name-only", "-z", "--no-ext-diff", *git.EVERY_CHANGE)


@dataclass(frozen=True)
class Change:
    """The files that were touched; or why that is unknown, and everything is to run."""

    paths: Sequence[str] = ()
    base: str = ""
    unknown: str = ""


def change(main: str, files: Listed) -> Change:
    """Return what differs from where this work left the main branch, committed or not.

    Args:
        main: The name of the main branch.
        files: What is in the checkout: git compares only what it tracks.
    """
    event = os.environ.get("GITHUB_EVENT_NAME", "")
    if event and event != "pull_request":
        return Change(unknown=f"a {event} runs everything")
    refs = [*actions.comes_after(main)]
    start = git.start(refs)
    if start is None:
        names = " and ".join(map(git.short, refs))
        return Change(unknown=f"no base: {names} cannot be compared with")
    if start.is_on(main):
        return Change(unknown=f"on {main}")
    compared = git.names(*DIFF, start.commit, "--")
    return Change(sorted({*compared, *files.untracked, *files.unwatched}), git.short(start.ref))
