"""What the caches of downloads are worth: each session without them, and then with them.

python -m benchmarks.download_caches [SESSION ...]

Every run is in a clone of its own, which has no environments yet, as a runner of CI; between the
two runs of a session its home stays, with the caches that lie there. Without a name: a session of
every job of the backend's and the frontend's workflows, and of the pipeline those that are quick.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from pipeline import git
from pipeline.github import loader
from pipeline.github.model import job_sessions

PIPELINE_SESSIONS = ("parity", "workflows", "docs")
DEFAULT_WORKFLOWS = ("backend-ci.yml", "frontend-ci.yml")


def sessions(names: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield the workflow and the name of each session that is measured.

    Args:
        names: The selected ones; the default ones, if none.
    """
    for file, workflow in loader.load_workflows().items():
        for job in workflow.jobs.values():
            rows = [] if job.is_call else job_sessions(job) or []
            usual = job.id in PIPELINE_SESSIONS or (file in DEFAULT_WORKFLOWS and job.id != "ci-ok")
            for session in rows:
                if session in names or (not names and usual and session == rows[0]):
                    yield file, session


def seconds(session: str, home: Path) -> float:
    """Run a session in a new clone with this home, and return how long that took.

    Raises:
        SystemExit: It is red.
    """
    env = {name: value for name, value in os.environ.items() if not name.startswith("XDG_")}
    with TemporaryDirectory() as folder:
        git.git_output("clone", "--quiet", str(Path.cwd()), folder)
        began = time.perf_counter()
        command = [sys.executable, "-m", "nox", "-s", session]
        done = subprocess.run(
            command, cwd=folder, env=env | {"HOME": str(home)}, capture_output=True, check=False
        )
        took = time.perf_counter() - began
    if done.returncode:
        sys.exit(f"{session} is red:\n{(done.stdout + done.stderr).decode()[-3000:]}")
    return took


def row(name: str, cold: float, warm: float) -> str:
    """Show what a session, or all of a workflow, took."""
    return f"{name:44}{cold:8.1f} s{warm:8.1f} s{warm / cold:8.2f}"


def main(arguments: Sequence[str]) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser("python -m benchmarks.download_caches", description=__doc__)
    parser.add_argument("session", nargs="*")
    found = list(sessions(parser.parse_args(arguments).session))
    sums: dict[str, tuple[float, float]] = {}
    print(f"{'':44}{'cold':>10}{'warm':>10}{'ratio':>8}")
    for file, session in found:
        with TemporaryDirectory() as home:
            cold, warm = seconds(session, Path(home)), seconds(session, Path(home))
        before = sums.get(file, (0.0, 0.0))
        sums[file] = (before[0] + cold, before[1] + warm)
        print(row(session, cold, warm), flush=True)
    for file, both in sums.items():
        print(row(file, *both))


if __name__ == "__main__":
    main(sys.argv[1:])
