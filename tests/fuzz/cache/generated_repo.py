"""Change a generated repository at random, and compare `invoke ci` with a fresh run of everything.

Twelve sessions print a digest of all that they read, so that not only a wrong verdict is found, but
every hit that stands for a run on something else. The real planner and cache are at work.
"""

import contextlib
import io
import json
import os
import random
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from pipeline.ci.cache import session_environment
from pipeline.ci.cli import Options, run_command
from pipeline.settings import Variables
from tests.fuzz.cache.reference_run import CacheMismatchError, reference_outcomes
from tests.support.sample_repo import SampleRepo

NAMES = [f"area{number:02}" for number in range(12)]
CHECK = """\
import hashlib, os, sys
from pathlib import Path

area = sys.argv[1]
read = [os.environ.get("DECLARED"), os.environ.get("UNDECLARED")]
for path in [Path(".env"), Path("shared.txt"), *sorted(Path(area).rglob("*"))]:
    if path.is_symlink():
        read.append(f"{path} {path.readlink()}")
    elif path.is_file():
        read.append(f"{path} {path.stat().st_mode & 0o100} {path.read_bytes()}")
digest = hashlib.sha256(repr(read).encode()).hexdigest()
Path("reports", f"{area}.digest").write_text(digest)
sys.exit(int(digest, 16) % 4 == 0)
"""


class GeneratedRepoFuzz:
    """A repository, the state of its environment, and what ran under which key."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.draw = random.Random(seed)  # noqa: S311 - no secret
        self.toy = SampleRepo.make(folder, names=NAMES)
        self.toy.write("check.py", CHECK)
        self.toy.write("shared.txt", "in no area, and so in all")
        self.toy.commit()
        self.known: dict[tuple[str, str], str] = {}
        self.hits = self.runs = 0
        env = self.toy.env()
        os.environ.clear()
        os.environ.update(env)
        os.chdir(self.toy.root)

    def statistics(self) -> str:
        """Return what there was to compare."""
        return f"{self.hits} hits, {self.runs} runs"

    def file(self) -> Path:
        """Choose one of the files of an area."""
        files = [path for path in sorted(self.toy.root.glob("area*/**/*")) if not path.is_dir()]
        return self.draw.choice(files)

    def text(self) -> str:
        """Return a content, of few: what was there before comes back."""
        return f"content {self.draw.randrange(4)}\n"

    def new(self) -> Path:
        """Return a path in an area that may be free."""
        return self.toy.root / self.draw.choice(NAMES) / f"new{self.draw.randrange(3)}.txt"

    def edit(self) -> None:
        self.file().write_text(self.text())

    def edit_with_old_times(self) -> None:
        file = self.file()
        status = file.stat()
        file.write_text(self.text())
        os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))

    def delete(self) -> None:
        self.file().unlink()

    def add(self) -> None:
        self.new().unlink(missing_ok=True)
        self.new().write_text(self.text())

    def move(self) -> None:
        self.file().rename(self.new())

    def mode(self) -> None:
        self.file().chmod(self.draw.choice([0o644, 0o755]))

    def symlink(self) -> None:
        path = self.new()
        path.unlink(missing_ok=True)
        path.symlink_to(f"{self.draw.choice(['one', 'two'])}.txt")

    def declared_file(self) -> None:
        path = self.toy.root / ".env"
        path.unlink() if path.exists() and self.draw.random() < 0.5 else path.write_text(
            self.text()
        )

    def file_in_no_area(self) -> None:
        self.toy.write("shared.txt", self.text())

    def declared_variable(self) -> None:
        os.environ["DECLARED"] = self.text()

    def undeclared_variable(self) -> None:
        os.environ["UNDECLARED"] = self.text()

    def touch(self) -> None:
        self.file().touch()

    def commit(self) -> None:
        self.toy.commit()

    def checkout(self) -> None:
        self.toy.git("stash", "--include-untracked", "--quiet")

    def assume_unchanged(self) -> None:
        self.toy.commit()
        flag = self.draw.choice(["--assume-unchanged", "--skip-worktree"])
        file = self.file()
        self.toy.git("update-index", flag, str(file))
        file.write_text(self.text())
        self.check(f"overlook {flag}")
        self.toy.git("update-index", flag.replace("--", "--no-"), str(file))

    def check(self, mutation: str) -> None:
        """Run `invoke ci`, and compare every session with a fresh run.

        Raises:
            WrongError: One differs.
        """
        said = io.StringIO()
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            code = run_command(Options(all=True))
        sessions = json.loads(Path("reports/ci.json").read_text())["sessions"]
        ran = {each["session"]: digest_of(each["session"]) for each in sessions if each["log"]}
        red = reference_outcomes(environment())
        for each in sessions:
            name, outcome = each["session"], each["outcome"]
            stands = ran.get(name) or self.known[name, each["key"]]
            self.known[name, each["key"]] = stands
            self.hits += outcome == "cached"
            self.runs += name in ran
            if stands != digest_of(name) or (outcome == "failed") != (name in red):
                raise CacheMismatchError(
                    f"after {mutation}: {name} is {outcome}, and a fresh run differs"
                )
        if bool(red) != bool(code):
            raise CacheMismatchError(f"after {mutation}: exit code {code}")


def environment() -> dict[str, str]:
    """Return what a session would be told, if nox ran it: it is not told what nobody declared."""
    env = session_environment.session_environment(
        Variables(cache_key=("DECLARED", "LANG"), passthrough=("*",), dropped=())
    )
    env.pop("UNDECLARED", None)
    return env


def digest_of(name: str) -> str:
    """Return what a session said last that it had read."""
    return Path("reports", f"{name}.digest").read_text()


MUTATIONS: Sequence[Callable[[GeneratedRepoFuzz], None]] = (
    *(
        GeneratedRepoFuzz.edit,
        GeneratedRepoFuzz.edit,
        GeneratedRepoFuzz.edit_with_old_times,
        GeneratedRepoFuzz.delete,
        GeneratedRepoFuzz.add,
        GeneratedRepoFuzz.move,
    ),
    *(
        GeneratedRepoFuzz.mode,
        GeneratedRepoFuzz.symlink,
        GeneratedRepoFuzz.declared_file,
        GeneratedRepoFuzz.file_in_no_area,
    ),
    *(
        GeneratedRepoFuzz.declared_variable,
        GeneratedRepoFuzz.undeclared_variable,
        GeneratedRepoFuzz.touch,
        GeneratedRepoFuzz.commit,
    ),
    *(GeneratedRepoFuzz.checkout, GeneratedRepoFuzz.assume_unchanged),
)


def run(folder: Path, mutations: int, seed: int) -> GeneratedRepoFuzz:
    """Mutate and compare; return the trial.

    Args:
        folder: An empty one.
        mutations: How many.
        seed: What to draw them by.

    Raises:
        WrongError: `invoke ci` and a fresh run differ.
    """
    trial = GeneratedRepoFuzz(folder, seed)
    trial.check("the beginning")
    for number in range(1, mutations + 1):
        mutate = trial.draw.choice(MUTATIONS)
        with contextlib.suppress(OSError, IndexError, subprocess.CalledProcessError):
            mutate(trial)  # what there is nothing for, changes nothing
        trial.check(f"mutation {number}, {mutate.__name__}")
        if number % 10 == 0:
            print(f"{number} of {mutations}: {trial.hits} hits", file=sys.stderr, flush=True)
    return trial
