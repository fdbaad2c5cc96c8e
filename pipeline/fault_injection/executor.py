"""Run all gates of a fault injection, in parallel where they share nothing."""

import os
import sys
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import closing
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event

from pipeline.deploy.signals import raise_on_signal
from pipeline.fault_injection import canaries
from pipeline.fault_injection.empty_sessions import empty_sessions
from pipeline.fault_injection.gate_runner import run_gate
from pipeline.fault_injection.outcome import Outcome, Verdict
from pipeline.fault_injection.repository_copy import RepositoryCopy, copy_repository
from pipeline.fault_injection.sandbox import Mode, Sandbox
from pipeline.fault_injection.selection import GateRun

_TAIL = 20  # last lines of the output of a session


def run_all(rows: Sequence[GateRun], mode: Mode = Mode.FAULTS) -> list[Outcome]:
    """Run the sessions with their faults, and print each outcome.

    All copies are deleted at the end.

    Args:
        rows: The sessions, and their faults.
        mode: What to change for the runs.
    """
    stop, outcomes = Event(), list[Outcome]()
    with raise_on_signal(), TemporaryDirectory(prefix="faults-") as folder:
        base = copy_repository(Path.cwd(), Path(folder) / "base")
        if mode is Mode.EMPTY_SESSIONS:
            _empty_all_sessions(base)
        secrets = canaries.generate_canaries() if mode is Mode.CANARIES else {}
        sandbox = Sandbox(Path.cwd(), Path(folder), base, stop, mode, secrets)
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            runs = [pool.submit(_lane, lane, sandbox, outcomes) for lane in _lanes(rows)]
            try:
                _wait(runs)
            finally:
                stop.set()
                pool.shutdown(wait=False, cancel_futures=True)
    return sorted(outcomes, key=lambda each: (_sort_key(rows, each), bool(each.fault)))


def _empty_all_sessions(base: RepositoryCopy) -> None:
    """Empty every session of a copy."""
    noxfile = base.root / "noxfile.py"
    noxfile.write_text(empty_sessions(noxfile.read_text()))
    base.set_baseline()


def _sort_key(rows: Sequence[GateRun], outcome: Outcome) -> int:
    """Return the position of an outcome's session in the catalogue."""
    return [row.session for row in rows].index(outcome.session)


def _print_outcome(outcome: Outcome) -> None:
    """Print the outcome of a run; if it is not as expected, the end of its output too."""
    what = outcome.fault or "(clean)"
    lines = [f"{outcome.session}: {what}: {outcome.verdict}, {outcome.seconds:.1f} s"]
    if outcome.verdict is Verdict.INCONCLUSIVE:
        lines.append(f"    {outcome.detail}")
    elif not outcome.verdict.is_ok:
        lines += [f"    {line}" for line in outcome.output.splitlines()[-_TAIL:]]
    print(*lines, sep="\n", file=sys.stderr, flush=True)


def _lane(rows: Sequence[GateRun], sandbox: Sandbox, outcomes: list[Outcome]) -> None:
    for row in rows:
        with closing(
            run_gate(row, sandbox)
        ) as outcomes_of_gate:  # deletes its copy, even after an error
            for outcome in outcomes_of_gate:
                if sandbox.stop.is_set():
                    return
                _print_outcome(outcome)
                outcomes.append(outcome)


def _lanes(rows: Sequence[GateRun]) -> list[list[GateRun]]:
    """Group the runs that must not run at the same time.

    The group with the most faults is first.
    """
    ordered = sorted(rows, key=lambda row: row.exclusive_group)
    lanes = [list(lane) for _, lane in groupby(ordered, lambda row: row.exclusive_group)]
    return sorted(lanes, key=lambda lane: -sum(len(row.faults) for row in lane))


def _wait(runs: Sequence[Future[None]]) -> None:
    """Wait for the runs, and raise the error of the first one that fails."""
    wait(runs, return_when="FIRST_EXCEPTION")
    for run in runs:
        if run.done():
            run.result()
