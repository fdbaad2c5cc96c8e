"""What CI would run, here: only what the change needs, side by side, and nothing twice."""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.ci.cache.store import ResultStore
from pipeline.ci.lookup import initial_result, with_cached_result
from pipeline.ci.plan import Plan
from pipeline.ci.report import json_report
from pipeline.ci.report.json_report import RunReport
from pipeline.ci.report.live import LiveDisplay
from pipeline.ci.report.summary import print_summary
from pipeline.ci.result import CACHED, FAILING, HTML_FILE, PENDING, SessionResult
from pipeline.ci.terminal import detect_terminal, format_duration
from pipeline.errors import INTERRUPTED, BudgetExceededError

if TYPE_CHECKING:
    from pipeline.inconclusive import Inconclusive


@dataclass(frozen=True)
class RunOptions:
    """How to run."""

    jobs: int
    no_cache: bool = False
    fail_fast: bool = False
    enforce_budgets: bool = False


@dataclass(frozen=True)
class RunOutcome:
    """What was run, and whether somebody cut it short."""

    done: Sequence[SessionResult] = ()
    interrupted: bool = False


def run_plan(selection: Plan, manner: RunOptions, store: ResultStore) -> int:
    """Run what the plan selects and what is not known to be green; return the exit code.

    Args:
        selection: The plan.
        manner: How to run it.
        store: What is remembered.

    Raises:
        OverBudgetError: Where the manner is strict: a session took longer than it may.
    """
    screen = LiveDisplay(detect_terminal())
    known = _initial_results(selection, store, fresh=manner.no_cache)
    for result in known:
        if result.outcome == CACHED:
            screen.finished(result)
    waits = any(result.outcome == PENDING for result in known)
    work = _work(known, selection, manner, store, screen) if waits else RunOutcome()
    done = {result.entry: result for result in work.done}
    results = [done.get(result.entry, result) for result in known]
    code, wall = (
        _exit_code(results, interrupted=work.interrupted),
        time.monotonic() - selection.started_at,
    )
    unjudged = _group_inconclusive(results)
    json_report.write_reports(RunReport(results, wall, code, unjudged))
    print_summary(results, wall, screen.terminal, unjudged)
    _check_budgets(results, strict=manner.enforce_budgets and not code)
    return code


def _work(
    known: Sequence[SessionResult],
    selection: Plan,
    manner: RunOptions,
    store: ResultStore,
    screen: LiveDisplay,
) -> RunOutcome:
    from pipeline.ci.execution.scheduler import Scheduler

    schedule = Scheduler(
        [result for result in known if result.outcome == PENDING],
        selection.inputs.settings,
        store,
        screen,
        manner.jobs,
        fail_fast=manner.fail_fast,
        no_cache=manner.no_cache,
        started_at=selection.started_at,
    )
    screen.announce(Counter(result.outcome for result in known), schedule.seconds_left())
    return RunOutcome(schedule.run(), schedule.interrupted)


def _group_inconclusive(results: Sequence[SessionResult]) -> "Inconclusive | None":
    found = [(result.entry.session, error) for result in results for error in result.inconclusive]
    if not found:
        return None
    from pipeline.inconclusive import Inconclusive

    return Inconclusive.of("session", found)


def _initial_results(selection: Plan, store: ResultStore, *, fresh: bool) -> list[SessionResult]:
    settings = selection.inputs.settings
    rows = [initial_result(row, settings.budgets) for row in selection.rows]
    return [
        with_cached_result(row, selection.inputs, store, fresh=fresh)
        if row.outcome == PENDING
        else row
        for row in rows
    ]


def _exit_code(results: Sequence[SessionResult], *, interrupted: bool) -> int:
    if interrupted:
        return INTERRUPTED
    return 1 if any(result.outcome in FAILING for result in results) else 0


def _check_budgets(results: Sequence[SessionResult], *, strict: bool) -> None:
    over = [
        f"{each.entry.session} by {format_duration(each.over_budget)}"
        for each in results
        if each.over_budget
    ]
    if over and strict:
        raise BudgetExceededError(f"over budget: {', '.join(over)}", hint=f"see {HTML_FILE}")
