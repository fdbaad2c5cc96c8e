"""What a change touches: the files that differ from where it left the main branch."""

import os
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline import github
from pipeline.ci.tree import Listed
from pipeline.git import branch
from pipeline.run import read

# settings of git that would let it overlook a change, or show it in another way
STRICT = (
    "-c",
    "core.fsmonitor=false",
    "-c",
    "core.checkStat=default",
    "-c",
    "core.trustctime=true",
)
DIFF = ("diff", "--name-only", "-z", "--no-renames", "--no-ext-diff", "--ignore-submodules=none")


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
    if branch() == main:
        return Change(unknown=f"on {main}")
    bases = [f"origin/{github.base() or main}", *([] if event else [main])]
    for base in bases:
        answer = read(["git", *STRICT, *DIFF, "--merge-base", base])
        if answer.returncode == 0:
            compared = [path for path in answer.stdout.split("\0") if path]
            return Change(sorted({*compared, *files.untracked, *files.unwatched}), base)
    return Change(unknown=f"no base: {' and '.join(bases)} cannot be compared with")
