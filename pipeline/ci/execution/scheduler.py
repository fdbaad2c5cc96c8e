"""Run sessions in parallel, the longest first.

Exclusive jobs run alone, jobs of the same mutex group one after the other, and a job starts after
the jobs that it needs.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from pipeline.ci import estimate
from pipeline.ci.cache.fingerprint import InputSnapshot
from pipeline.ci.cache.store import FAILED, ResultStore, slugify
from pipeline.ci.execution import environment_lock
from pipeline.ci.execution.session_process import SessionProcess
from pipeline.ci.lookup import with_cached_result
from pipeline.ci.plan import snapshot_inputs
from pipeline.ci.report.live import LiveDisplay
from pipeline.ci.result import CACHED, NOT_STARTED, SessionResult
from pipeline.process import terminate_groups
from pipeline.settings import Settings

_POLL_INTERVAL = 0.02  # seconds between two polls of the child processes
TERMINATE_TIMEOUT = 10.0  # seconds between SIGTERM and SIGKILL


@dataclass
class _LazySnapshot:
    """A snapshot of the inputs, taken on first use and shared by one iteration of the scheduler.

    A session that ended is checked against the snapshot for changed inputs, and the sessions that
    start next use the same snapshot: the files are hashed once for both.
    """

    settings: Settings

    @cached_property
    def inputs(self) -> InputSnapshot:
        return snapshot_inputs(self.settings)


@dataclass
class Scheduler:
    """Starts the waiting sessions as soon as a worker is free and their constraints allow it."""

    waiting: list[SessionResult]
    settings: Settings
    store: ResultStore
    screen: LiveDisplay
    jobs: int
    fail_fast: bool = False
    no_cache: bool = False
    started_at: float = field(default_factory=time.monotonic)
    running: list[SessionProcess] = field(default_factory=list)
    done: list[SessionResult] = field(default_factory=list)
    interrupted: bool = False

    def __post_init__(self) -> None:
        self.waiting = [estimate.with_expected_seconds(planned) for planned in self.waiting]

    def run(self) -> list[SessionResult]:
        """Run the waiting sessions to the end or to an interrupt; return their results."""
        # the longest first, and unknown durations before all: a long session that starts last would
        # run alone at the end
        self.waiting.sort(key=lambda planned: -(planned.seconds or float("inf")))
        try:
            while self.waiting or self.running:
                ended, now = self._poll_running(), _LazySnapshot(self.settings)
                self._collect(ended, now)
                self._start(now)
                self.screen.refresh(self.running, self.done, len(self.waiting), self.seconds_left)
                time.sleep(_POLL_INTERVAL)
        except KeyboardInterrupt:
            self._interrupt()
        finally:
            terminate_groups([work.process for work in self.running], seconds=TERMINATE_TIMEOUT)
            self.screen.clear()
        return self.done

    def seconds_left(self) -> float:
        """Return the expected seconds to the end of the run; 0 without any estimate."""
        if not any(each.seconds for each in (*self.waiting, *(w.planned for w in self.running))):
            return 0.0
        alone = self.settings.ci.exclusive
        return estimate.remaining_for_all(
            [estimate.remaining(work.planned.seconds, work.seconds) for work in self.running],
            [each.seconds for each in self.waiting if each.entry.job not in alone],
            [each.seconds for each in self.waiting if each.entry.job in alone],
            self.jobs,
        )

    def _start(self, now: _LazySnapshot) -> None:
        for planned in [*self.waiting]:
            if len(self.running) >= self.jobs or (self.fail_fast and self._failed()):
                return
            if self._must_wait(planned):
                continue
            # per session, not per checkout: parallel runs of `invoke ci` share the work
            held = environment_lock.try_acquire(slugify(planned.entry.session))
            if held is None:
                self.screen.note_once(
                    f"{planned.entry.session} waits: another run of this session is in progress"
                )
                continue
            self.waiting.remove(planned)
            self._start_session(planned, held, now.inputs)

    def _start_session(self, planned: SessionResult, held: int, inputs: InputSnapshot) -> None:
        """Start a session, unless its result is cached by now.

        The lookup is repeated here: another run may have finished the same session since the plan,
        and the files may have changed.
        """
        known = estimate.with_expected_seconds(
            with_cached_result(planned, inputs, self.store, fresh=self.no_cache)
        )
        known = replace(known, start_offset=time.monotonic() - self.started_at)
        if known.outcome == CACHED:
            environment_lock.release(held)
            self._finish(known)
            return
        self.running.append(SessionProcess(known, inputs, held))
        self.screen.started(planned)

    def _poll_running(self) -> list[SessionProcess]:
        ended = [work for work in self.running if work.poll()]
        # background processes that a finished session left in its process group
        terminate_groups([work.process for work in ended], seconds=TERMINATE_TIMEOUT)
        return ended

    def _collect(self, ended: Sequence[SessionProcess], now: _LazySnapshot) -> None:
        for work in ended:
            result = work.evaluate(self.store, now.inputs)
            self.running.remove(work)
            self._finish(result)
        if self.fail_fast and self._failed() and not self.running:
            self._cancel_waiting()

    def _finish(self, result: SessionResult) -> None:
        self.done.append(result)
        self.screen.finished(result)

    def _interrupt(self) -> None:
        self.interrupted = True
        self.screen.note_once("interrupted: stopping the running sessions")
        try:
            terminate_groups([work.process for work in self.running], seconds=TERMINATE_TIMEOUT)
        finally:  # also after a second Ctrl-C: releases the locks, and prints a row per session
            for work in self.running:
                self._finish(work.interrupted_result())
            self.running.clear()
            self._cancel_waiting()

    def _cancel_waiting(self) -> None:
        self.done += [replace(planned, outcome=NOT_STARTED) for planned in self.waiting]
        self.waiting.clear()

    def _failed(self) -> bool:
        return any(result.outcome == FAILED for result in self.done)

    def _must_wait(self, planned: SessionResult) -> bool:
        """Whether a running session, or one that is needed first, keeps the session waiting."""
        job, running = planned.entry.job, {work.planned.entry.job for work in self.running}
        ci = self.settings.ci
        if running and not {job, *running}.isdisjoint(ci.exclusive):
            return True
        unfinished = running | {each.entry.job for each in self.waiting}
        if not unfinished.isdisjoint(ci.needs.get(job, ())):
            return True
        groups = ci.mutex.values()
        return any(job in jobs and not running.isdisjoint(jobs) for jobs in groups)
