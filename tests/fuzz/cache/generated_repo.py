"""Change a generated repository at random, and compare `invoke ci` with a fresh run of everything.

Each of twelve sessions writes a digest of its inputs. A cached result is wrong if its
verdict differs, and also if it was recorded with other inputs. Planner and cache are the real ones.
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
    """A generated repository, and the input digest of every cache key seen so far."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.draw = random.Random(seed)  # noqa: S311 - no secret
        self.toy = SampleRepo.make(folder, names=NAMES)
        self.toy.write("check.py", CHECK)
        self.toy.write("shared.txt", "no area, so an input of every session")
        self.toy.commit()
        self.content_by_key: dict[tuple[str, str], str] = {}
        self.hits = self.runs = 0
        env = self.toy.env()
        os.environ.clear()
        os.environ.update(env)
        os.chdir(self.toy.root)

    def statistics(self) -> str:
        """Return the numbers of hits and runs."""
        return f"{self.hits} hits, {self.runs} runs"

    def file(self) -> Path:
        """Choose a random file of a random area."""
        files = [path for path in sorted(self.toy.root.glob("area*/**/*")) if not path.is_dir()]
        return self.draw.choice(files)

    def text(self) -> str:
        """Return one of four contents, so that earlier contents, and so earlier keys, come back."""
        return f"content {self.draw.randrange(4)}\n"

    def new(self) -> Path:
        """Return a path for a new file in a random area; the file may exist."""
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
        self.check(f"update-index {flag}")
        self.toy.git("update-index", flag.replace("--", "--no-"), str(file))

    def check(self, mutation: str) -> None:
        """Run `invoke ci`, and compare the result of every session with a fresh run.

        Raises:
            CacheMismatchError: A result differs.
        """
        output = io.StringIO()
        with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
            code = run_command(Options(all=True))
        sessions = json.loads(Path("reports/ci.json").read_text())["sessions"]
        ran = {each["session"]: digest_of(each["session"]) for each in sessions if each["log"]}
        failed = reference_outcomes(environment())
        for each in sessions:
            name, outcome = each["session"], each["outcome"]
            content = ran.get(name) or self.content_by_key[name, each["key"]]
            self.content_by_key[name, each["key"]] = content
            self.hits += outcome == "cached"
            self.runs += name in ran
            if content != digest_of(name) or (outcome == "failed") != (name in failed):
                raise CacheMismatchError(
                    f"after {mutation}: {name} is {outcome}, but differs in a fresh run"
                )
        if bool(failed) != bool(code):
            raise CacheMismatchError(f"after {mutation}: exit code {code}")


def environment() -> dict[str, str]:
    """Return the environment of a session in the fresh run: without the undeclared variable."""
    env = session_environment.session_environment(
        Variables(cache_key=("DECLARED", "LANG"), passthrough=("*",), dropped=())
    )
    env.pop("UNDECLARED", None)
    return env


def digest_of(name: str) -> str:
    """Return the digest of its inputs that a session wrote in its last run."""
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
    """Mutate and compare; return the finished fuzz run.

    Args:
        folder: An empty folder.
        mutations: The number of mutations.
        seed: The seed of the random choices.

    Raises:
        CacheMismatchError: A result of `invoke ci` differs from a fresh run.
    """
    trial = GeneratedRepoFuzz(folder, seed)
    trial.check("the beginning")
    for number in range(1, mutations + 1):
        mutate = trial.draw.choice(MUTATIONS)
        with contextlib.suppress(OSError, IndexError, subprocess.CalledProcessError):
            mutate(trial)  # an impossible mutation, such as deleting a missing file, is a no-op
        trial.check(f"mutation {number}, {mutate.__name__}")
        if number % 10 == 0:
            print(f"{number} of {mutations}: {trial.hits} hits", file=sys.stderr, flush=True)
    return trial
