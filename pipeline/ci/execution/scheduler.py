"""Run sessions side by side, the longest first; what shares an output takes turns."""

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

POLL_INTERVAL = 0.02  # seconds between two looks at the children
TERMINATE_TIMEOUT = 10.0  # seconds that a session may take to leave in order


@dataclass
class LazySnapshot:
    """One look at what there is: what ended before is judged by it, what follows begins on it."""

    settings: Settings

    @cached_property
    def inputs(self) -> InputSnapshot:
        """What the sessions would read; nothing is looked at before it is asked for."""
        return snapshot_inputs(self.settings)


@dataclass
class Scheduler:
    """The sessions that wait, those that run, and those that are done."""

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
        """Run all of them, or until somebody interrupts."""
        self.waiting.sort(key=lambda planned: -(planned.seconds or float("inf")))
        try:
            while self.waiting or self.running:
                ended, now = self._ended(), LazySnapshot(self.settings)
                self._collect(ended, now)
                self._start(now)
                self.screen.refresh(self.running, self.done, len(self.waiting), self.seconds_left)
                time.sleep(POLL_INTERVAL)
        except KeyboardInterrupt:
            self._interrupt()
        finally:
            terminate_groups([work.process for work in self.running], seconds=TERMINATE_TIMEOUT)
            self.screen.clear()
        return self.done

    def seconds_left(self) -> float:
        """Return how many seconds the rest is expected to take; 0 if nothing is known of it."""
        if not any(each.seconds for each in (*self.waiting, *(w.planned for w in self.running))):
            return 0.0
        alone = self.settings.ci.exclusive
        return estimate.remaining_for_all(
            [estimate.remaining(work.planned.seconds, work.seconds) for work in self.running],
            [each.seconds for each in self.waiting if each.entry.job not in alone],
            [each.seconds for each in self.waiting if each.entry.job in alone],
            self.jobs,
        )

    def _start(self, now: LazySnapshot) -> None:
        for planned in [*self.waiting]:
            if len(self.running) >= self.jobs or (self.fail_fast and self._failed()):
                return
            if self._must_wait(planned):
                continue
            held = environment_lock.try_acquire(slugify(planned.entry.session))
            if held is None:
                self.screen.note_once(
                    f"{planned.entry.session} waits: another run of it is under way"
                )
                continue
            self.waiting.remove(planned)
            self._begin(planned, held, now.inputs)

    def _begin(self, planned: SessionResult, held: int, inputs: InputSnapshot) -> None:
        """Start it on the files as they are now, unless they are known to be green by now."""
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

    def _ended(self) -> list[SessionProcess]:
        ended = [work for work in self.running if work.poll()]
        # what they may have left behind
        terminate_groups([work.process for work in ended], seconds=TERMINATE_TIMEOUT)
        return ended

    def _collect(self, ended: Sequence[SessionProcess], now: LazySnapshot) -> None:
        for work in ended:
            result = work.evaluate(self.store, now.inputs)
            self.running.remove(work)
            self._finish(result)
        if self.fail_fast and self._failed() and not self.running:
            self._drop()

    def _finish(self, result: SessionResult) -> None:
        self.done.append(result)
        self.screen.finished(result)

    def _interrupt(self) -> None:
        self.interrupted = True
        self.screen.note_once("interrupted: ending what runs")
        try:
            terminate_groups([work.process for work in self.running], seconds=TERMINATE_TIMEOUT)
        finally:
            for work in self.running:
                self._finish(work.interrupted_result())
            self.running.clear()
            self._drop()

    def _drop(self) -> None:
        self.done += [replace(planned, outcome=NOT_STARTED) for planned in self.waiting]
        self.waiting.clear()

    def _failed(self) -> bool:
        return any(result.outcome == FAILED for result in self.done)

    def _must_wait(self, planned: SessionResult) -> bool:
        """Whether one ends first that is alone, shares its place, or makes what it takes."""
        job, running = planned.entry.job, {work.planned.entry.job for work in self.running}
        ci = self.settings.ci
        if running and not {job, *running}.isdisjoint(ci.exclusive):
            return True
        ahead = running | {each.entry.job for each in self.waiting}
        if not ahead.isdisjoint(ci.needs.get(job, ())):
            return True
        groups = ci.mutex.values()
        return any(job in jobs and not running.isdisjoint(jobs) for jobs in groups)
