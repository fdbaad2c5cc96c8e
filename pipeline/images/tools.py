"""Run or print commands of external tools, and check that the tools exist."""

import os
import shlex
import shutil
import sys
from collections.abc import Collection, Iterable, Mapping
from functools import cache

from pipeline.errors import CheckFailedError, InconclusiveError, MissingToolError
from pipeline.images.targets import Command
from pipeline.process import capture, last_error_line, run

INSTALL_HINTS = {
    "docker": "https://docs.docker.com/engine/install",
    "syft": 'PATH="$(./dev):$PATH"',
    "trivy": "https://trivy.dev/latest/getting-started/installation",
    "cosign": "https://docs.sigstore.dev/cosign/system_config/installation",
}
_NO_ENGINE = "no Docker Engine answers"
INSTALL_ENGINE = "invoke doctor  # prints the install command"
START_ENGINE = "colima start" if sys.platform == "darwin" else "sudo systemctl start docker"


def run_commands(
    commands: Iterable[Command], *, dry_run: bool = False, env: Mapping[str, str] | None = None
) -> None:
    """Run commands one after the other, or print them.

    Args:
        commands: What to run.
        dry_run: Whether to only print them, on stdout.
        env: Variables to set in addition to this process's own.

    Raises:
        CheckFailedError: One of them failed; later ones did not run.
    """
    for command in commands:
        if dry_run:
            print(shlex.join(command))
        elif code := run(command, env=env):
            raise CheckFailedError(
                f"`{' '.join(command[:3])} …` failed with {code}",
                hint="see its output above",
            )


def empty_variables(prefix: str, *, keep: Collection[str] = ()) -> dict[str, str]:
    """Return a program's environment variables, set to empty, so that a shell has no influence.

    Args:
        prefix: The prefix of their names.
        keep: Names to leave unchanged.
    """
    return {name: "" for name in os.environ if name.startswith(prefix) and name not in keep}


def command_output(command: Command) -> str:
    """Run a command, and return its stdout.

    Raises:
        CheckFailedError: It failed; the message contains the last line of its output.
    """
    output = capture(command)
    if output.returncode:
        raise CheckFailedError(
            f"`{' '.join(command[:3])} …` failed: {last_error_line(output)}",
            hint=shlex.join(command),
        )
    return output.stdout


def require_tools(*tools: str) -> None:
    """Check that tools are installed.

    Raises:
        MissingToolError: Names all that are missing, and where to get them.
    """
    if missing := [tool for tool in tools if shutil.which(tool) is None]:
        raise MissingToolError(
            f"missing tools: {', '.join(missing)}",
            hint="; ".join(INSTALL_HINTS[tool] for tool in missing),
        )
    if "docker" in tools:
        _require_engine()


@cache
def is_engine_available() -> bool:
    """Return whether Docker with buildx and Compose answers; the result is cached."""
    if shutil.which("docker") is None:
        return False
    parts: tuple[list[str], ...] = ([], ["buildx"], ["compose"])
    return not any(capture(["docker", *part, "version"]).returncode for part in parts)


def _require_engine() -> None:
    """Check that a Docker Engine answers.

    Raises:
        MissingToolError: None answers, or it has no buildx or Compose.
    """
    if not is_engine_available():
        raise MissingToolError(f"{_NO_ENGINE}, or it lacks buildx or compose", hint=_engine_hint())


def no_engine_error(check: str, detail: str = "") -> InconclusiveError:
    """Return the error of a check that needs a Docker Engine, if none answers.

    Args:
        check: Its name.
        detail: An additional explanation.
    """
    return InconclusiveError(check, _NO_ENGINE, detail=detail, hint=_engine_hint())


def _engine_hint() -> str:
    """Return the command that starts or installs a Docker Engine."""
    parts = ("buildx", "compose")  # plugins of the client, which answer without an engine
    is_installed = shutil.which("docker") and not any(
        capture(["docker", part, "version"]).returncode for part in parts
    )
    return START_ENGINE if is_installed else INSTALL_ENGINE
