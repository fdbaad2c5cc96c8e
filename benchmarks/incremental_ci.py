"""What one line costs: seconds to green after it, and their share of a run of everything.

python -m benchmarks.incremental_ci [--only JOB ...]

In a copy of this repository, on a branch. The environments of all sessions are made; then
everything runs, which is the whole; then each line is changed, by itself, and `invoke ci` runs what
that needs. Unless jobs are named, it skips those of images: what they check is
in an engine, so that none of their results is cached. The tools' own caches (of mypy, ruff and
others) are empty in the whole, as they are in CI, and filled where a line changed.

What it found is left in reports/changes.json; `nox -s docs` makes the tables of CI_CD.md of the
copy that is kept in docs/times.json.
"""

import argparse
import contextlib
import json
import os
import sys
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pipeline.ci.cache.store import FAILED, ResultStore
from pipeline.ci.plan import create_plan
from pipeline.ci.result import CACHED, EXECUTED, INCONCLUSIVE, SKIPPED
from pipeline.deploy.signals import raise_on_signal
from pipeline.fault_injection.edit import Edit
from pipeline.fault_injection.repository_copy import RepositoryCopy, copy_repository
from pipeline.github import loader
from pipeline.process import run
from tests.support import run_selected

IMAGES = "container-build"
COMPONENT = "frontend/src/features/projects/components/project-item.tsx"
CHANGES = {
    "a backend view": Edit(file="backend/apps/projects/api.py", match=r"\A", replace="# a line\n"),
    "a frontend component": Edit(file=COMPONENT, match=r"\A", replace="// a line\n"),
    "the docs": Edit(file="README.md", append="\nOne more line.\n"),
}
EVERYTHING = "everything"
REPORT_FILE = Path("reports", "changes.json")
Report = Mapping[str, Any]


def reports(
    made: RepositoryCopy, jobs: Collection[str], store: ResultStore
) -> Mapping[str, Report]:
    """Return what came of the whole, and of each change.

    Args:
        made: The copy, in which this process is.
        jobs: The ids of those that may run.
        store: An empty one.
    """
    install(jobs)
    found = {
        EVERYTHING: require_green(run_selected.run_selected_jobs(jobs, store, everything=True))
    }
    for name, change in CHANGES.items():
        with made.with_edits([change]):
            found[name] = require_green(run_selected.run_selected_jobs(jobs, store))
    return found


def install(jobs: Collection[str]) -> None:
    """Make the environments of some jobs' sessions.

    Raises:
        SystemExit: One cannot be made.
    """
    rows = [row for row in create_plan(everything=True).rows if row.entry.job in jobs]
    sessions = [row.entry.session for row in rows]
    at_once = f"-j{os.cpu_count()}", "--allow-parallel"
    if code := run(["nox", "--install-only", *at_once, "--session", *sessions]):
        sys.exit(code)


def require_green(report: Report) -> Report:
    """Return a report that is green.

    Raises:
        SystemExit: It is red: last log lines of what failed.
    """
    for each in report["sessions"]:
        if each["outcome"] == FAILED:
            sys.exit("\n".join([f"{each['session']} is red:", *each["tail"]]))
    return report


def row(name: str, report: Report, whole: Report) -> str:
    """Show what a run took, and what became of its sessions."""
    counts = Counter(each["outcome"] for each in report["sessions"])
    ran, share = sum(counts[outcome] for outcome in EXECUTED), report["wall"] / whole["wall"]
    sessions = f"{ran:6}{counts[CACHED]:6}{counts[SKIPPED]:10}{counts[INCONCLUSIVE]:12}"
    return f"{name:24}{report['wall']:8.1f} s{share:8.0%}{sessions}"


def content(found: Mapping[str, Report]) -> dict[str, Any]:
    """Return what is kept: of each run its seconds, of each job those of its longest session.

    Args:
        found: The reports, by what had changed.
    """
    longest: dict[str, float] = {}
    for each in found[EVERYTHING]["sessions"]:
        if each["outcome"] != SKIPPED:
            longest[each["job"]] = max(each["seconds"], longest.get(each["job"], 0))
    changes = {name: round(report["wall"], 1) for name, report in found.items()}
    return {"changes": changes, "jobs": {job: round(longest[job], 1) for job in sorted(longest)}}


def main(arguments: Sequence[str]) -> None:
    """Run the command line."""
    calls = loader.jobs_by_call()
    parser = argparse.ArgumentParser("python -m benchmarks.incremental_ci", description=__doc__)
    images = [job.id for job in calls[IMAGES]]
    usual = [job.id for some in calls.values() for job in some if job.id not in images]
    parser.add_argument("--only", nargs="+", default=usual, metavar="JOB")
    jobs = parser.parse_args(arguments).only
    with raise_on_signal(), TemporaryDirectory() as folder:
        made = copy_repository(Path.cwd(), Path(folder, "copy"))
        made.branch("work")
        with contextlib.chdir(made.root):
            found = reports(made, jobs, ResultStore(Path(folder, "cache")))
    print(f"{'':24}{'':10}{'share':>8}{'ran':>6}{'hits':>6}{'skipped':>10}{INCONCLUSIVE:>12}")
    for name, report in found.items():
        print(row(name, report, found[EVERYTHING]))
    print(f"the jobs {', '.join(jobs)}")
    REPORT_FILE.parent.mkdir(exist_ok=True)
    REPORT_FILE.write_text(json.dumps(content(found), indent=2) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
