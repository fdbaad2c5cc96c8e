"""Run processes; no other module starts one."""

import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event
from typing import Any

from pipeline.errors import MissingToolError

CommandResult = subprocess.CompletedProcess[str]
_TIMEOUT_EXIT_CODE = 124
_SIGNAL_EXIT_BASE = 128  # plus the signal number
_KILL_TIMEOUT = 2.0  # seconds until a killed process has ended
Process = subprocess.Popen[bytes]
_POLL_INTERVAL = 0.5  # seconds
_MAX_COMMAND_SHOWN = 1000  # characters of a command line
_INTERRUPT_TIMEOUT = 180  # seconds, enough to remove containers
REPOSITORY_VARIABLES = frozenset({
    "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_COMMON_DIR", "GIT_CONFIG", "GIT_CONFIG_COUNT",
    "GIT_CONFIG_PARAMETERS", "GIT_DEFAULT_HASH", "GIT_DEFAULT_REF_FORMAT", "GIT_DIFF_OPTS",
    "GIT_DIR", "GIT_EXTERNAL_DIFF", "GIT_GLOB_PATHSPECS", "GIT_GRAFT_FILE", "GIT_ICASE_PATHSPECS",
    "GIT_IMPLICIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_INTERNAL_SUPER_PREFIX",
    "GIT_LITERAL_PATHSPECS", "GIT_NAMESPACE", "GIT_NOGLOB_PATHSPECS", "GIT_NO_REPLACE_OBJECTS",
    "GIT_OBJECT_DIRECTORY", "GIT_PREFIX", "GIT_QUARANTINE_PATH", "GIT_REPLACE_REF_BASE",
    "GIT_SHALLOW_FILE", "GIT_TEMPLATE_DIR", "GIT_WORK_TREE",
})  # fmt: skip
"""Variables that git sets for hooks; they override the folder that git runs in."""


