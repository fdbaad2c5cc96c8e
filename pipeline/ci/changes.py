"""Detect the changed files: those that differ from the merge base with the main branch."""

import os
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline import git
from pipeline.ci.cache.worktree import WorktreeListing
from pipeline.github import actions

_GIT_DIFF_ARGS = ("diff", "--name-only", "-z", "--no-ext-diff", *git.EVERY_CHANGE)


@dataclass(frozen=True)
class ChangeSet:
    """The changed files since `base`.

    With a `run_all_reason` the changed files are unknown, and every session runs.
    """

    paths: Sequence[str] = ()
    base: str = ""
    run_all_reason: str = ""


def detect_changes(main: str, files: WorktreeListing) -> ChangeSet:
    """Return the files that differ from the merge base with the main branch, committed or not.

    Args:
        main: The name of the main branch.
        files: The files of the checkout. `git diff` shows neither untracked files nor those that
            are marked `assume-unchanged`, so these are always added.
    """
    event = os.environ.get("GITHUB_EVENT_NAME", "")
    # pushes, schedules and merge queues are the last check before a release: run every session
    if event and event != "pull_request":
        return ChangeSet(run_all_reason=f"a {event} event runs every session")
    refs = [*actions.baseline_candidates(main)]
    start = git.find_start(refs)
    if start is None:
        names = " and ".join(map(git.short_ref, refs))
        return ChangeSet(run_all_reason=f"no base commit: no common history with {names}")
    if start.is_on(main):
        return ChangeSet(run_all_reason=f"on {main}")
    compared = git.split_names(*_GIT_DIFF_ARGS, start.commit, "--")
    return ChangeSet(
        sorted({*compared, *files.untracked, *files.index_flagged}), git.short_ref(start.ref)
    )
