"""A repository with the real pipeline and sessions that take no time, to run `invoke ci` in."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests import settings

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent  # nox and invoke are in the environment of the tests
SESSIONS = ("red", "green", "blue")
IDENTITY = (
    "-c",
    "user.name=Test",
    "-c",
    "user.email=test@example.com",
    "-c",
    "commit.gpgsign=false",
)

SETTINGS = """\
name = "toy"

[ci]
main_branch = "main"
exclusive = []
extra_inputs = [".env"]
tools = ["git", "probe"]

[ci.needs]

[ci.main_only]

[ci.never_cached]
{never}

[ci.mutex]

[ci.variables]
cache_key = ["DECLARED", "LANG"]
passthrough = ["HOME", "PATH", "TOY_*"]
dropped = []

[areas]
common = ["noxfile.py", "pipeline.toml", "tasks.py", "pipeline/**", ".github/**", ".gitignore"]
{areas}
"""
REST = settings.text({"name": None, "ci": None, "areas": None}) + "\n[budgets]\n"

NOXFILE = '''\
import nox

nox.options.default_venv_backend = "none"


def check(session):
    """Check an area."""
    session.run("python3", "check.py", session.name, *session.posargs, external=True)


for name in {names}:
    nox.session(check, name=name, tags=[name])
'''

CHECK = """\
import fcntl, os, signal, sys, time
from pathlib import Path

area = sys.argv[1]
busy = Path(os.environ["TOY_TRACE"] + "." + area).open("w")
fcntl.flock(busy, fcntl.LOCK_EX | fcntl.LOCK_NB)  # never twice at once
if os.environ.get("TOY_STUBBORN"):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
with Path(os.environ["TOY_TRACE"]).open("a") as trace:
    print(area, file=trace)
time.sleep(float(os.environ.get("TOY_SECONDS", "0")))
while Path(os.environ.get("TOY_WAIT", "/missing")).exists():
    time.sleep(0.01)
busy.close()
texts = [path.read_text() for path in sorted(Path(area).rglob("*")) if path.is_file()]
content = "".join(texts) + os.environ.get("DECLARED", "") + os.environ.get("UNDECLARED", "")
env = Path(".env")
content += env.read_text() if env.exists() else ""
print(f"{len(texts)} files in {area}")
if "inconclusive" in content:
    from pipeline.errors import InconclusiveError, handle_errors

    with handle_errors():
        raise InconclusiveError(area, "no service answers", detail=f"at {area}", hint="start it")
sys.exit("BROKEN" in content or os.environ.get("TOY_BROKEN") == area)
"""

CI = """\
on: pull_request
jobs:
  plan:
    runs-on: ubuntu-24.04
    steps:
      - run: nox -s plan
  checks:
    needs: plan
    uses: ./.github/workflows/checks.yml
"""


class SampleRepo:
    """The repository, and what was run in it."""

    def __init__(self, folder: Path, names: Sequence[str] = SESSIONS) -> None:
        self.folder = folder
        self.root = folder / "toy"
        self.home = folder / "home"
        self.trace = folder / "trace"
        self.names = names

    @classmethod
    def make(
        cls, folder: Path, *, names: Sequence[str] = SESSIONS, never: str = ""
    ) -> "SampleRepo":
        """Make one in an empty folder."""
        toy = cls(folder, names)
        toy.home.mkdir()
        toy._fill(never)
        return toy

    def copy(self, folder: Path) -> "SampleRepo":
        """Make one that has been through the same."""
        shutil.copytree(self.folder, folder, symlinks=True)
        return SampleRepo(folder, self.names)

    def _fill(self, never: str) -> None:
        shutil.copytree(
            ROOT / "pipeline",
            self.root / "pipeline",
            ignore=shutil.ignore_patterns("__pycache__"),
        )
        shutil.copy(ROOT / "tasks.py", self.root)
        self.write("pipeline.toml", self._settings(never))
        self.write("noxfile.py", NOXFILE.format(names=[*self.names]))
        self.write("check.py", CHECK)
        self.write(".gitignore", ".cache/\n.nox/\n__pycache__/\nreports/\n.env\n")
        self.write(".github/workflows/ci.yml", CI)
        self.write(".github/workflows/checks.yml", self._checks())
        for name in self.names:
            self.write(f"{name}/one.txt", f"{name} is fine\n")
            self.write(f"{name}/two.txt", "so is this\n")
        self.git("init", "--quiet", "--initial-branch=main")
        self.commit()

    def _settings(self, never: str) -> str:
        areas = "\n".join(f'{name} = ["{name}/**"]' for name in self.names)
        return SETTINGS.format(areas=areas, never=never) + REST

    def _checks(self) -> str:
        jobs = "".join(
            f"  {name}:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: nox -s {name}\n"
            for name in self.names
        )
        return f"on: workflow_call\njobs:\n{jobs}"

    def write(self, name: str, text: str) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def git(self, *arguments: str) -> str:
        command = ["git", *IDENTITY, *arguments]
        done = subprocess.run(command, cwd=self.root, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def commit(self) -> None:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message=work")

    def env(self, **variables: str) -> dict[str, str]:
        path = f"{BIN}{os.pathsep}{os.environ['PATH']}"
        own = {"PATH": path, "HOME": str(self.home), "TOY_TRACE": str(self.trace)}
        return {**own, "LANG": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1", **variables}

    def start(self, *options: str, **variables: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [str(BIN / "invoke"), "ci", *options],
            cwd=self.root,
            env=self.env(**variables),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def ci(self, *options: str, **variables: str) -> tuple[int, str]:
        """Run `invoke ci`; return its exit code and what it printed."""
        process = self.start(*options, **variables)
        output, _ = process.communicate(timeout=120)
        return process.returncode, output

    def executed_sessions(self) -> list[str]:
        """Return the sessions that ran since the last call."""
        names = self.trace.read_text().split() if self.trace.exists() else []
        self.trace.unlink(missing_ok=True)
        return sorted(names)

    def report(self) -> dict[str, object]:
        report: dict[str, object] = json.loads((self.root / "reports" / "ci.json").read_text())
        return report
