"""Whether a session's result is known already, and how long it should take if not."""

from collections.abc import Mapping
from dataclasses import replace

from pipeline.ci.cache.fingerprint import InputSnapshot, sha256_json
from pipeline.ci.cache.store import ResultStore
from pipeline.ci.plan import PlannedSession
from pipeline.ci.result import CACHED, PENDING, SKIPPED, SessionResult
from pipeline.ci.terminal import seconds_since


def initial_result(row: PlannedSession, budgets: Mapping[str, float]) -> SessionResult:
    """Return the result of a session before anything is known of it.

    Args:
        row: What the plan says of it.
        budgets: Minutes, by the ids of jobs.
    """
    minutes = budgets.get(row.entry.job)
    budget = None if minutes is None else 60.0 * minutes
    return SessionResult(row.entry, PENDING if row.selected else SKIPPED, row.reason, budget=budget)


def with_cached_result(
    result: SessionResult, inputs: InputSnapshot, store: ResultStore, *, fresh: bool
) -> SessionResult:
    """Return a session's result with what is remembered of it: it is cached, if that is green.

    Args:
        result: As it was planned.
        inputs: What it would run on.
        store: What is remembered.
        fresh: Whether to run it all the same.
    """
    key = sha256_json(inputs.key_parts(result.entry))
    memory = store.read(result.entry.session)
    found = replace(result, key=key, history=memory.runs, seconds=memory.expected_duration())
    green = memory.greens.get(key)
    if fresh or green is None:
        return found
    return replace(found, outcome=CACHED, seconds=green.seconds, age=seconds_since(green.finished))
