"""What the check of one new migration costs, compared with an earlier commit of this repository.

python -m benchmarks.migrations [--against 5c0cd43] [--rounds 3]

Each commit is a clone with a main of its own, and on a branch a nullable column in the reference
app. `nox -s migration-safety` of both takes turns there, so that a load hits both alike; the first
run makes the environment, and does not count. Then comes what only reads migrations, `--static`.
CPU is that of all processes; of those that leave their parent, such as PostgreSQL's, on Linux only.
"""

import argparse
import contextlib
import ctypes
import os
import re
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from pipeline import git

PR_SET_CHILD_SUBREAPER = (
    36  # https://man7.org/linux/man-pages/man2/PR_SET_CHILD_SUBREAPER.2const.html
)
FIELD = "    note = models.CharField(max_length=9, null=True)\n"
MODEL = re.compile(r"^    created = ", re.MULTILINE)
MIGRATION = """
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("projects", "{before}")]
    operations = [
        migrations.AddField("project", "note", models.CharField(max_length=9, null=True))
    ]
"""


class Cost(NamedTuple):
    """What one run took."""

    wall: float
    cpu: float


def clone(commit: str, folder: Path) -> Path:
    """Clone a commit as main, and add the migration on a branch.

    Args:
        commit: Of this repository.
        folder: Where to.
    """
    git.git_output("clone", "--quiet", "--no-checkout", str(Path.cwd()), str(folder))
    git.git_output("checkout", "--quiet", "-B", "main", commit, cwd=folder)
    git.git_output("remote", "remove", "origin", cwd=folder)
    git.git_output("checkout", "--quiet", "-b", "work", cwd=folder)
    app = folder / "backend/apps/projects"
    before = max(app.glob("migrations/0*.py")).stem
    number = int(before[:4]) + 1
    (app / f"migrations/{number:04}_note.py").write_text(MIGRATION.format(before=before))
    models = app / "models.py"
    models.write_text(MODEL.sub(lambda found: FIELD + found[0], models.read_text(), count=1))
    return folder


def cost(folder: Path, *options: str) -> Cost:
    """Run the check, and return what it took.

    Raises:
        SystemExit: It is red.
    """
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    began, used = time.monotonic(), _cpu()
    command = [sys.executable, "-m", "nox", "-s", "migration-safety", "--", *options]
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, check=False)
    wall = time.monotonic() - began
    with contextlib.suppress(ChildProcessError):
        while True:
            os.waitpid(-1, 0)  # what has left its parent
    if done.returncode:
        sys.exit(f"{folder.name} is red:\n{(done.stdout + done.stderr).decode()[-3000:]}")
    return Cost(wall, _cpu() - used)


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main(arguments: Sequence[str]) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser("python -m benchmarks.migrations", description=__doc__)
    parser.add_argument("--against", default="5c0cd43", metavar="COMMIT")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args(arguments)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    with TemporaryDirectory() as folder:
        before = clone(options.against, Path(folder, "before"))
        now = clone(git.head().sha, Path(folder, "now"))
        runs: dict[str, tuple[Path, list[str]]] = {
            options.against: (before, []), "now": (now, []), "now, --static": (now, ["--static"])
        }  # fmt: skip
        found: dict[str, list[Cost]] = {name: [] for name in runs}
        for _ in range(options.rounds + 1):
            for name, (where, more) in runs.items():
                found[name].append(cost(where, *more))
    medians = {
        name: Cost(*map(statistics.median, zip(*costs[1:], strict=True)))
        for name, costs in found.items()
    }
    base = medians[options.against]
    print(f"{'medians of ' + str(options.rounds):16}{'wall':>10}{'CPU':>10}{'ratio':>14}")
    for name, each in medians.items():
        ratios = f"{each.wall / base.wall:7.2f}{each.cpu / base.cpu:7.2f}"
        print(f"{name:16}{each.wall:8.1f} s{each.cpu:8.1f} s{ratios}")


if __name__ == "__main__":
    main(sys.argv[1:])
