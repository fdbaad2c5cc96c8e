"""How long "nothing changed" takes: `invoke ci`, turbo and go-task, in one repository, in one run.

python -m benchmarks.ci_runners [--files 5000] [--rounds 5] python -m benchmarks.ci_runners --cold
instead: twelve sessions of a second, next to `nox -j2` and `nox`

Twelve sessions are cached in each of them; medians, and ratios to ours. To be run by the session
`benchmark-ci`, which brings the other runners.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from pipeline import git
from tests.support.sample_repo import BIN, ROOT, SampleRepo

NAMES = [f"area{number:02}" for number in range(12)]
RUNNERS = ROOT / "requirements" / "runners" / "node_modules"
TURBO = {"tasks": {"check": {"inputs": ["**"], "outputs": []}}, "ui": "stream"}
WORKSPACE = {"name": "toy", "packageManager": "npm@10.0.0", "workspaces": ["area*"]}
TASKS = {name: {"sources": [f"{name}/**/*"], "cmds": ["true"]} for name in NAMES}
KIT = "invoke ci"
Commands = Mapping[str, tuple[Sequence[str | Path], Mapping[str, str]]]


def repository(folder: Path, files: int) -> SampleRepo:
    """Make a repository of twelve sessions and many files, which all the runners understand.

    Args:
        folder: An empty one.
        files: How many files are tracked.
    """
    toy = SampleRepo.make(folder, names=NAMES)
    for name, content in (("turbo.json", TURBO), ("package.json", WORKSPACE)):
        toy.write(name, json.dumps(content))
    toy.write("Taskfile.yml", json.dumps({"version": "3", "tasks": TASKS}))  # YAML knows JSON
    for name in NAMES:
        toy.write(f"{name}/package.json", json.dumps({"name": name, "scripts": {"check": "true"}}))
    ignored = toy.root.joinpath(".gitignore").read_text()
    toy.write(".gitignore", ignored + ".task/\n.turbo/\n.venv\nnode_modules\n")
    shutil.copy(ROOT / "dev", toy.root)
    toy.write("requirements/dev.txt", (ROOT / "requirements/dev.txt").read_text())
    toy.root.joinpath(".venv").symlink_to(ROOT / ".venv")
    toy.root.joinpath("node_modules").symlink_to(RUNNERS)
    missing = files - len(git.split_names("ls-files", "-z", "--others", "--cached", cwd=toy.root))
    for number in range(missing):
        toy.write(f"{NAMES[number % 12]}/deep/{number % 7}/{number}.txt", f"{number}\n" * 20)
    toy.commit()
    return toy


def commands(toy: SampleRepo) -> Commands:
    """Return what is measured where nothing changed, each with its environment."""
    env = toy.env(PYTHONDONTWRITEBYTECODE="")  # as anybody's: compiled once
    path = f"{RUNNERS}/.bin{os.pathsep}{env['PATH']}"
    node = {**env, "PATH": path, "TURBO_TELEMETRY_DISABLED": "1"}
    return {
        KIT: ([BIN / "invoke", "ci"], env),
        "./dev invoke ci": (["./dev", "invoke", "ci"], env),
        "turbo": (["turbo", "run", "check", "--output-logs=none"], node),
        "go-task": ([BIN / "task", "--parallel", "--silent", *NAMES], env),
        "floor: git status": (git.command("status"), env),
        "floor: invoke --list": ([BIN / "invoke", "--list"], env),
        "floor: python -c pass": ([sys.executable, "-c", "pass"], env),
    }


def cold_commands(toy: SampleRepo) -> Commands:
    """Return what is measured where nothing is known yet: two sessions at once, and one."""
    env = toy.env(PYTHONDONTWRITEBYTECODE="", TOY_SECONDS="1")
    return {
        KIT: ([BIN / "invoke", "ci", "--all", "--no-cache", "--jobs=2"], env),
        "nox -j2": ([BIN / "nox", "-j2", "--allow-parallel"], env),
        "nox": ([BIN / "nox"], env),
    }


def lower_bound(toy: SampleRepo) -> float:
    """Return the seconds that two processors need at least for what `invoke ci` ran last."""
    report = json.loads(toy.root.joinpath("reports", "ci.json").read_text())
    took: list[float] = [each["seconds"] for each in report["sessions"]]
    return max(*took, sum(took) / 2)


def measured(toy: SampleRepo, requested: Commands, rounds: int) -> dict[str, float]:
    """Return the median seconds of each command; they take turns, so that a load hits all alike."""
    found: dict[str, list[float]] = {}
    for turn in range(rounds + 1):
        for name, (command, env) in requested.items():
            began = time.perf_counter()
            done = subprocess.run(command, cwd=toy.root, env=env, capture_output=True, check=False)
            found.setdefault(name, []).append(time.perf_counter() - began)
            if done.returncode:
                sys.exit(f"{name}: {(done.stdout + done.stderr).decode()}")
            if turn == 0:
                time.sleep(3)  # what was just written is looked at again: no cache trusts it sooner
    return {name: statistics.median(times[1:]) for name, times in found.items()}


def main(arguments: Sequence[str]) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser("python -m benchmarks.ci_runners", description=__doc__)
    parser.add_argument("--files", type=int, default=5000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--cold", action="store_true")
    options = parser.parse_args(arguments)
    with TemporaryDirectory() as folder:
        toy = repository(Path(folder), options.files)
        requested = cold_commands(toy) if options.cold else commands(toy)
        seconds = measured(toy, requested, options.rounds)
        if options.cold:
            seconds["floor: half of the work"] = lower_bound(toy)
    how = "fresh" if options.cold else "cached"
    print(f"{options.files} files, 12 {how} sessions, medians of {options.rounds}")
    for name, took in seconds.items():
        print(f"{name:24}{took:6.2f} s{took / seconds[KIT]:7.2f} x")


if __name__ == "__main__":
    main(sys.argv[1:])
