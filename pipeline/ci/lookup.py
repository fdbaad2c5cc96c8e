"""Look up the cached result of a session and the duration of its last run."""

from collections.abc import Mapping
from dataclasses import replace

from pipeline.ci.cache.fingerprint import InputSnapshot, sha256_json
from pipeline.ci.cache.store import ResultStore
from pipeline.ci.plan import PlannedSession
from pipeline.ci.result import CACHED, PENDING, SKIPPED, SessionResult
from pipeline.ci.terminal import seconds_since


def initial_result(row: PlannedSession, budgets: Mapping[str, float]) -> SessionResult:
    """Return the result of a planned session before the cache lookup.

    Args:
        row: The row of the plan.
        budgets: Minutes by job id.
    """
    minutes = budgets.get(row.entry.job)
    budget = None if minutes is None else 60.0 * minutes
    return SessionResult(row.entry, PENDING if row.selected else SKIPPED, row.reason, budget=budget)


def with_cached_result(
    result: SessionResult, inputs: InputSnapshot, store: ResultStore, *, fresh: bool
) -> SessionResult:
    """Return a result with its cache key and history; its outcome is `cached` after a hit.

    Args:
        result: The planned session.
        inputs: The inputs of the run.
        store: The store of results.
        fresh: Whether to ignore a cached result, as with `--no-cache`.
    """
    key = sha256_json(inputs.key_parts(result.entry))
    history = store.read(result.entry.session)
    found = replace(result, key=key, history=history.runs, seconds=history.expected_duration())
    green = history.greens.get(key)
    if fresh or green is None:
        return found
    return replace(found, outcome=CACHED, seconds=green.seconds, age=seconds_since(green.finished))
