"""What can go wrong: one class for each exit code, reported in one place."""

import json
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

from pipeline import filesystem, streams

INTERRUPTED = 128 + signal.SIGINT  # as a shell says it
INCONCLUSIVE_DIR = Path("reports", "inconclusive")
# names one more folder for records: that of this run alone
INCONCLUSIVE_DIR_VARIABLE = "PIPELINE_INCONCLUSIVE"


class PipelineError(Exception):
    """A fault to show to a person: what happened, and in `hint` the next command."""

    exit_code: ClassVar[int] = 1
    label: ClassVar[str] = "error"

    def __init__(self, message: str, *, hint: str) -> None:
        super().__init__(message)
        self.hint = hint

    def report(self) -> int:
        """Print the fault on stderr and return the exit code."""
        print(f"{self.label}: {self}\n\nhint: {self.hint}", file=sys.stderr)
        return self.exit_code


class CheckFailedError(PipelineError):
    """A gate looked, and said no."""

    exit_code = 1


class InputError(PipelineError):
    """An argument, a variable or a file is wrong."""

    exit_code = 2


class MissingToolError(PipelineError):
    """A program that is needed is not here."""

    exit_code = 3


class InconclusiveError(PipelineError):
    """What a check needs is out of reach: listed by reason, red only under PIPELINE_STRICT=1."""

    exit_code = 4
    label = "inconclusive"

    def __init__(
        self,
        check: str,
        reason: str,
        *,
        detail: str = "",
        hint: str = "run it again where there is a network",
    ) -> None:
        """Say what was inconclusive.

        Args:
            check: Its name; its record is a file of that name.
            reason: The cause, in the same words for every check that has it, to group them.
            detail: What is said besides, such as the name of a package.
            hint: The command that changes it.
        """
        super().__init__(f"{check}: {reason}{detail and f': {detail}'}", hint=hint)
        self.check, self.reason, self.detail = check, reason, detail

    def report(self) -> int:
        """Print the fault, record it for the end of the run, and return the exit code."""
        code = super().report()
        for folder in _folders():
            self._record(folder)
        return code if os.environ.get("PIPELINE_STRICT") == "1" else 0

    def _record(self, folder: Path) -> None:
        names = ("check", "reason", "detail", "hint")
        content = {name: getattr(self, name) for name in names}
        filesystem.write_files({_file(folder, self.check): json.dumps(content) + "\n"})


class VerificationError(PipelineError):
    """An image is not what was signed, or lacks what must be known of it."""

    exit_code = 5


class DeployAbortedError(PipelineError):
    """A deployment was stopped before anybody could see it."""

    exit_code = 6
    outcome: ClassVar[str] = "stopped"


class MigrationError(DeployAbortedError):
    """The database could not be brought forward; the code that serves was not touched."""

    exit_code = 7
    outcome = "migration failed"


class RolledBackError(DeployAbortedError):
    """A deployment went wrong in front of users, and the previous release serves again."""

    exit_code = 8
    outcome = "rolled back"


class RollbackFailedError(DeployAbortedError):
    """A deployment went wrong, and the release before could not be put back."""

    exit_code = 9
    outcome = "rollback failed"


class NoRollbackError(RollbackFailedError):
    """A deployment went wrong where the release before did not serve either; it stays."""


class LockLostError(DeployAbortedError):
    """Somebody else took the lock over; he puts right what this deployment had begun."""

    exit_code = 10
    outcome = "taken over"


class BudgetExceededError(PipelineError):
    """All is green, but something took longer than pipeline.toml allows."""

    exit_code = 11


class OutageError(PipelineError):
    """Users cannot reach a site, or what it stands on does not run."""

    exit_code = 12


class DeployInterruptedError(DeployAbortedError):
    """Somebody stopped a deployment; what it had begun was undone."""

    exit_code = INTERRUPTED
    outcome = "interrupted"


def clear_inconclusive(check: str) -> None:
    """Remove the record that a check was inconclusive."""
    for folder in _folders():
        if (file := _file(folder, check)).exists():  # where nothing can be written, there is none
            file.unlink(missing_ok=True)


def read_inconclusive(folder: Path) -> list[InconclusiveError]:
    """Return what was inconclusive by the records in a folder, in the order of their times.

    Args:
        folder: The folder; it need not be there.
    """
    files = sorted(folder.glob("*.json"), key=lambda file: file.stat().st_mtime_ns)
    return [InconclusiveError(**json.loads(file.read_text())) for file in files]


def _folders() -> list[Path]:
    own = os.environ.get(INCONCLUSIVE_DIR_VARIABLE)
    return [INCONCLUSIVE_DIR, Path(own)] if own else [INCONCLUSIVE_DIR]


def _file(folder: Path, check: str) -> Path:
    return folder / f"{check}.json"


@contextmanager
def handle_errors() -> Iterator[None]:
    """Turn a fault into one sentence, a hint and the exit code of its class.

    What was inconclusive, where that is allowed, ends the block but not the program.
    """
    try:
        with streams.standard_streams():
            yield
    except (PipelineError, OSError) as error:
        if code := _report_error(error):
            raise SystemExit(code) from None
    except KeyboardInterrupt:
        raise SystemExit(INTERRUPTED) from None


def _report_error(error: PipelineError | OSError) -> int:
    """Report a fault, and return its exit code."""
    try:
        return (_file_error(error) if isinstance(error, OSError) else error).report()
    except OSError as fault:
        if fault is error:
            raise
        return _file_error(fault).report()  # of the record of what was inconclusive


def _file_error(error: OSError) -> InputError:
    if told := filesystem.describe_os_error(error):
        return InputError(told[0], hint=told[1])
    raise error
