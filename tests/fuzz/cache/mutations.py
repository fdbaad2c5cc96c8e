"""Random changes of a checkout of this repository; each returns a description of the change."""

import os
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.scratch_repository import ScratchRepository

SOURCES = ("backend/apps/**/*.py", "docs/*.md", "frontend/src/**/*.tsx", "tests/**/*.py")
OTHERS = (".github/workflows/*.yml", "deploy/*", "faults/*.toml", "pipeline/**/*.py", "security/*")
UNUSED_IMPORT = "import antigravity\n"


class Checkout:
    """The working directory as a checkout, and its saved states as git tree ids."""

    def __init__(self, draw: random.Random) -> None:
        self.draw = draw
        self.states: list[str] = []

    def one(self, *globs: str) -> Path:
        """Choose a random file that matches one of the globs."""
        return self.draw.choice(sorted(path for glob in globs for path in Path().glob(glob)))

    def save_state(self) -> None:
        """Save the current files as a git tree, for `return_to`."""
        git("add", "--all")
        self.states.append(git("write-tree"))

    def return_to(self, state: str) -> None:
        """Restore the files of a saved state; files that were added since are deleted."""
        # `read-tree -u` deletes only files of the index, so untracked files are added first
        git("add", "--all")
        git("read-tree", "--reset", "-u", state)


Mutation = Callable[[Checkout], str]


@dataclass(frozen=True)
class Line:
    """Append a line to a random file."""

    glob: str
    text: str

    def __call__(self, checkout: Checkout) -> str:
        path = checkout.one(self.glob)
        with path.open("a") as file:
            file.write(self.text)
        return f"{self.text.strip()!r} in {path}"


def delete(checkout: Checkout) -> str:
    path = checkout.one(*SOURCES)
    path.unlink()
    return f"{path} is deleted"


def rename(checkout: Checkout) -> str:
    path = checkout.one(*SOURCES)
    new = path.rename(path.with_stem(f"{path.stem}_moved"))
    return f"{path} is renamed to {new.name}"


def mode(checkout: Checkout) -> str:
    path = checkout.one(*SOURCES)
    path.chmod(path.stat().st_mode ^ 0o111)
    return f"{path} has another mode"


def untracked(checkout: Checkout) -> str:
    """Add a Python file in any folder, also in folders that no area expects to hold Python."""
    path = checkout.one(*SOURCES, *OTHERS).with_name("new.py")
    path.write_text(UNUSED_IMPORT)
    return f"{path} is new"


def variable(_: Checkout) -> str:
    if os.environ.pop("TZ", ""):
        return "TZ is not set"
    os.environ["TZ"] = "Asia/Tokyo"
    return "TZ is set"


def touch(checkout: Checkout) -> str:
    path = checkout.one(*SOURCES, *OTHERS)
    path.touch()
    return f"touched {path}"


def checkout_earlier(checkout: Checkout) -> str:
    checkout.return_to(checkout.draw.choice(checkout.states))
    return "back to an earlier state"


def revert(checkout: Checkout) -> str:
    checkout.return_to(checkout.states[-1])
    return "the last change is reverted"


MUTATIONS: Sequence[Mutation] = (
    Line("backend/apps/*/api.py", "\n\n# a comment\n"),
    Line("frontend/src/**/*.tsx", "\n// a comment\n"),
    Line("docs/*.md", "\nOne more sentence.\n"),
    Line("tests/**/*.py", "\n\n# a comment\n"),
    Line("pipeline/**/*.py", "\n\n# a comment\n"),
    Line("requirements/*.txt", "# a comment\n"),
    Line("backend/apps/*/*.py", UNUSED_IMPORT),
    Line("backend/apps/*/*.py", "def\n"),
    Line("frontend/src/**/*.tsx", "export const none: number = 'none'\n"),
    *(delete, rename, mode, untracked, variable, touch, checkout_earlier),
)


def random_mutations(draw: random.Random) -> Iterator[Mutation]:
    """Yield all mutations in random order, then all of them again, without end."""
    while True:
        yield from draw.sample(MUTATIONS, len(MUTATIONS))


def git(*arguments: str) -> str:
    return ScratchRepository(Path()).git(*arguments).strip()
