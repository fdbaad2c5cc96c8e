"""Estimate the remaining time of a run.

A session is expected to take as long as in its last run here; before the first run, as long as its
job took in the recorded timings.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cache
from heapq import heapify, heapreplace
from pathlib import Path

from pipeline.ci.result import SessionResult

TIMINGS_FILE = Path("docs", "times.json")  # seconds by job, recorded in a full run on 2 cores
_LATE_SHARE = 0.1  # a late session is expected to take 10 % of its elapsed time longer


@cache
def recorded_seconds() -> Mapping[str, float]:
    """Return the recorded seconds of each job; empty without a readable file."""
    try:
        jobs: Mapping[str, float] = json.loads(TIMINGS_FILE.read_text())["jobs"]
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return jobs


def with_expected_seconds(result: SessionResult) -> SessionResult:
    """Return the result with the recorded seconds of its job if the session never ran here."""
    return replace(result, seconds=result.seconds or recorded_seconds().get(result.entry.job, 0.0))


def remaining(whole: float, elapsed: float) -> float:
    """Return the seconds that a running session still takes; never 0, even if it is late.

    Args:
        whole: The expected seconds of the session; 0 if unknown.
        elapsed: The seconds since its start.
    """
    return max(whole - elapsed, _LATE_SHARE * elapsed)


def remaining_for_all(
    running: Iterable[float], waiting: Iterable[float], alone: Iterable[float], jobs: int
) -> float:
    """Return the remaining seconds of a run, by simulating its workers.

    Each waiting session goes to the worker that is free first, as the scheduler does.

    Args:
        running: The remaining seconds of the running sessions.
        waiting: The seconds of the waiting sessions, in the order in which they start.
        alone: The seconds of the waiting exclusive sessions, which run one by one at the end.
        jobs: How many sessions run at the same time.
    """
    workers = [*running]
    workers += [0.0] * (jobs - len(workers))
    heapify(workers)
    for seconds in waiting:
        heapreplace(workers, workers[0] + seconds)
    return max(workers) + sum(alone)