def run(
    command: Sequence[str], *, cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> int:
    """Run a command with its output on this terminal, and return its exit code.

    Args:
        command: The program and its arguments.
        cwd: The folder; the current one by default.
        env: Variables to set in addition to this process's own.

    Raises:
        MissingToolError: There is no such program.
    """
    line = shlex.join(command)
    shown = line if len(line) <= _MAX_COMMAND_SHOWN else f"{line[:_MAX_COMMAND_SHOWN]} …"
    print(f"+ {shown}", file=sys.stderr, flush=True)
    done = subprocess.run(
        _resolve_program(command, env), cwd=cwd, env=_merged_env(env), check=False
    )
    return done.returncode if done.returncode >= 0 else _SIGNAL_EXIT_BASE - done.returncode


def capture(  # noqa: PLR0913 - options of subprocess.run
    command: Sequence[str],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    user: str | None = None,
    stdin: str = "",
    seconds: float | None = None,
) -> CommandResult:
    """Run a command, and return its exit code and its output.

    Args:
        command: The program and its arguments.
        cwd: The folder; the current one by default.
        env: Variables to set in addition to this process's own.
        user: The user to run it as; only root may choose.
        stdin: Its input.
        seconds: The time limit; then it is killed, and its exit code is 124, as of timeout(1). No
            limit by default.

    Raises:
        MissingToolError: There is no such program.
    """
    try:
        return subprocess.run(
            _resolve_program(command, env),
            cwd=cwd,
            env=_merged_env(env),
            user=user,
            check=False,
            input=stdin,
            capture_output=True,
            text=True,
            errors="surrogateescape",  # file names may be any bytes
            timeout=seconds,
        )
    except subprocess.TimeoutExpired:
        return CommandResult(command, _TIMEOUT_EXIT_CODE, "", f"no answer within {seconds:g} s")


def run_interruptible(
    command: Sequence[str], *, cwd: Path, env: Mapping[str, str], stop: Event
) -> CommandResult:
    """Run a command in a process group of its own, and interrupt the group on request.

    Args:
        command: The program and its arguments.
        cwd: The folder.
        env: All of its environment variables.
        stop: Set by another thread to interrupt it, as Ctrl-C does; it gets time to clean up.

    Returns:
        Its exit code, and its stdout and stderr in one text.

    Raises:
        MissingToolError: There is no such program.
    """
    program = _resolve_program(command, env)
    with subprocess.Popen(
        program, cwd=cwd, env=_without_repository(env), stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
         errors="replace", start_new_session=True,
    ) as process:  # fmt: skip
        try:
            return CommandResult(command, *_communicate_until(process, stop), "")
        except KeyboardInterrupt:  # not sent to a process group of its own
            _interrupt_group(process)
            raise


def _communicate_until(process: subprocess.Popen[str], stop: Event) -> tuple[int, str]:
    while True:
        try:
            output, _ = process.communicate(timeout=_POLL_INTERVAL)
        except subprocess.TimeoutExpired:
            if stop.is_set():
                _interrupt_group(process)
        else:
            return process.returncode, output


def _without_repository(env: Mapping[str, str]) -> dict[str, str]:
    """Return environment variables without those that git sets for hooks.

    Args:
        env: All variables of a process.
    """
    return {name: value for name, value in env.items() if name not in REPOSITORY_VARIABLES}


def last_error_line(output: CommandResult) -> str:
    """Return the last line of the stderr of a failed command, without usage hints.

    Args:
        output: The result of the command.
    """
    lines = [line.strip() for line in output.stderr.splitlines()]
    messages = [line for line in lines if line and not line.startswith(("Run '", "See '"))]
    return messages[-1] if messages else "no output"


@contextmanager
def background_process(
    command: Sequence[str], *, cwd: Path | None = None, quiet: bool = False
) -> Iterator[None]:
    """Run a command in the background during the `with` block.

    Args:
        command: The program and its arguments.
        cwd: The folder; the current one by default.
        quiet: Whether to discard its output.

    Raises:
        MissingToolError: There is no such program.
    """
    output = subprocess.DEVNULL if quiet else None
    process = subprocess.Popen(
        _resolve_program(command, None), cwd=cwd, env=_merged_env(None), stdin=subprocess.DEVNULL,
        stdout=output, stderr=output,
    )  # fmt: skip
    try:
        yield
    finally:
        process.terminate()
        process.wait()


@contextmanager
def conversation(
    command: Sequence[str], *, cwd: Path, env: Mapping[str, str], log: Path
) -> Iterator["Conversation"]:
    """Run a command that answers lines of its stdin, and kill it after the `with` block.

    Args:
        command: The program and its arguments.
        cwd: The folder.
        env: Variables to set in addition to this process's own.
        log: The file for its stderr.

    Raises:
        MissingToolError: There is no such program.
    """
    with log.open("wb") as stderr:
        process = subprocess.Popen(
            _resolve_program(command, env), cwd=cwd, env=_merged_env(env), stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=stderr, text=True, start_new_session=True,
        )  # fmt: skip
    try:
        yield Conversation(process)
    finally:
        _signal_groups([process], signal.SIGKILL)  # and its children
        process.communicate()


class Conversation:
    """A process that reads lines and answers with lines."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def ask(self, line: str) -> str:
        """Send a line, and return the answer; empty, if the process has ended."""
        self.send(line)
        return self.receive()

    def send(self, line: str) -> None:
        """Send a line, without waiting for the answer."""
        with suppress(BrokenPipeError):
            print(line, file=self._process.stdin, flush=True)

    def receive(self) -> str:
        """Wait for a line, and return it; empty, if the process has ended."""
        return self._process.stdout.readline() if self._process.stdout else ""

    def wait(self) -> int:
        """Wait until the process has ended, and return its exit code."""
        return self._process.wait()


def start_group(
    command: Sequence[str],
    *,
    log: Path,
    env: Mapping[str, str],
    cwd: Path | None = None,
    holding: Collection[int] = (),
) -> Process:
    """Start a command in a process group of its own, without waiting.

    Args:
        command: The program and its arguments.
        log: The file for its output.
        env: All of its environment variables.
        cwd: The folder; the current one by default.
        holding: Open files that it inherits, such as a lock to hold while it runs.

    Raises:
        MissingToolError: There is no such program.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        return subprocess.Popen(
            _resolve_program(command, env),
            cwd=cwd,
            env=_without_repository(env),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=[*holding],
        )


def terminate_groups(processes: Collection[Process], *, seconds: float) -> None:
    """Terminate process groups, and kill the processes that are left.

    Args:
        processes: The leaders of the groups.
        seconds: Time to end after SIGTERM.
    """
    _signal_groups(processes, signal.SIGTERM)
    try:
        _wait_for(processes, seconds)
    finally:  # also if it is interrupted again
        _signal_groups(processes, signal.SIGKILL)
        _wait_for(processes, _KILL_TIMEOUT)


def _wait_for(processes: Collection[Process], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while any(_group_is_alive(process) for process in processes) and time.monotonic() < deadline:
        time.sleep(0.02)


def _group_is_alive(process: Process) -> bool:
    """Return whether any process of the group is left."""
    process.poll()
    try:
        os.killpg(process.pid, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def _signal_groups(processes: Collection[subprocess.Popen[Any]], number: signal.Signals) -> None:
    for process in processes:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, number)


def _interrupt_group(group: subprocess.Popen[str]) -> None:
    """Interrupt a group, and kill its descendants that are left after a while."""
    family = {group.pid, *_descendants(group.pid)}
    os.killpg(group.pid, signal.SIGINT)
    with suppress(subprocess.TimeoutExpired):
        group.communicate(timeout=_INTERRUPT_TIMEOUT)
    for pid in family:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _descendants(pid: int) -> Iterator[int]:
    """Yield the child processes of a process, and theirs."""
    rows = [line.split() for line in capture(["ps", "-axo", "ppid=,pid="]).stdout.splitlines()]
    for parent, child in rows:
        if int(parent) == pid:
            yield int(child)
            yield from _descendants(int(child))


def _resolve_program(command: Sequence[str], env: Mapping[str, str] | None) -> list[str]:
    program, *arguments = command
    path = shutil.which(program, path=(env or {}).get("PATH"))
    if path is None:
        raise MissingToolError(
            f"no such program: `{program}`", hint=f"install {program}, or put it on the PATH"
        )
    return [path, *arguments]


def _merged_env(env: Mapping[str, str] | None) -> dict[str, str]:
    return {**_without_repository(os.environ), **(env or {})}
