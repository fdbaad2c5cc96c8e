"""What the check of one new migration costs, compared with an earlier commit of this repository.

python -m benchmarks.migrations [--against 5c0cd43] [--rounds 3]

Each commit is a clone with a main of its own, and on a branch a nullable column in the reference
app. `nox -s migration-safety` of both takes turns there, so that a load hits both alike; the first
run makes the environment, and does not count. Then comes `--static`, which only reads migrations,
and the other checks on the same migration, each by its documented command: Squawk on the output of
`sqlmigrate`, `lintmigrations`, and `migrate` with the backend of zero-downtime. CPU is that of all
processes; of those that leave their parent, such as PostgreSQL's, on Linux only.
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
import textwrap
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from benchmarks.peers import EVALUATES, SETTINGS
from pipeline import git

PR_SET_CHILD_SUBREAPER = (
    36  # https://man7.org/linux/man-pages/man2/PR_SET_CHILD_SUBREAPER.2const.html
)
SESSIONS = ("migration-safety", "migration-flight")  # its name now, and in older commits
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
        SystemExit: It failed.
    """
    text = (folder / "noxfile.py").read_text()
    session = next(name for name in SESSIONS if f'"{name}"' in text)
    own = {"DATABASE_URL", "PYTHONDONTWRITEBYTECODE"}
    env = {name: value for name, value in os.environ.items() if name not in own}
    return _measure([sys.executable, "-m", "nox", "-s", session, "--", *options], folder, env)


def peer_cost(peer: str, folder: Path) -> Cost:
    """Run another check on the new migration, and return what it took.

    Args:
        peer: `Squawk`, `linter` or `zero_downtime`.
        folder: A clone with the settings of `write_peer_settings`.
    """
    backend, (*_, before, new) = (
        folder / "backend",
        sorted(file.stem for file in (folder / "backend/apps/projects/migrations").glob("0*.py")),
    )
    env = {**os.environ, "DJANGO_SETTINGS_MODULE": f"config.settings.{peer.lower()}"}
    manage = f"{sys.executable} manage.py"
    if peer == "zero_downtime":  # apply it again in each round
        _measure(["sh", "-c", f"{manage} migrate --no-input projects {before}"], backend, env)
    command = {
        "Squawk": f"{manage} sqlmigrate projects {new} | {' '.join(EVALUATES)}",
        "linter": f"{manage} lintmigrations --no-cache projects {new}",
        "zero_downtime": f"{manage} migrate --no-input projects {new}",
    }[peer]
    return _measure(["sh", "-c", command], backend, env, codes={0, 1})  # 1: it has findings


def write_peer_settings(folder: Path) -> None:
    """Write the settings of the peers; those of Squawk are the tests' own."""
    for name, text in {**SETTINGS, "squawk": "from config.settings.test import *\n"}.items():
        path = folder / f"backend/config/settings/{name}.py"
        path.write_text(textwrap.dedent(text))


def _measure(
    command: Sequence[str], folder: Path, env: Mapping[str, str], codes: Collection[int] = (0,)
) -> Cost:
    began, used = time.monotonic(), _cpu()
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, check=False)
    wall = time.monotonic() - began
    with contextlib.suppress(ChildProcessError):
        while True:
            os.waitpid(-1, 0)  # processes that left their parent
    if done.returncode not in codes:
        output = (done.stdout + done.stderr).decode()[-3000:]
        sys.exit(f"`{' '.join(command)}` failed:\n{output}")
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
        write_peer_settings(now)
        runs: dict[str, Callable[[], Cost]] = {
            options.against: partial(cost, before),
            "now": partial(cost, now),
            "now, --static": partial(cost, now, "--static"),
            **{peer: partial(peer_cost, peer, now) for peer in ("Squawk", *SETTINGS)},
        }
        found: dict[str, list[Cost]] = {name: [] for name in runs}
        for _ in range(options.rounds + 1):
            for name, run in runs.items():
                found[name].append(run())
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
