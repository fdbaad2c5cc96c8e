"""Run a session on the clean tree and with each of its faults, and say what that shows."""

import os
import re
import shutil
import sys
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from threading import Event

from filelock import FileLock

from pipeline.images.act import engine_answers
from pipeline.proof.change import UnplantedError
from pipeline.proof.copies import Copy, take
from pipeline.proof.faults import Fault
from pipeline.proof.outcome import Outcome, Verdict, judge, judge_alone, line_of
from pipeline.proof.plan import ENGINE, Row
from pipeline.run import Output, attended

ENVIRONMENTS = Path(".nox", "proof")
# A network namespace of its own, in which this machine only reaches itself; only root makes one.
CUT_OFF = ("unshare", "--net", "sh", "-c", 'ip link set lo up && exec "$0" "$@"')
# What a run in CI is told about itself must not reach the runs inside it, nor this program's tools.
OWN = re.compile(r"GITHUB_.*|VIRTUAL_ENV|NOX_.*|FORCE_COLOR")


@dataclass(frozen=True)
class Yard:
    """Where faults are planted."""

    checkout: Path
    folder: Path
    base: Copy
    """What all copies are copies of: who works in the checkout meanwhile changes nothing."""
    stop: Event
    hollow: bool = False
    """Whether the sessions are empty: then no fault can be found, and nothing is needed."""
    offline: bool = False
    """Whether nothing is planted, and the network is cut instead."""

    def copy(self, row: Row) -> Copy:
        """Return a copy for a session."""
        made = self.base.again(self.folder / _slug(row.session))
        take(self.checkout, made.root, row.gate.takes)
        return made

    def run(self, row: Row, where: Copy, fault: Fault | None, options: Sequence[str]) -> Output:
        """Run a session in a copy, in an environment that outlives the copy."""
        shutil.rmtree(where.root / "reports", ignore_errors=True)
        env = surroundings(os.environ) | row.gate.given | (fault.env if fault else {})
        for line in self.lines(row, fault, options):
            output = attended(line, cwd=where.root, env=env, stop=self.stop)
            if output.returncode:
                break
        return output

    def lines(self, row: Row, fault: Fault | None, options: Sequence[str]) -> Iterator[list[str]]:
        """Yield the commands of a run."""
        session = ["nox", "-s", row.session, f"--envdir={self.checkout / ENVIRONMENTS}"]
        within = row.gate.within if fault is None or fault.within is None else fault.within
        around: list[str] = []
        if row.gate.first and not self.hollow:
            yield row.gate.first
        if within and not self.hollow:  # what stands in for a service may hide the package index
            yield [*session, "--install-only"]
            around, session = [sys.executable, "-m", *within, "--"], [*session, "-R"]
        cut = CUT_OFF if self.offline else ()
        yield [*cut, *around, *session, *(["--", *options] if options else [])]


def prove(row: Row, yard: Yard) -> Generator[Outcome, None, None]:
    """Yield what the clean tree shows, and each fault.

    Args:
        row: A session, and its faults.
        yard: Where to plant them.
    """
    if not yard.hollow and (missing := lacking(row)):
        yield Outcome(row.job, row.session, "", Verdict.NOT_JUDGED, f"{missing} is not here")
        return
    environments = yard.checkout / ENVIRONMENTS
    environments.mkdir(parents=True, exist_ok=True)
    with FileLock(environments / f".{_slug(row.session)}.lock"):
        where = yard.copy(row)
        try:
            for options, faults in _by_options(row):
                yield from _each(row, yard, where, options, faults)
        finally:
            shutil.rmtree(where.root)


def lacking(row: Row) -> str:
    """Return the first that a gate needs and that is not here; nothing, if all is."""
    for name in row.gate.needs:
        if not (engine_answers() if name == ENGINE else os.environ.get(name)):
            return name
    return ""


def surroundings(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of the runs: this process's, less what belongs to it alone."""
    own = Path(sys.executable).parent
    path = [each for each in environ["PATH"].split(os.pathsep) if Path(each) != own]
    kept = {name: value for name, value in environ.items() if not OWN.fullmatch(name)}
    return kept | {"PATH": os.pathsep.join(path), "NO_COLOR": "1"}


def _by_options(row: Row) -> Iterator[tuple[list[str], Mapping[str, Fault]]]:
    def options(item: tuple[str, Fault]) -> list[str]:
        return row.gate.options if item[1].options is None else item[1].options

    for key, group in groupby(sorted(row.faults.items(), key=options), options):
        yield key, dict(group)


def _each(
    row: Row, yard: Yard, where: Copy, options: Sequence[str], faults: Mapping[str, Fault]
) -> Generator[Outcome, None, None]:
    began = time.monotonic()
    clean = yard.run(row, where, None, options)
    notes = where.not_judged().values()
    if yard.offline:
        verdict, said = judge_alone(clean, notes)
    else:
        verdict = Verdict.RED if clean.returncode else Verdict.CLEAN
        said = "; ".join(f"not judged: {note}" for note in notes)
    seconds = time.monotonic() - began
    yield Outcome(row.job, row.session, "", verdict, said, seconds, clean.stdout)
    if clean.returncode or yard.offline:
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


def _slug(session: str) -> str:
    return re.sub(r"[^\w.-]+", "-", session).strip("-")
