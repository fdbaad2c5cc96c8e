"""Update the hash locks, or check that they match their inputs.

python -m pipeline.dependency_locks [--check] [--upgrade]

The second line of each Python lock is the command that made it. It is run again in the folder of
the lock; Dependabot's uv updater reads the same line, so both write the same. A check runs it in
that folder too, and writes to a temporary file.
"""

import argparse
import shlex
import shutil
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from pipeline.config import load
from pipeline.errors import (
    CheckFailedError,
    InconclusiveError,
    InputError,
    clear_inconclusive,
    handle_errors,
)
from pipeline.files import read_text
from pipeline.home import UV, npm_environment
from pipeline.process import CommandResult, capture, run

_CHECK = "locks"
_NETWORK_ERRORS = (
    "error sending request",
    "dns error",
    "Could not connect",
    "the network was disabled",  # by UV_OFFLINE
)
_HEADER = "UV_CUSTOM_COMPILE_COMMAND"
"""The variable with the text that uv writes to a lock's second line."""


def main(arguments: Sequence[str]) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser("python -m pipeline.dependency_locks", description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; fail on drift")
    parser.add_argument("--upgrade", action="store_true", help="upgrade to the newest versions")
    options = parser.parse_args(arguments)
    if options.check:
        _check()
        return
    for lock in python_locks():
        compile_lock(lock, ["--upgrade"] if options.upgrade else [])
    for lock in node_locks():
        renew = "update" if options.upgrade else "install"
        run(
            ["npm", renew, "--package-lock-only", "--ignore-scripts"],
            cwd=lock.parent,
            env=npm_environment(),
        )


def _check() -> None:
    """Compile every Python lock, and compare it; `npm ci` checks the Node locks itself.

    Raises:
        CheckFailedError: A lock does not match its input.
        InconclusiveError: The package index is out of reach.
    """
    stale = [str(lock) for lock in python_locks() if _compiled_lock(lock) != read_text(lock)]
    clear_inconclusive(_CHECK)
    if stale:
        raise CheckFailedError(f"locks are stale: {', '.join(stale)}", hint="nox -s lock")


def _compiled_lock(lock: Path) -> str:
    """Return what a lock would contain if it were compiled now.

    Raises:
        InputError: The lock records no command, or its input cannot be resolved.
        InconclusiveError: The package index is out of reach.
    """
    with TemporaryDirectory() as folder:
        copy = Path(folder, lock.name)
        shutil.copy(lock, copy)  # uv keeps the versions in it
        compile_lock(lock, output=copy)
        return read_text(copy)


def compile_lock(lock: Path, options: Sequence[str] = (), *, output: Path | None = None) -> None:
    """Compile a lock with the command that it records.

    Args:
        lock: The lock file.
        options: Options to add to the command.
        output: The file to write; the lock itself by default.

    Raises:
        InputError: The lock records no command, or its input cannot be resolved.
        InconclusiveError: The package index is out of reach.
    """
    command = recorded_command(lock)
    written = [*_without_output(command), f"--output-file={output or lock.name}"]
    env = {**UV, _HEADER: _recorded_line(lock)}
    result = capture([*written, "--quiet", *options], cwd=lock.parent, env=env)
    if result.returncode == 0:
        return
    if is_unreachable(result):
        raise unreachable_error(_CHECK)
    raise InputError(
        f"{lock} cannot be compiled: {result.stderr.strip()}", hint=shlex.join(command)
    )


def is_unreachable(output: CommandResult) -> bool:
    """Return whether uv failed because no package index answered, or it was offline.

    Args:
        output: The result of uv.
    """
    return any(sign in output.stderr for sign in _NETWORK_ERRORS)


def unreachable_error(check: str, detail: str = "") -> InconclusiveError:
    """Return the error of a check if the package index does not answer.

    Args:
        check: Its name.
        detail: An additional explanation.
    """
    return InconclusiveError(check, "the package index is out of reach", detail=detail)


def recorded_command(lock: Path) -> list[str]:
    """Return the command that made a lock.

    Args:
        lock: The lock file.

    Raises:
        InputError: Its second line is not a `uv pip compile` command.
    """
    try:
        command = shlex.split(_recorded_line(lock))
    except ValueError:  # not a command
        command = []
    if command[:3] != ["uv", "pip", "compile"]:
        raise InputError(f"{lock} does not record its command", hint="see CONTRIBUTING.md, locks")
    return command


def _recorded_line(lock: Path) -> str:
    """Return the second line of a lock, which is a comment."""
    return "".join(read_text(lock).splitlines()[1:2]).lstrip("# ")


def _without_output(command: Sequence[str]) -> list[str]:
    """Return a command without its --output-file option."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("-o", "--output-file")
    return parser.parse_known_args(command)[1]


def python_locks() -> list[Path]:
    """Return the hash locks of all Python environments."""
    return sorted(lock for folder in lock_folders() for lock in folder.glob("*.txt"))


def lock_folders() -> tuple[Path, Path]:
    """Return the folders of the Python locks: of the tools, and of the app."""
    return Path("requirements"), Path(load().layout.backend, "requirements")


def node_locks() -> Iterable[Path]:
    """Return the locks of all Node projects."""
    return [load().layout.shipped_packages[1], *Path("requirements").glob("*/package-lock.json")]


if __name__ == "__main__":
    with handle_errors():
        main(sys.argv[1:])
