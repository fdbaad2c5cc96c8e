"""Where sessions are tried: what they are told, and what they show where nothing is planted."""

import os
import re
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from threading import Event

from pipeline import errors, secret_search
from pipeline.fault_injection import canaries
from pipeline.fault_injection.catalog import Fault
from pipeline.fault_injection.outcome import Verdict, judge_canaries, judge_offline
from pipeline.fault_injection.repository_copy import Copy, take
from pipeline.fault_injection.selection import Row
from pipeline.process import Output, attended

ENVIRONMENTS = Path(".nox", "proof")
# A network namespace of its own, in which this machine only reaches itself; only root makes one.
CUT_OFF = ("unshare", "--net", "sh", "-c", 'ip link set lo up && exec "$0" "$@"')
# An engine would be reached all the same, and has a network of its own.
NO_ENGINE = {"DOCKER_HOST": "unix:///nowhere.sock"}
# What a run in CI is told about itself must not reach the runs inside it, nor this program's tools.
OWN = re.compile(rf"GITHUB_.*|VIRTUAL_ENV|NOX_.*|FORCE_COLOR|{errors.RECORDS}")


class Trial(StrEnum):
    """What is tried on every session."""

    FAULTS = "faults"
    HOLLOW = "hollow"
    """The sessions are empty: then no fault can be found, and nothing is needed."""
    OFFLINE = "offline"
    """Nothing is planted, and the network is cut instead."""
    CANARIES = "canaries"
    """Nothing is planted, and every secret is set: none may be seen."""

    @property
    def plants(self) -> bool:
        """Whether faults are planted."""
        return self in {Trial.FAULTS, Trial.HOLLOW}

    @property
    def helps(self) -> bool:
        """Whether something stands in for a service that sessions ask."""
        return self in {Trial.FAULTS, Trial.CANARIES}


@dataclass(frozen=True)
class Yard:
    """Where faults are planted."""

    checkout: Path
    folder: Path
    base: Copy
    """What all copies are copies of: who works in the checkout meanwhile changes nothing."""
    stop: Event
    trial: Trial = Trial.FAULTS
    canaries: Mapping[str, str] = field(default_factory=dict)
    """Secrets that no session may show."""

    def copy(self, row: Row) -> Copy:
        """Return a copy for a session."""
        made = self.base.again(self.folder / row.slug)
        take(self.checkout, made.root, row.gate.takes)
        return made

    def environments(self, where: Copy) -> Path:
        """Return where sessions have theirs: among canaries in the copy, to be looked through."""
        return (where.root if self.trial is Trial.CANARIES else self.checkout) / ENVIRONMENTS

    def judge(self, where: Copy, clean: Output) -> tuple[Verdict, str]:
        """Say what a session shows in which nothing was planted."""
        notes = where.not_judged().values()
        if self.trial is Trial.OFFLINE:
            return judge_offline(clean, notes)
        if self.trial is Trial.CANARIES:
            seen = secret_search.in_text(self.canaries, clean.stdout)
            places = [f"{name} in its output" for name in seen]
            return judge_canaries(
                clean, [*places, *secret_search.in_folder(self.canaries, where.root)]
            )
        said = "; ".join(f"not judged: {note}" for note in notes)
        return Verdict.RED if clean.returncode else Verdict.CLEAN, said

    def run(self, row: Row, where: Copy, fault: Fault | None, options: Sequence[str]) -> Output:
        """Run a session in a copy, in an environment that outlives the copy."""
        shutil.rmtree(where.root / "reports", ignore_errors=True)
        env = {**surroundings(os.environ), **row.gate.given, **(fault.env if fault else {})}
        env |= canaries.variables(self.canaries)
        env |= NO_ENGINE if self.trial is Trial.OFFLINE else {}
        for line in self.lines(row, where, fault, options):
            output = attended(line, cwd=where.root, env=env, stop=self.stop)
            if output.returncode:
                break
        return output

    def lines(
        self, row: Row, where: Copy, fault: Fault | None, options: Sequence[str]
    ) -> Iterator[list[str]]:
        """Yield the commands of a run."""
        session = ["nox", "-s", row.session, f"--envdir={self.environments(where)}"]
        within = row.gate.within if fault is None or fault.within is None else fault.within
        around = ["timeout", str(row.gate.ends)] if row.gate.ends else []
        if row.gate.first and self.trial is not Trial.HOLLOW:
            yield [*row.gate.first]
        if within and self.trial.helps:  # what stands in for a service may hide the package index
            yield [*session, "--install-only"]
            around, session = [*around, sys.executable, "-m", *within, "--"], [*session, "-R"]
        cut = CUT_OFF if self.trial is Trial.OFFLINE else ()
        yield [*cut, *around, *session, *(["--", *options] if options else [])]


def surroundings(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of the runs: this process's, less what belongs to it alone."""
    own = Path(sys.executable).parent
    path = [each for each in environ["PATH"].split(os.pathsep) if Path(each) != own]
    kept = {name: value for name, value in environ.items() if not OWN.fullmatch(name)}
    return kept | {"PATH": os.pathsep.join(path), "NO_COLOR": "1"}
