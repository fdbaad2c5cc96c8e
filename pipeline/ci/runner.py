"""What CI would run, here: only what the change needs, side by side, and nothing twice."""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.ci.cache.store import Store
from pipeline.ci.lookup import planned, recalled
from pipeline.ci.plan import Plan
from pipeline.ci.report import json_report
from pipeline.ci.report.json_report import Told
from pipeline.ci.report.live import Screen
from pipeline.ci.report.summary import summary
from pipeline.ci.result import BAD, CACHED, HTML, WAITING, Result
from pipeline.ci.terminal import ago, terminal
from pipeline.errors import INTERRUPTED, OverBudgetError

if TYPE_CHECKING:
    from pipeline.inconclusive import NotJudged


@dataclass(frozen=True)
class Manner:
    """How to run."""

    jobs: int
    fresh: bool = False
    fail_fast: bool = False
    strict: bool = False


@dataclass(frozen=True)
class Work:
    """What was run, and whether somebody cut it short."""

    done: Sequence[Result] = ()
    interrupted: bool = False


def run(selection: Plan, manner: Manner, store: Store) -> int:
    """Run what the plan selects and what is not known to be green; return the exit code.

    Args:
        selection: The plan.
        manner: How to run it.
        store: What is remembered.

    Raises:
        OverBudgetError: Where the manner is strict: a session took longer than it may.
    """
    screen = Screen(terminal())
    known = _known(selection, store, fresh=manner.fresh)
    for result in known:
        if result.outcome == CACHED:
            screen.finished(result)
    waits = any(result.outcome == WAITING for result in known)
    work = _work(known, selection, manner, store, screen) if waits else Work()
    done = {result.entry: result for result in work.done}
    results = [done.get(result.entry, result) for result in known]
    code, wall = _code(results, interrupted=work.interrupted), time.monotonic() - selection.began
    unjudged = _unjudged(results)
    json_report.write(Told(results, wall, code, unjudged))
    summary(results, wall, screen.terminal, unjudged)
    _judge_budgets(results, strict=manner.strict and not code)
    return code


def _work(
    known: Sequence[Result], selection: Plan, manner: Manner, store: Store, screen: Screen
) -> Work:
    from pipeline.ci.execution.scheduler import Schedule

    schedule = Schedule(
        [result for result in known if result.outcome == WAITING],
        selection.inputs.settings,
        store,
        screen,
        manner.jobs,
        fail_fast=manner.fail_fast,
        fresh=manner.fresh,
        began=selection.began,
    )
    screen.announce(Counter(result.outcome for result in known), schedule.left())
    return Work(schedule.run(), schedule.interrupted)


def _unjudged(results: Sequence[Result]) -> "NotJudged | None":
    found = [(result.entry.session, error) for result in results for error in result.unjudged]
    if not found:
        return None
    from pipeline.inconclusive import NotJudged

    return NotJudged.of("session", found)


def _known(selection: Plan, store: Store, *, fresh: bool) -> list[Result]:
    settings = selection.inputs.settings
    rows = [planned(row, settings.budgets) for row in selection.rows]
    return [
        recalled(row, selection.inputs, store, fresh=fresh) if row.outcome == WAITING else row
        for row in rows
    ]


def _code(results: Sequence[Result], *, interrupted: bool) -> int:
    if interrupted:
        return INTERRUPTED
    return 1 if any(result.outcome in BAD for result in results) else 0


def _judge_budgets(results: Sequence[Result], *, strict: bool) -> None:
    over = [f"{each.entry.session} by {ago(each.over)}" for each in results if each.over]
    if over and strict:
        raise OverBudgetError(f"over budget: {', '.join(over)}", hint=f"see {HTML}")
