"""How long a run still takes: by each session's last time here, or by the time that is kept."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cache
from heapq import heapify, heapreplace
from pathlib import Path

from pipeline.ci.result import SessionResult

TIMINGS_FILE = Path("docs", "times.json")  # of a whole run on two processors
LATE_SHARE = 0.1  # of its time so far: so much more is expected of a session that takes too long


@cache
def recorded_seconds() -> Mapping[str, float]:
    """Return the seconds that are kept of each job; nothing, where there is no such file."""
    try:
        jobs: Mapping[str, float] = json.loads(TIMINGS_FILE.read_text())["jobs"]
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return jobs


def with_expected_seconds(result: SessionResult) -> SessionResult:
    """Return a result with the seconds that are kept of its job, if it has none of its own.

    Args:
        result: Of a session; 0 seconds, if it never ran here.
    """
    return replace(result, seconds=result.seconds or recorded_seconds().get(result.entry.job, 0.0))


def remaining(whole: float, elapsed: float) -> float:
    """Return how many seconds a session that runs still takes; more than none, if it is late.

    Args:
        whole: How many it takes in all; 0 if that is unknown.
        elapsed: How many it has been running.
    """
    return max(whole - elapsed, LATE_SHARE * elapsed)


def remaining_for_all(
    running: Iterable[float], waiting: Iterable[float], alone: Iterable[float], jobs: int
) -> float:
    """Return how many seconds are left: each session takes the first place that is free.

    Args:
        running: The remaining seconds of those that run.
        waiting: The seconds of those that wait, in the order in which they start.
        alone: The seconds of those that wait until nothing else runs.
        jobs: How many run at once.
    """
    places = [*running]
    places += [0.0] * (jobs - len(places))
    heapify(places)
    for seconds in waiting:
        heapreplace(places, places[0] + seconds)
    return max(places) + sum(alone)
