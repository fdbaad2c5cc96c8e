"""Run a session on the clean tree and with each of its faults, and say what that shows."""

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


def run_gate(row: GateRun, yard: Sandbox) -> Generator[Outcome, None, None]:
    """Yield what the clean tree shows, and each fault.

    Args:
        row: A session, and its faults.
        yard: Where to plant them.
    """
    if yard.trial is not Mode.EMPTY_SESSIONS and (missing := missing_requirement(row)):
        yield Outcome(row.job, row.session, "", Verdict.NOT_JUDGED, f"{missing} is not here")
        return
    environments = yard.checkout / ENVDIR
    environments.mkdir(parents=True, exist_ok=True)
    with FileLock(environments / f".{row.slug}.lock"):
        where = yard.copy(row)
        try:
            for options, faults in _parts(row, yard.trial):
                yield from _each(row, yard, where, options, faults)
        finally:
            shutil.rmtree(where.root)


def missing_requirement(row: GateRun) -> str:
    """Return the first that a gate needs and that is not here; nothing, if all is."""
    for name in row.gate.needs:
        if not (is_engine_available() if name == ENGINE else os.environ.get(name)):
            return name
    return ""


def _parts(row: GateRun, trial: Mode) -> Iterator[tuple[tuple[str, ...], Mapping[str, Fault]]]:
    """Yield the faults that are looked for with the same options; none, where none is planted."""
    if not trial.injects_faults:
        yield row.gate.options, {}
        return

    def options(item: tuple[str, Fault]) -> tuple[str, ...]:
        return row.gate.options if item[1].options is None else item[1].options

    for key, group in groupby(sorted(row.faults.items(), key=options), options):
        yield key, dict(group)


def _each(
    row: GateRun,
    yard: Sandbox,
    where: RepositoryCopy,
    options: Sequence[str],
    faults: Mapping[str, Fault],
) -> Generator[Outcome, None, None]:
    began = time.monotonic()
    clean = yard.run(row, where, None, options)
    verdict, said = yard.judge(where, clean)
    seconds = time.monotonic() - began
    yield Outcome(row.job, row.session, "", verdict, said, seconds, clean.stdout)
    if clean.returncode:
        return
    for name, fault in faults.items():
        yield _one(row, yard, where, (name, fault, clean.stdout, options))


def _one(
    row: GateRun,
    yard: Sandbox,
    where: RepositoryCopy,
    planted: tuple[str, Fault, str, Sequence[str]],
) -> Outcome:
    name, fault, clean, options = planted
    began = time.monotonic()
    try:
        with where.with_edits(fault.change):
            output = yard.run(row, where, fault, options)
            notes = where.inconclusive_checks()
    except StaleFaultError as error:
        return Outcome(row.job, row.session, name, Verdict.UNPLANTED, str(error))
    verdict = evaluate_fault(fault, clean, output, notes)
    said = find_line(fault.expect, output.stdout) or notes.get(fault.skip_if_inconclusive, "")
    seconds = time.monotonic() - began
    return Outcome(row.job, row.session, name, verdict, said, seconds, output.stdout)
