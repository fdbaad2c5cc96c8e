"""What this work started from."""

from pipeline import git
from pipeline.config import load, main_branch
from pipeline.errors import InconclusiveError
from pipeline.github import actions


def baseline_commit(check: str) -> str | None:
    """Return the commit that this work started from; of a commit on main, the one before.

    Args:
        check: Who asks.

    Returns:
        The commit; None if this is the first one, or of the push that made main.

    Raises:
        NotJudgedError: It is not here, as in a shallow clone, or after a push that was forced.
    """
    pushed = actions.pushed_from(main_branch())
    if pushed == actions.ZERO_COMMIT:
        return None
    here, main = git.head(), actions.base_ref() or main_branch()
    start = git.find_start(actions.baseline_candidates(main_branch()))
    if pushed and (start is None or start.ref != pushed):
        raise InconclusiveError(
            check,
            f"what {main} was before this push is not here",
            detail=pushed,
            hint=f"git fetch origin {pushed}",
        )
    if start and (start.commit != here.sha or not here.clean):
        return start.commit
    before = git.parent_commit() if start else None
    if before is None and (git.is_shallow() or not start):
        depth = "--unshallow " if git.is_shallow() else ""
        raise InconclusiveError(
            check,
            f"{main} is not here, so there is nothing to compare with",
            hint=f"git fetch {depth}origin {main}:{git.remote_branch_ref(main)}",
        )
    return before


def previous_release_commit(check: str) -> str | None:
    """Return the commit that this work started from, if somebody may be using what it holds.

    Nobody uses what a product was copied from: neither clients nor databases know of it.

    Args:
        check: Who asks.

    Returns:
        The commit; None if this is the first one, or that one holds the template still.

    Raises:
        NotJudgedError: It is not here, as in a shallow clone.
    """
    commit, copied = baseline_commit(check), load().template.commit
    return None if commit and copied and git.is_ancestor(commit, copied) else commit
