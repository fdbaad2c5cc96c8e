"""Commands, shown or run."""

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
NO_ENGINE = "no Docker Engine answers"
INSTALL_ENGINE = "invoke doctor  # it names the command that installs one here"
START_ENGINE = "colima start" if sys.platform == "darwin" else "sudo systemctl start docker"


def run_commands(
    commands: Iterable[Command], *, dry_run: bool = False, env: Mapping[str, str] | None = None
) -> None:
    """Run commands one after the other, or print them.

    Args:
        commands: What to run.
        dry_run: Whether to only print them, on stdout.
        env: Variables to set on top of this process's own.

    Raises:
        CheckFailedError: One of them failed; those after it did not run.
    """
    for command in commands:
        if dry_run:
            print(shlex.join(command))
        elif code := run(command, env=env):
            raise CheckFailedError(
                f"`{' '.join(command[:3])} …` failed with {code}",
                hint="the reason is in its own words above",
            )


def empty_variables(prefix: str, *, but: Collection[str] = ()) -> dict[str, str]:
    """Return a program's own variables, emptied: a shell has no part in what the program finds.

    Args:
        prefix: With which they begin.
        but: Those that are left as they are.
    """
    return {name: "" for name in os.environ if name.startswith(prefix) and name not in but}


def command_output(command: Command) -> str:
    """Run a command quietly and return what it printed.

    Raises:
        CheckFailedError: It failed; its last line says why.
    """
    output = capture(command)
    if output.returncode:
        raise CheckFailedError(
            f"`{' '.join(command[:3])} …` failed: {last_error_line(output)}",
            hint=shlex.join(command),
        )
    return output.stdout


def require_tools(*tools: str) -> None:
    """Refuse to begin without these tools.

    Raises:
        MissingToolError: Names all that are missing, and where they are to be had.
    """
    if missing := [tool for tool in tools if shutil.which(tool) is None]:
        raise MissingToolError(
            f"not here: {', '.join(missing)}",
            hint="; ".join(INSTALL_HINTS[tool] for tool in missing),
        )
    if "docker" in tools:
        require_engine()


@cache
def is_engine_available() -> bool:
    """Say whether there is a Docker Engine, with its builder, and it answers; it is asked once."""
    if shutil.which("docker") is None:
        return False
    parts: tuple[list[str], ...] = ([], ["buildx"], ["compose"])
    return not any(capture(["docker", *part, "version"]).returncode for part in parts)


def require_engine() -> None:
    """Refuse to begin without a Docker Engine.

    Raises:
        MissingToolError: None answers, or it has no BuildKit or Compose.
    """
    if not is_engine_available():
        raise MissingToolError(f"{NO_ENGINE}, or it lacks buildx or compose", hint=engine_hint())


def no_engine_error(check: str, detail: str = "") -> InconclusiveError:
    """Return the fault of a check that needs a Docker Engine, where none answers.

    Args:
        check: Its name.
        detail: What is said besides.
    """
    return InconclusiveError(check, NO_ENGINE, detail=detail, hint=engine_hint())


def engine_hint() -> str:
    """Return the command that gives this machine an engine: it is started, or installed first."""
    parts = ("buildx", "compose")  # of the client: they answer where no engine runs
    here = shutil.which("docker") and not any(
        capture(["docker", part, "version"]).returncode for part in parts
    )
    return START_ENGINE if here else INSTALL_ENGINE
