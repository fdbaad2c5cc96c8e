"""Run a session on the clean tree and with each of its faults, and say what that shows."""

import os
import shutil
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from itertools import groupby

from filelock import FileLock

from pipeline.fault_injection.catalog import Fault
from pipeline.fault_injection.edit import UnplantedError
from pipeline.fault_injection.outcome import Outcome, Verdict, judge, line_of
from pipeline.fault_injection.repository_copy import Copy
from pipeline.fault_injection.sandbox import ENVIRONMENTS, Trial, Yard
from pipeline.fault_injection.selection import ENGINE, Row
from pipeline.images.tools import engine_answers


def prove(row: Row, yard: Yard) -> Generator[Outcome, None, None]:
    """Yield what the clean tree shows, and each fault.

    Args:
        row: A session, and its faults.
        yard: Where to plant them.
    """
    if yard.trial is not Trial.HOLLOW and (missing := lacking(row)):
        yield Outcome(row.job, row.session, "", Verdict.NOT_JUDGED, f"{missing} is not here")
        return
    environments = yard.checkout / ENVIRONMENTS
    environments.mkdir(parents=True, exist_ok=True)
    with FileLock(environments / f".{row.slug}.lock"):
        where = yard.copy(row)
        try:
            for options, faults in _parts(row, yard.trial):
                yield from _each(row, yard, where, options, faults)
        finally:
            shutil.rmtree(where.root)


def lacking(row: Row) -> str:
    """Return the first that a gate needs and that is not here; nothing, if all is."""
    for name in row.gate.needs:
        if not (engine_answers() if name == ENGINE else os.environ.get(name)):
            return name
    return ""


def _parts(row: Row, trial: Trial) -> Iterator[tuple[tuple[str, ...], Mapping[str, Fault]]]:
    """Yield the faults that are looked for with the same options; none, where none is planted."""
    if not trial.plants:
        yield row.gate.options, {}
        return

    def options(item: tuple[str, Fault]) -> tuple[str, ...]:
        return row.gate.options if item[1].options is None else item[1].options

    for key, group in groupby(sorted(row.faults.items(), key=options), options):
        yield key, dict(group)


def _each(
    row: Row, yard: Yard, where: Copy, options: Sequence[str], faults: Mapping[str, Fault]
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
    row: Row, yard: Yard, where: Copy, planted: tuple[str, Fault, str, Sequence[str]]
) -> Outcome:
    name, fault, clean, options = planted
    began = time.monotonic()
    try:
        with where.planted(fault.change):
            output = yard.run(row, where, fault, options)
            notes = where.not_judged()
    except UnplantedError as error:
        return Outcome(row.job, row.session, name, Verdict.UNPLANTED, str(error))
    verdict = judge(fault, clean, output, notes)
    said = line_of(fault.says, output.stdout) or notes.get(fault.unless, "")
    seconds = time.monotonic() - began
    return Outcome(row.job, row.session, name, verdict, said, seconds, output.stdout)
