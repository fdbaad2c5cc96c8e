"""Run sessions in copies of the repository, and evaluate the run without a fault."""

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

ENVDIR = Path(".nox", "fault-injection-envs")
# Run in a new network namespace with only a loopback interface; this needs root.
NO_NETWORK_COMMAND = ("unshare", "--net", "sh", "-c", 'ip link set lo up && exec "$0" "$@"')
# A Docker Engine is reached through a socket, and has its own network.
NO_ENGINE = {"DOCKER_HOST": "unix:///does-not-exist.sock"}
# Variables of the CI run and of this virtualenv must not reach the sessions.
_PRIVATE_VARIABLES = re.compile(
    rf"GITHUB_.*|VIRTUAL_ENV|NOX_.*|FORCE_COLOR|{errors.INCONCLUSIVE_DIR_VARIABLE}"
)


class Mode(StrEnum):
    """What is changed for the run of every session."""

    FAULTS = "faults"
    EMPTY_SESSIONS = "empty-sessions"
    """The sessions are empty, so no fault may be detected; no requirement is checked."""
    OFFLINE = "offline"
    """No fault is injected; the network is cut."""
    CANARIES = "canaries"
    """No fault is injected; every secret is set, and none may be shown."""

    @property
    def injects_faults(self) -> bool:
        """Whether faults are injected."""
        return self in {Mode.FAULTS, Mode.EMPTY_SESSIONS}

    @property
    def uses_fake_services(self) -> bool:
        """Whether a fake service replaces one that sessions ask."""
        return self in {Mode.FAULTS, Mode.CANARIES}


@dataclass(frozen=True)
class Sandbox:
    """The checkout, and the folder of its copies."""

    checkout: Path
    folder: Path
    base: RepositoryCopy
    """The source of all copies, so that edits in the checkout do not reach them."""
    stop: Event
    mode: Mode = Mode.FAULTS
    canaries: Mapping[str, str] = field(default_factory=dict)
    """Secrets that no session may show."""

    def make_copy(self, row: GateRun) -> RepositoryCopy:
        """Return a copy for a session."""
        copy = self.base.clone(self.folder / row.slug)
        link_folders(self.checkout, copy.root, row.gate.link)
        return copy

    def environments(self, copy: RepositoryCopy) -> Path:
        """Return the nox envdir; with canaries it is in the copy, to be searched for secrets."""
        return (copy.root if self.mode is Mode.CANARIES else self.checkout) / ENVDIR

    def evaluate(self, copy: RepositoryCopy, clean: CommandResult) -> tuple[Verdict, str]:
        """Return what a run without a fault shows, and the reason."""
        notes = copy.inconclusive_checks().values()
        if self.mode is Mode.OFFLINE:
            return evaluate_offline(clean, notes)
        if self.mode is Mode.CANARIES:
            seen = secret_search.secrets_in_text(self.canaries, clean.stdout)
            places = [f"{name} in its output" for name in seen]
            return evaluate_canaries(
                clean, [*places, *secret_search.secrets_in_directory(self.canaries, copy.root)]
            )
        detail = "; ".join(f"inconclusive: {note}" for note in notes)
        return Verdict.BASELINE_FAILED if clean.returncode else Verdict.BASELINE_PASSED, detail

    def run(
        self, row: GateRun, copy: RepositoryCopy, fault: Fault | None, options: Sequence[str]
    ) -> CommandResult:
        """Run a session in a copy; its nox environment stays when the copy is deleted."""
        shutil.rmtree(copy.root / "reports", ignore_errors=True)
        env = {**clean_environment(os.environ), **row.gate.env, **(fault.env if fault else {})}
        env |= canaries.canary_environment(self.canaries)
        env |= NO_ENGINE if self.mode is Mode.OFFLINE else {}
        for line in self.commands(row, copy, fault, options):
            output = run_interruptible(line, cwd=copy.root, env=env, stop=self.stop)
            if output.returncode:
                break
        return output

    def commands(
        self, row: GateRun, copy: RepositoryCopy, fault: Fault | None, options: Sequence[str]
    ) -> Iterator[list[str]]:
        """Yield the commands of a run."""
        session = ["nox", "-s", row.session, f"--envdir={self.environments(copy)}"]
        within = row.gate.wrapper if fault is None or fault.wrapper is None else fault.wrapper
        around = ["timeout", str(row.gate.stop_after)] if row.gate.stop_after else []
        if row.gate.setup and self.mode is not Mode.EMPTY_SESSIONS:
            yield [*row.gate.setup]
        # with a fake service the package index may be out of reach, so install first
        if within and self.mode.uses_fake_services:
            yield [*session, "--install-only"]
            around, session = [*around, sys.executable, "-m", *within, "--"], [*session, "-R"]
        cut = NO_NETWORK_COMMAND if self.mode is Mode.OFFLINE else ()
        yield [*cut, *around, *session, *(["--", *options] if options else [])]


def clean_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return this process's environment variables without those of nox, CI and its virtualenv."""
    own = Path(sys.executable).parent
    path = [each for each in environ["PATH"].split(os.pathsep) if Path(each) != own]
    kept = {
        name: value for name, value in environ.items() if not _PRIVATE_VARIABLES.fullmatch(name)
    }
    return kept | {"PATH": os.pathsep.join(path), "NO_COLOR": "1"}
