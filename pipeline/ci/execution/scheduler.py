"""Run sessions side by side, the longest first; what shares an output takes turns."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from pipeline.ci import estimate
from pipeline.ci.cache.fingerprint import Inputs
from pipeline.ci.cache.store import FAILED, Store, slug
from pipeline.ci.execution import environment_lock
from pipeline.ci.execution.session_process import Work
from pipeline.ci.lookup import recalled
from pipeline.ci.plan import observed
from pipeline.ci.report.live import Screen
from pipeline.ci.result import CACHED, NOT_RUN, Result
from pipeline.process import end
from pipeline.settings import Settings

BEAT = 0.02  # seconds between two looks at the children
PATIENCE = 10.0  # seconds that a session may take to leave in order


@dataclass
class Moment:
    """One look at what there is: what ended before is judged by it, what follows begins on it."""

    settings: Settings

    @cached_property
    def inputs(self) -> Inputs:
        """What the sessions would read; nothing is looked at before it is asked for."""
        return observed(self.settings)


@dataclass
class Schedule:
    """The sessions that wait, those that run, and those that are done."""

    waiting: list[Result]
    settings: Settings
    store: Store
    screen: Screen
    jobs: int
    fail_fast: bool = False
    fresh: bool = False
    began: float = field(default_factory=time.monotonic)
    running: list[Work] = field(default_factory=list)
    done: list[Result] = field(default_factory=list)
    interrupted: bool = False

    def __post_init__(self) -> None:
        self.waiting = [estimate.expected(planned) for planned in self.waiting]

    def run(self) -> list[Result]:
        """Run all of them, or until somebody interrupts."""
        self.waiting.sort(key=lambda planned: -(planned.seconds or float("inf")))
        try:
            while self.waiting or self.running:
                ended, now = self._ended(), Moment(self.settings)
                self._collect(ended, now)
                self._start(now)
                self.screen.show(self.running, self.done, len(self.waiting), self.left)
                time.sleep(BEAT)
        except KeyboardInterrupt:
            self._interrupt()
        finally:
            end([work.process for work in self.running], seconds=PATIENCE)
            self.screen.clear()
        return self.done

    def left(self) -> float:
        """Return how many seconds the rest is expected to take; 0 if nothing is known of it."""
        if not any(each.seconds for each in (*self.waiting, *(w.planned for w in self.running))):
            return 0.0
        alone = self.settings.ci.alone
        return estimate.left(
            [estimate.remaining(work.planned.seconds, work.seconds) for work in self.running],
            [each.seconds for each in self.waiting if each.entry.job not in alone],
            [each.seconds for each in self.waiting if each.entry.job in alone],
            self.jobs,
        )

    def _start(self, now: Moment) -> None:
        for planned in [*self.waiting]:
            if len(self.running) >= self.jobs or (self.fail_fast and self._failed()):
                return
            if self._must_wait(planned):
                continue
            held = environment_lock.take(slug(planned.entry.session))
            if held is None:
                self.screen.say(f"{planned.entry.session} waits: another run of it is under way")
                continue
            self.waiting.remove(planned)
            self._begin(planned, held, now.inputs)

    def _begin(self, planned: Result, held: int, inputs: Inputs) -> None:
        """Start it on the files as they are now, unless they are known to be green by now."""
        known = estimate.expected(recalled(planned, inputs, self.store, fresh=self.fresh))
        known = replace(known, begin=time.monotonic() - self.began)
        if known.outcome == CACHED:
            environment_lock.free(held)
            self._finish(known)
            return
        self.running.append(Work(known, inputs, held))
        self.screen.started(planned)

    def _ended(self) -> list[Work]:
        ended = [work for work in self.running if work.has_ended()]
        end([work.process for work in ended], seconds=PATIENCE)  # what they may have left behind
        return ended

    def _collect(self, ended: Sequence[Work], now: Moment) -> None:
        for work in ended:
            result = work.judged(self.store, now.inputs)
            self.running.remove(work)
            self._finish(result)
        if self.fail_fast and self._failed() and not self.running:
            self._drop()

    def _finish(self, result: Result) -> None:
        self.done.append(result)
        self.screen.finished(result)

    def _interrupt(self) -> None:
        self.interrupted = True
        self.screen.say("interrupted: ending what runs")
        try:
            end([work.process for work in self.running], seconds=PATIENCE)
        finally:
            for work in self.running:
                self._finish(work.interrupted())
            self.running.clear()
            self._drop()

    def _drop(self) -> None:
        self.done += [replace(planned, outcome=NOT_RUN) for planned in self.waiting]
        self.waiting.clear()

    def _failed(self) -> bool:
        return any(result.outcome == FAILED for result in self.done)

    def _must_wait(self, planned: Result) -> bool:
        """Whether one ends first that is alone, shares its place, or makes what it takes."""
        job, running = planned.entry.job, {work.planned.entry.job for work in self.running}
        ci = self.settings.ci
        if running and not {job, *running}.isdisjoint(ci.alone):
            return True
        ahead = running | {each.entry.job for each in self.waiting}
        if not ahead.isdisjoint(ci.after.get(job, ())):
            return True
        groups = ci.one_at_a_time.values()
        return any(job in jobs and not running.isdisjoint(jobs) for jobs in groups)
