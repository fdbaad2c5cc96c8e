"""Run a session without a fault and with each of its faults, and return the outcomes."""

import os
import shutil
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from itertools import groupby

from filelock import FileLock

from pipeline.fault_injection.catalog import Fault
from pipeline.fault_injection.edit import StaleFaultError
from pipeline.fault_injection.outcome import Outcome, Verdict, evaluate_fault, find_line
from pipeline.fault_injection.repository_copy import RepositoryCopy
from pipeline.fault_injection.sandbox import ENVDIR, Mode, Sandbox
from pipeline.fault_injection.selection import ENGINE, GateRun
from pipeline.images.tools import is_engine_available


def run_gate(row: GateRun, sandbox: Sandbox) -> Generator[Outcome, None, None]:
    """Yield the outcome without a fault, and then that of each fault.

    Args:
        row: A session, and its faults.
        sandbox: Where to run it.
    """
    if sandbox.mode is not Mode.EMPTY_SESSIONS and (missing := _missing_requirement(row)):
        yield Outcome(row.job, row.session, "", Verdict.INCONCLUSIVE, f"{missing} is missing")
        return
    environments = sandbox.checkout / ENVDIR
    environments.mkdir(parents=True, exist_ok=True)
    with FileLock(environments / f".{row.slug}.lock"):
        copy = sandbox.make_copy(row)
        try:
            for options, faults in _parts(row, sandbox.mode):
                yield from _each(row, sandbox, copy, options, faults)
        finally:
            shutil.rmtree(copy.root)


def _missing_requirement(row: GateRun) -> str:
    """Return the first requirement of a gate that is missing; an empty text, if none is."""
    for name in row.gate.needs:
        if not (is_engine_available() if name == ENGINE else os.environ.get(name)):
            return name
    return ""


def _parts(row: GateRun, mode: Mode) -> Iterator[tuple[tuple[str, ...], Mapping[str, Fault]]]:
    """Yield groups of faults with the same options; one empty group, if none is injected."""
    if not mode.injects_faults:
        yield row.gate.options, {}
        return

    def options(item: tuple[str, Fault]) -> tuple[str, ...]:
        return row.gate.options if item[1].options is None else item[1].options

    for key, group in groupby(sorted(row.faults.items(), key=options), options):
        yield key, dict(group)


def _each(
    row: GateRun,
    sandbox: Sandbox,
    copy: RepositoryCopy,
    options: Sequence[str],
    faults: Mapping[str, Fault],
) -> Generator[Outcome, None, None]:
    began = time.monotonic()
    clean = sandbox.run(row, copy, None, options)
    verdict, detail = sandbox.evaluate(copy, clean)
    seconds = time.monotonic() - began
    yield Outcome(row.job, row.session, "", verdict, detail, seconds, clean.stdout)
    if clean.returncode:
        return
    for name, fault in faults.items():
        yield _one(row, sandbox, copy, (name, fault, clean.stdout, options))


def _one(
    row: GateRun,
    sandbox: Sandbox,
    copy: RepositoryCopy,
    injected: tuple[str, Fault, str, Sequence[str]],
) -> Outcome:
    name, fault, clean, options = injected
    began = time.monotonic()
    try:
        with copy.with_edits(fault.change):
            output = sandbox.run(row, copy, fault, options)
            notes = copy.inconclusive_checks()
    except StaleFaultError as error:
        return Outcome(row.job, row.session, name, Verdict.STALE, str(error))
    verdict = evaluate_fault(fault, clean, output, notes)
    detail = find_line(fault.expect, output.stdout) or notes.get(fault.skip_if_inconclusive, "")
    seconds = time.monotonic() - began
    return Outcome(row.job, row.session, name, verdict, detail, seconds, output.stdout)
