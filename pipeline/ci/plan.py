"""Select the jobs to run: those that read an area which the change touches.

python -m pipeline.ci.plan   prints them as JSON; in CI they become the output `jobs`
"""

import json
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from pipeline import config
from pipeline.ci import sessions
from pipeline.ci.areas import Areas
from pipeline.ci.cache import worktree
from pipeline.ci.cache.fingerprint import WORKFLOWS, Inputs, areas_of, digest
from pipeline.ci.changes import Change, change
from pipeline.ci.sessions import Entry
from pipeline.errors import reported
from pipeline.escaping import printable, table
from pipeline.github import actions
from pipeline.settings import COMMON, Settings

HEAD = "session", "runs", "because"
Touched = Mapping[str, Sequence[str]]
"""The touched files of each area."""


@dataclass(frozen=True)
class Row:
    """A session, whether it is to run, and why or why not."""

    entry: Entry
    runs: bool
    why: str


@dataclass(frozen=True)
class Plan:
    """Every session with its reason, and what the reasons were drawn from."""

    rows: Sequence[Row]
    inputs: Inputs
    change: Change
    began: float

    @property
    def jobs(self) -> list[str]:
        """The ids of the jobs to run."""
        return [*dict.fromkeys(row.entry.job for row in self.rows if row.runs)]


def plan(*, everything: bool = False) -> Plan:
    """Return what this checkout is to run.

    Args:
        everything: Whether to run all that a push to main runs, whatever was touched.

    Raises:
        InputError: This is no git checkout, the sessions cannot be listed, or pipeline.toml names
            a job that there is not.
    """
    began, settings = time.monotonic(), config.load()
    areas, files = Areas(settings.areas), worktree.listed()
    inputs = observed(settings, files)
    touched = Change(unknown="--all") if everything else change(settings.ci.main, files)
    whole = everything or actions.is_push_to(settings.ci.main)
    left = {} if whole else settings.ci.left_to_main
    entries = sessions.entries(_written_in(inputs))
    config.refuse(settings.ci.unknown_jobs({entry.job for entry in entries}))
    return Plan(selected(entries, touched, areas, left), inputs, touched, began)


def observed(settings: Settings, files: worktree.Listed | None = None) -> Inputs:
    """Return what the sessions would read now.

    Args:
        settings: pipeline.toml.
        files: What is in the checkout, if it is known already.
    """
    files = files or worktree.listed()
    stamps = worktree.stamps(files.paths, settings.ci.ignored)
    return Inputs(stamps, Areas(settings.areas), settings)


def selected(
    entries: Iterable[Entry], change: Change, areas: Areas, left: Mapping[str, Collection[str]]
) -> list[Row]:
    """Say of each session whether the change needs it.

    Args:
        entries: The sessions.
        change: What was touched.
        areas: What the files belong to.
        left: Jobs that are for a push to main, and what has to be touched for them to run before.
    """
    touched: dict[str, list[str]] = {}
    for path in change.paths:
        for area in areas.of(path) or (COMMON,):
            touched.setdefault(area, []).append(path)
    return [_row(entry, change, touched, left.get(entry.job)) for entry in entries]


def markdown(plan: Plan) -> str:
    """Return a plan as a table of Markdown.

    Args:
        plan: What is to run.
    """
    rows = [(f"`{row.entry.session}`", "yes" if row.runs else "no", row.why) for row in plan.rows]
    return f"{table(HEAD, rows)}\n"


def _row(entry: Entry, change: Change, touched: Touched, only: Collection[str] | None) -> Row:
    if only is not None and not only:
        return Row(entry, runs=False, why="only a push to main runs it")
    areas = areas_of(entry) if only is None else (COMMON, *only)
    unasked = "" if entry.areas else "it has no area"
    if reason := change.unknown or unasked or _first_of(areas, touched):
        return Row(entry, runs=True, why=reason)
    unneeded = f"nothing of {', '.join(areas)} was touched since {change.base}"
    return Row(entry, runs=False, why=unneeded if only is None else f"{unneeded}: main runs it")


def _first_of(areas: Iterable[str], touched: Touched) -> str:
    for area in areas:
        if first := touched.get(area):
            more = f" and {len(first) - 1} more" if len(first) > 1 else ""
            return f"{area}: {printable(first[0])}{more}"
    return ""


def _written_in(inputs: Inputs) -> str:
    return digest([inputs.digests[COMMON], inputs.digests[WORKFLOWS]])


def main() -> None:
    """Print the selection, and hand it to the jobs that come after."""
    selection = plan()
    jobs = json.dumps(selection.jobs)
    actions.set_output("jobs", jobs)
    actions.add_summary(markdown(selection))
    print(jobs)


if __name__ == "__main__":
    with reported():
        main()
