"""Whether a session's result is known already, and how long it should take if not."""

from collections.abc import Mapping
from dataclasses import replace

from pipeline.ci.cache.fingerprint import Inputs, digest
from pipeline.ci.cache.store import Store
from pipeline.ci.plan import Row
from pipeline.ci.result import CACHED, LEFT_OUT, WAITING, Result
from pipeline.ci.terminal import since


def planned(row: Row, budgets: Mapping[str, float]) -> Result:
    """Return the result of a session before anything is known of it.

    Args:
        row: What the plan says of it.
        budgets: Minutes, by the ids of jobs.
    """
    minutes = budgets.get(row.entry.job)
    budget = None if minutes is None else 60.0 * minutes
    return Result(row.entry, WAITING if row.runs else LEFT_OUT, row.why, budget=budget)


def recalled(result: Result, inputs: Inputs, store: Store, *, fresh: bool) -> Result:
    """Return a session's result with what is remembered of it: it is cached, if that is green.

    Args:
        result: As it was planned.
        inputs: What it would run on.
        store: What is remembered.
        fresh: Whether to run it all the same.
    """
    key = digest(inputs.manifest(result.entry))
    memory = store.read(result.entry.session)
    found = replace(result, key=key, trend=memory.runs, seconds=memory.expected())
    green = memory.greens.get(key)
    if fresh or green is None:
        return found
    return replace(found, outcome=CACHED, seconds=green.seconds, age=since(green.finished))
