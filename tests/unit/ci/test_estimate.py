"""The estimated remaining time, before the first run of a session and after its expected end."""

import io
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pipeline.ci import estimate
from pipeline.ci.cache.store import ResultStore
from pipeline.ci.execution.scheduler import Scheduler
from pipeline.ci.report.live import LiveDisplay
from pipeline.ci.result import PENDING, SessionResult
from pipeline.ci.sessions import CISession
from pipeline.ci.terminal import Terminal, format_estimate
from tests import settings


def waiting(job: str, seconds: float = 0.0) -> SessionResult:
    return SessionResult(CISession(job, job, "checks", (), None), PENDING, "", seconds=seconds)


@pytest.fixture(autouse=True)
def clear_timings() -> Iterator[None]:
    """Clear the cached timings before and after each test."""
    estimate.recorded_seconds.cache_clear()
    yield
    estimate.recorded_seconds.cache_clear()


def test_first_run_uses_recorded_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(estimate, "TIMINGS_FILE", tmp_path / "times.json")
    estimate.TIMINGS_FILE.write_text('{"jobs": {"lint": 7.0}}')
    assert estimate.with_expected_seconds(waiting("lint")).seconds == 7
    assert estimate.with_expected_seconds(waiting("lint", seconds=3.0)).seconds == 3
    assert estimate.with_expected_seconds(waiting("other")).seconds == 0


@pytest.mark.parametrize("text", ["", "[]", "{}"])
def test_no_timings_file_gives_no_estimate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setattr(estimate, "TIMINGS_FILE", tmp_path / "times.json")
    assert estimate.with_expected_seconds(waiting("lint")).seconds == 0
    estimate.TIMINGS_FILE.write_text(text)
    estimate.recorded_seconds.cache_clear()
    assert estimate.with_expected_seconds(waiting("lint")).seconds == 0


@pytest.mark.parametrize(
    ("running", "queue", "alone", "jobs", "seconds"),
    [
        ([], [], [], 2, 0),
        ([30.0], [], [], 1, 30),
        ([], [60.0, 20.0, 10.0], [], 2, 60),
        ([50.0, 10.0], [20.0, 20.0], [], 2, 50),
        ([], [60.0, 60.0], [30.0], 2, 90),
        ([40.0, 5.0, 5.0], [10.0], [], 2, 40),
    ],
)
def test_remaining_time_of_workers(
    running: list[float], queue: list[float], alone: list[float], jobs: int, seconds: float
) -> None:
    assert estimate.remaining_for_all(running, queue, alone, jobs) == seconds


def test_late_session_estimate_is_smooth() -> None:
    clock = [tenths / 10 for tenths in range(5000)]  # the session was expected to take a minute
    left = [estimate.remaining_for_all([estimate.remaining(60.0, now)], [], [], 1) for now in clock]
    assert left[0] == 60
    assert min(left) > 5
    assert max(abs(after - before) for before, after in itertools.pairwise(left)) < 0.11
    assert left[-1] < 60


@dataclass
class FakeSession:
    """A fake running session whose elapsed seconds the test sets."""

    planned: SessionResult
    seconds: float
    log: Path = Path("log")


def test_scheduler_estimate_counts_down() -> None:
    quiet = LiveDisplay(Terminal(io.StringIO(), live=False, colour=False))
    queue = [waiting("next", 30.0), waiting("lonely", 20.0)]
    alone = settings.settings({"ci": {"exclusive": ["lonely"]}})
    schedule = Scheduler(queue, alone, ResultStore(Path("missing")), quiet, jobs=2)
    work: Any = FakeSession(waiting("first", 100.0), 0.0)
    schedule.running = [work]
    left = []
    for work.seconds in range(0, 500, 10):
        left.append(schedule.seconds_left())
    assert left[:3] == [120, 110, 100]
    assert min(left) >= 50
    assert max(left) == 120


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.1, "10 s"), (10, "10 s"), (41, "50 s"), (55, "1 min"), (89, "1 min"), (7500, "125 min")],
)
def test_estimate_is_rounded(seconds: float, text: str) -> None:
    assert format_estimate(seconds) == f"about {text}"
