"""The commit that a change is compared with."""

from pipeline import git
from pipeline.config import load, main_branch
from pipeline.errors import InconclusiveError
from pipeline.github import actions


def baseline_commit(check: str) -> str | None:
    """Return the merge base with main; for a commit on main, its parent.

    Args:
        check: The name of the check.

    Returns:
        The commit; None for the first commit, or for the push that created main.

    Raises:
        InconclusiveError: It does not exist here, as in a shallow clone or after a forced push.
    """
    pushed = actions.pushed_from(main_branch())
    if pushed == actions.ZERO_COMMIT:
        return None
    head, main = git.head(), actions.base_ref() or main_branch()
    start = git.find_start(actions.baseline_candidates(main_branch()))
    if pushed and (start is None or start.ref != pushed):
        raise InconclusiveError(
            check,
            f"the commit of {main} before this push is missing here",
            detail=pushed,
            hint=f"git fetch origin {pushed}",
        )
    if start and (start.commit != head.sha or not head.clean):
        return start.commit
    before = git.parent_commit() if start else None
    if before is None and (git.is_shallow() or not start):
        depth = "--unshallow " if git.is_shallow() else ""
        raise InconclusiveError(
            check,
            f"{main} is missing here, so there is no commit to compare with",
            hint=f"git fetch {depth}origin {main}:{git.remote_branch_ref(main)}",
        )
    return before


def previous_release_commit(check: str) -> str | None:
    """Return the baseline commit, unless it is still the unchanged template.

    Neither clients nor databases use the template itself.

    Args:
        check: The name of the check.

    Returns:
        The commit; None for the first commit, or if it is a commit of the template.

    Raises:
        InconclusiveError: It does not exist here, as in a shallow clone.
    """
    commit, copied = baseline_commit(check), load().template.commit
    return None if commit and copied and git.is_ancestor(commit, copied) else commit
