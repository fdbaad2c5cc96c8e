"""Select the jobs to run: those with a session that reads an area with a changed file.

python -m pipeline.ci.plan   prints the job ids as JSON, and sets the output `jobs` in CI
"""

import json
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from pipeline import config
from pipeline.ci import sessions
from pipeline.ci.areas import Areas
from pipeline.ci.cache import worktree
from pipeline.ci.cache.fingerprint import WORKFLOWS_PREFIX, InputSnapshot, input_areas, sha256_json
from pipeline.ci.changes import ChangeSet, detect_changes
from pipeline.ci.sessions import CISession
from pipeline.errors import handle_errors
from pipeline.escaping import markdown_table, quote_name
from pipeline.github import actions
from pipeline.settings import COMMON, Settings

_TABLE_HEADER = "session", "runs", "because"
_ChangedFilesByArea = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class PlannedSession:
    """A session with the decision of the plan and its reason."""

    entry: CISession
    selected: bool
    reason: str


@dataclass(frozen=True)
class Plan:
    """The decisions for all sessions, and the inputs from which they were derived."""

    rows: Sequence[PlannedSession]
    inputs: InputSnapshot
    change: ChangeSet
    started_at: float

    @property
    def jobs(self) -> list[str]:
        """The ids of the jobs with a selected session, in the order of the workflows."""
        return [*dict.fromkeys(row.entry.job for row in self.rows if row.selected)]


def create_plan(*, everything: bool = False) -> Plan:
    """Return the plan for this checkout.

    Args:
        everything: Whether to select the sessions of a push to main, regardless of the change.

    Raises:
        InputError: The working directory is not a git checkout, the sessions cannot be listed, or
            pipeline.toml names an unknown job.
    """
    began, settings = time.monotonic(), config.load()
    areas, files = Areas(settings.areas), worktree.list_files()
    inputs = snapshot_inputs(settings, files)
    touched = (
        ChangeSet(run_all_reason="--all")
        if everything
        else detect_changes(settings.ci.main_branch, files)
    )
    whole = everything or actions.is_push_to(settings.ci.main_branch)
    left = {} if whole else settings.ci.main_only
    entries = sessions.list_sessions(_definition_digest(inputs))
    config.raise_for_faults(settings.ci.unknown_jobs({entry.job for entry in entries}))
    return Plan(select_sessions(entries, touched, areas, left), inputs, touched, began)


def snapshot_inputs(
    settings: Settings, files: worktree.WorktreeListing | None = None
) -> InputSnapshot:
    """Return a snapshot of the inputs of all sessions.

    Args:
        settings: The settings of pipeline.toml.
        files: The files of the checkout; listed by git if not passed.
    """
    files = files or worktree.list_files()
    signatures = worktree.stat_signatures(files.paths, settings.ci.extra_inputs)
    return InputSnapshot(signatures, Areas(settings.areas), settings)


def select_sessions(
    entries: Iterable[CISession],
    change: ChangeSet,
    areas: Areas,
    left: Mapping[str, Collection[str]],
) -> list[PlannedSession]:
    """Decide for each session whether the change needs it.

    Args:
        entries: The sessions.
        change: The changed files.
        areas: The areas of pipeline.toml.
        left: `ci.main_only`: the jobs that run only on a push to main, each with the areas whose
            changes select it earlier.
    """
    touched: dict[str, list[str]] = {}
    for path in change.paths:
        for area in areas.for_path(path) or (COMMON,):
            touched.setdefault(area, []).append(path)
    return [_row(entry, change, touched, left.get(entry.job)) for entry in entries]


def _to_markdown(plan: Plan) -> str:
    rows = [
        (f"`{row.entry.session}`", "yes" if row.selected else "no", row.reason) for row in plan.rows
    ]
    return f"{markdown_table(_TABLE_HEADER, rows)}\n"


def _row(
    entry: CISession, change: ChangeSet, touched: _ChangedFilesByArea, only: Collection[str] | None
) -> PlannedSession:
    if only is not None and not only:
        return PlannedSession(entry, selected=False, reason="runs only on a push to main")
    areas = input_areas(entry) if only is None else (COMMON, *only)
    # without an area nothing is known of its inputs, so the session always runs
    untagged = "" if entry.areas else "the session has no area"
    if reason := change.run_all_reason or untagged or _first_changed_file(areas, touched):
        return PlannedSession(entry, selected=True, reason=reason)
    unchanged = f"no file of {', '.join(areas)} changed since {change.base}"
    return PlannedSession(
        entry, selected=False, reason=unchanged if only is None else f"{unchanged}; runs on main"
    )


def _first_changed_file(areas: Iterable[str], touched: _ChangedFilesByArea) -> str:
    for area in areas:
        if first := touched.get(area):
            more = f" and {len(first) - 1} more" if len(first) > 1 else ""
            return f"{area}: {quote_name(first[0])}{more}"
    return ""


def _definition_digest(inputs: InputSnapshot) -> str:
    return sha256_json([inputs.area_digests[COMMON], inputs.area_digests[WORKFLOWS_PREFIX]])


def main() -> None:
    """Print the selected jobs, and set them as the output `jobs` of the CI step."""
    selection = create_plan()
    jobs = json.dumps(selection.jobs)
    actions.set_output("jobs", jobs)
    actions.add_summary(_to_markdown(selection))
    print(jobs)


if __name__ == "__main__":
    with handle_errors():
        main()
