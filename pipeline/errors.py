"""Errors: one class for each exit code, with one function that reports them."""

import json
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

from pipeline import filesystem, streams

INTERRUPTED = 128 + signal.SIGINT  # as in a shell
INCONCLUSIVE_DIR = Path("reports", "inconclusive")
# one more folder for records: that of this run only
INCONCLUSIVE_DIR_VARIABLE = "PIPELINE_INCONCLUSIVE"


class PipelineError(Exception):
    """An error for people: a message, and in `hint` the next command."""

    exit_code: ClassVar[int] = 1
    label: ClassVar[str] = "error"

    def __init__(self, message: str, *, hint: str) -> None:
        super().__init__(message)
        self.hint = hint

    def report(self) -> int:
        """Print the error on stderr, and return the exit code."""
        print(f"{self.label}: {self}\n\nhint: {self.hint}", file=sys.stderr)
        return self.exit_code


class CheckFailedError(PipelineError):
    """A check failed."""

    exit_code = 1


class InputError(PipelineError):
    """An argument, a variable or a file is invalid."""

    exit_code = 2


class MissingToolError(PipelineError):
    """A required program is missing."""

    exit_code = 3


class InconclusiveError(PipelineError):
    """A service that a check needs is out of reach; exit code 0 without PIPELINE_STRICT=1."""

    exit_code = 4
    label = "inconclusive"

    def __init__(
        self,
        check: str,
        reason: str,
        *,
        detail: str = "",
        hint: str = "run it again with a network",
    ) -> None:
        """Store the reason.

        Args:
            check: The name of the check; its record is a file of that name.
            reason: The cause, in the same words for every check, so that they can be grouped.
            detail: An additional explanation, such as the name of a package.
            hint: The command that resolves it.
        """
        super().__init__(f"{check}: {reason}{detail and f': {detail}'}", hint=hint)
        self.check, self.reason, self.detail = check, reason, detail

    def report(self) -> int:
        """Print the error, record it for the end of the run, and return the exit code."""
        code = super().report()
        for folder in _folders():
            self._record(folder)
        return code if os.environ.get("PIPELINE_STRICT") == "1" else 0

    def _record(self, folder: Path) -> None:
        names = ("check", "reason", "detail", "hint")
        content = {name: getattr(self, name) for name in names}
        filesystem.write_files({_file(folder, self.check): json.dumps(content) + "\n"})


class VerificationError(PipelineError):
    """An image failed verification of its signature or attestations."""

    exit_code = 5


class DeployAbortedError(PipelineError):
    """A deployment was stopped before users could reach the release."""

    exit_code = 6
    outcome: ClassVar[str] = "stopped"


class MigrationError(DeployAbortedError):
    """A migration failed; the live release was not changed."""

    exit_code = 7
    outcome = "migration failed"


class RolledBackError(DeployAbortedError):
    """A deployment failed during the rollout; the previous release serves again."""

    exit_code = 8
    outcome = "rolled back"


class RollbackFailedError(DeployAbortedError):
    """A deployment failed, and so did the rollback."""

    exit_code = 9
    outcome = "rollback failed"


class NoRollbackError(RollbackFailedError):
    """A deployment failed, and there was no healthy release to roll back to."""


class LockLostError(DeployAbortedError):
    """Another deployment took over the lock, and will clean up."""

    exit_code = 10
    outcome = "taken over"


class BudgetExceededError(PipelineError):
    """All checks passed, but a job took longer than its budget in pipeline.toml."""

    exit_code = 11


class OutageError(PipelineError):
    """Users cannot reach a site, or a service of it does not run."""

    exit_code = 12


class DeployInterruptedError(DeployAbortedError):
    """A deployment was interrupted, and rolled back."""

    exit_code = INTERRUPTED
    outcome = "interrupted"


def clear_inconclusive(check: str) -> None:
    """Remove the record that a check was inconclusive."""
    for folder in _folders():
        if (file := _file(folder, check)).exists():  # on a read-only disk there is none
            file.unlink(missing_ok=True)


def read_inconclusive(folder: Path) -> list[InconclusiveError]:
    """Return the records of inconclusive checks in a folder, in the order of their times.

    Args:
        folder: The folder; it need not exist.
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
    """Report an error as one sentence with a hint, and exit with the exit code of its class.

    An inconclusive check ends the block; if that is allowed, the program goes on.
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
    """Report an error, and return its exit code."""
    try:
        return (_file_error(error) if isinstance(error, OSError) else error).report()
    except OSError as fault:
        if fault is error:
            raise
        return _file_error(fault).report()  # writing the record failed


def _file_error(error: OSError) -> InputError:
    if described := filesystem.describe_os_error(error):
        return InputError(described[0], hint=described[1])
    raise error
