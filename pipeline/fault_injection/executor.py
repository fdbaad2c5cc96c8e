"""All runs of a proof, side by side where they share nothing."""

import os
import sys
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import closing
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event

from pipeline.deploy.signals import interruptible
from pipeline.fault_injection import canaries
from pipeline.fault_injection.empty_sessions import emptied
from pipeline.fault_injection.gate_runner import prove
from pipeline.fault_injection.outcome import Outcome, Verdict
from pipeline.fault_injection.repository_copy import Copy, copy
from pipeline.fault_injection.sandbox import Trial, Yard
from pipeline.fault_injection.selection import Row

TAIL = 20  # lines that a session said last


def prove_all(rows: Sequence[Row], trial: Trial = Trial.FAULTS) -> list[Outcome]:
    """Prove some gates, and say how it goes; whatever stops it, nothing stays.

    Args:
        rows: The sessions, and their faults.
        trial: What to try on them.
    """
    stop, outcomes = Event(), list[Outcome]()
    with interruptible(), TemporaryDirectory(prefix="proof-") as folder:
        base = copy(Path.cwd(), Path(folder) / "base")
        if trial is Trial.HOLLOW:
            empty(base)
        told = canaries.hatch() if trial is Trial.CANARIES else {}
        yard = Yard(Path.cwd(), Path(folder), base, stop, trial, told)
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            runs = [pool.submit(_lane, lane, yard, outcomes) for lane in _lanes(rows)]
            try:
                _wait(runs)
            finally:
                stop.set()
                pool.shutdown(wait=False, cancel_futures=True)
    return sorted(outcomes, key=lambda each: (rank(rows, each), bool(each.fault)))


def empty(base: Copy) -> None:
    """Empty every session of a copy."""
    noxfile = base.root / "noxfile.py"
    noxfile.write_text(emptied(noxfile.read_text()))
    base.begin()


def rank(rows: Sequence[Row], outcome: Outcome) -> int:
    """Return the place of an outcome's session in the table."""
    return [row.session for row in rows].index(outcome.session)


def say(outcome: Outcome) -> None:
    """Print what came of a run; why it is not judged, or how it ended if that is wrong."""
    what = outcome.fault or "(clean)"
    lines = [f"{outcome.session}: {what}: {outcome.verdict}, {outcome.seconds:.1f} s"]
    if outcome.verdict is Verdict.NOT_JUDGED:
        lines.append(f"    {outcome.said}")
    elif not outcome.verdict.good:
        lines += [f"    {line}" for line in outcome.output.splitlines()[-TAIL:]]
    print(*lines, sep="\n", file=sys.stderr, flush=True)


def _lane(rows: Sequence[Row], yard: Yard, outcomes: list[Outcome]) -> None:
    for row in rows:
        with closing(prove(row, yard)) as proving:  # what it planted goes, however this ends
            for outcome in proving:
                if yard.stop.is_set():
                    return
                say(outcome)
                outcomes.append(outcome)


def _lanes(rows: Sequence[Row]) -> list[list[Row]]:
    """Group what must run one after the other; what has most to do comes first."""
    ordered = sorted(rows, key=lambda row: row.lane)
    lanes = [list(lane) for _, lane in groupby(ordered, lambda row: row.lane)]
    return sorted(lanes, key=lambda lane: -sum(len(row.faults) for row in lane))


def _wait(runs: Sequence[Future[None]]) -> None:
    """Wait for the runs, and hand on what goes wrong in one of them."""
    wait(runs, return_when="FIRST_EXCEPTION")
    for run in runs:
        if run.done():
            run.result()
