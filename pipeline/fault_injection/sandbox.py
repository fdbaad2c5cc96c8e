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
from pipeline.fault_injection.outcome import Verdict, evaluate_canaries, evaluate_offline
from pipeline.fault_injection.repository_copy import RepositoryCopy, link_folders
from pipeline.fault_injection.selection import GateRun
from pipeline.process import CommandResult, run_interruptible

ENVDIR = Path(".nox", "proof")
# A network namespace of its own, in which this machine only reaches itself; only root makes one.
NO_NETWORK_COMMAND = ("unshare", "--net", "sh", "-c", 'ip link set lo up && exec "$0" "$@"')
# An engine would be reached all the same, and has a network of its own.
NO_ENGINE = {"DOCKER_HOST": "unix:///nowhere.sock"}
# What a run in CI is told about itself must not reach the runs inside it, nor this program's tools.
PRIVATE_VARIABLES = re.compile(
    rf"GITHUB_.*|VIRTUAL_ENV|NOX_.*|FORCE_COLOR|{errors.INCONCLUSIVE_DIR_VARIABLE}"
)


class Mode(StrEnum):
    """What is tried on every session."""

    FAULTS = "faults"
    EMPTY_SESSIONS = "empty-sessions"
    """The sessions are empty: then no fault can be found, and nothing is needed."""
    OFFLINE = "offline"
    """Nothing is planted, and the network is cut instead."""
    CANARIES = "canaries"
    """Nothing is planted, and every secret is set: none may be seen."""

    @property
    def injects_faults(self) -> bool:
        """Whether faults are planted."""
        return self in {Mode.FAULTS, Mode.EMPTY_SESSIONS}

    @property
    def uses_fake_services(self) -> bool:
        """Whether something stands in for a service that sessions ask."""
        return self in {Mode.FAULTS, Mode.CANARIES}


@dataclass(frozen=True)
class Sandbox:
    """Where faults are planted."""

    checkout: Path
    folder: Path
    base: RepositoryCopy
    """What all copies are copies of: who works in the checkout meanwhile changes nothing."""
    stop: Event
    trial: Mode = Mode.FAULTS
    canaries: Mapping[str, str] = field(default_factory=dict)
    """Secrets that no session may show."""

    def copy(self, row: GateRun) -> RepositoryCopy:
        """Return a copy for a session."""
        made = self.base.clone(self.folder / row.slug)
        link_folders(self.checkout, made.root, row.gate.link)
        return made

    def environments(self, where: RepositoryCopy) -> Path:
        """Return where sessions have theirs: among canaries in the copy, to be looked through."""
        return (where.root if self.trial is Mode.CANARIES else self.checkout) / ENVDIR

    def judge(self, where: RepositoryCopy, clean: CommandResult) -> tuple[Verdict, str]:
        """Say what a session shows in which nothing was planted."""
        notes = where.inconclusive_checks().values()
        if self.trial is Mode.OFFLINE:
            return evaluate_offline(clean, notes)
        if self.trial is Mode.CANARIES:
            seen = secret_search.secrets_in_text(self.canaries, clean.stdout)
            places = [f"{name} in its output" for name in seen]
            return evaluate_canaries(
                clean, [*places, *secret_search.secrets_in_directory(self.canaries, where.root)]
            )
        said = "; ".join(f"inconclusive: {note}" for note in notes)
        return Verdict.RED if clean.returncode else Verdict.CLEAN, said

    def run(
        self, row: GateRun, where: RepositoryCopy, fault: Fault | None, options: Sequence[str]
    ) -> CommandResult:
        """Run a session in a copy, in an environment that outlives the copy."""
        shutil.rmtree(where.root / "reports", ignore_errors=True)
        env = {**clean_environment(os.environ), **row.gate.env, **(fault.env if fault else {})}
        env |= canaries.canary_environment(self.canaries)
        env |= NO_ENGINE if self.trial is Mode.OFFLINE else {}
        for line in self.commands(row, where, fault, options):
            output = run_interruptible(line, cwd=where.root, env=env, stop=self.stop)
            if output.returncode:
                break
        return output

    def commands(
        self, row: GateRun, where: RepositoryCopy, fault: Fault | None, options: Sequence[str]
    ) -> Iterator[list[str]]:
        """Yield the commands of a run."""
        session = ["nox", "-s", row.session, f"--envdir={self.environments(where)}"]
        within = row.gate.wrapper if fault is None or fault.wrapper is None else fault.wrapper
        around = ["timeout", str(row.gate.stop_after)] if row.gate.stop_after else []
        if row.gate.setup and self.trial is not Mode.EMPTY_SESSIONS:
            yield [*row.gate.setup]
        # what stands in for a service may hide the package index
        if within and self.trial.uses_fake_services:
            yield [*session, "--install-only"]
            around, session = [*around, sys.executable, "-m", *within, "--"], [*session, "-R"]
        cut = NO_NETWORK_COMMAND if self.trial is Mode.OFFLINE else ()
        yield [*cut, *around, *session, *(["--", *options] if options else [])]


def clean_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of the runs: this process's, less what belongs to it alone."""
    own = Path(sys.executable).parent
    path = [each for each in environ["PATH"].split(os.pathsep) if Path(each) != own]
    kept = {name: value for name, value in environ.items() if not PRIVATE_VARIABLES.fullmatch(name)}
    return kept | {"PATH": os.pathsep.join(path), "NO_COLOR": "1"}
