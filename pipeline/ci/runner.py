"""Run a plan: look up cached results, run the other sessions in parallel, report all of them."""

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
    jobs: int
    no_cache: bool = False
    fail_fast: bool = False
    enforce_budgets: bool = False


@dataclass(frozen=True)
class _RunOutcome:
    """The results of the sessions that ran, and whether the run was interrupted."""

    done: Sequence[SessionResult] = ()
    interrupted: bool = False


def run_plan(selection: Plan, options: RunOptions, store: ResultStore) -> int:
    """Run the selected sessions without a cached result; return the exit code.

    Raises:
        BudgetExceededError: With `enforce_budgets`: a session took longer than its budget.
    """
    screen = LiveDisplay(detect_terminal())
    initial = _initial_results(selection, store, fresh=options.no_cache)
    for result in initial:
        if result.outcome == CACHED:
            screen.finished(result)
    pending = any(result.outcome == PENDING for result in initial)
    outcome = _work(initial, selection, options, store, screen) if pending else _RunOutcome()
    done = {result.entry: result for result in outcome.done}
    results = [done.get(result.entry, result) for result in initial]
    code, wall = (
        _exit_code(results, interrupted=outcome.interrupted),
        time.monotonic() - selection.started_at,
    )
    inconclusive = _group_inconclusive(results)
    json_report.write_reports(RunReport(results, wall, code, inconclusive))
    print_summary(results, wall, screen.terminal, inconclusive)
    _check_budgets(results, strict=options.enforce_budgets and not code)
    return code


def _work(
    initial: Sequence[SessionResult],
    selection: Plan,
    options: RunOptions,
    store: ResultStore,
    screen: LiveDisplay,
) -> _RunOutcome:
    # imported here: a run with only cached results does not need it
    from pipeline.ci.execution.scheduler import Scheduler

    scheduler = Scheduler(
        [result for result in initial if result.outcome == PENDING],
        selection.inputs.settings,
        store,
        screen,
        options.jobs,
        fail_fast=options.fail_fast,
        no_cache=options.no_cache,
        started_at=selection.started_at,
    )
    screen.announce(Counter(result.outcome for result in initial), scheduler.seconds_left())
    return _RunOutcome(scheduler.run(), scheduler.interrupted)


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
