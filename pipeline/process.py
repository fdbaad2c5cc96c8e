"""The only place that starts processes."""

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
TIMEOUT_EXIT_CODE = 124
SIGNAL_EXIT_BASE = 128  # and the signal's number: the exit code of what a signal ended
KILL_TIMEOUT = 2.0  # seconds that a killed process may take until it is gone
Process = subprocess.Popen[bytes]
POLL_INTERVAL = 0.5  # seconds between looks at whether to stop
MAX_COMMAND_SHOWN = 1000  # characters of a command line
INTERRUPT_TIMEOUT = 180  # seconds: what stands in a Docker Engine is to go
REPOSITORY_VARIABLES = frozenset({
    "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_COMMON_DIR", "GIT_CONFIG", "GIT_CONFIG_COUNT",
    "GIT_CONFIG_PARAMETERS", "GIT_DEFAULT_HASH", "GIT_DEFAULT_REF_FORMAT", "GIT_DIFF_OPTS",
    "GIT_DIR", "GIT_EXTERNAL_DIFF", "GIT_GLOB_PATHSPECS", "GIT_GRAFT_FILE", "GIT_ICASE_PATHSPECS",
    "GIT_IMPLICIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_INTERNAL_SUPER_PREFIX",
    "GIT_LITERAL_PATHSPECS", "GIT_NAMESPACE", "GIT_NOGLOB_PATHSPECS", "GIT_NO_REPLACE_OBJECTS",
    "GIT_OBJECT_DIRECTORY", "GIT_PREFIX", "GIT_QUARANTINE_PATH", "GIT_REPLACE_REF_BASE",
    "GIT_SHALLOW_FILE", "GIT_TEMPLATE_DIR", "GIT_WORK_TREE",
})  # fmt: skip
"""What git tells its hooks of their repository: it wins over the folder that a program runs in."""


def run(
    command: Sequence[str], *, cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> int:
    """Run a command in the open and return its exit code, as a shell has it.

    Args:
        command: The program and its arguments.
        cwd: Where to run it; here, if not given.
        env: Variables to set on top of this process's own.

    Raises:
        MissingToolError: There is no such program.
    """
    line = shlex.join(command)
    shown = line if len(line) <= MAX_COMMAND_SHOWN else f"{line[:MAX_COMMAND_SHOWN]} …"
    print(f"+ {shown}", file=sys.stderr, flush=True)
    done = subprocess.run(
        _resolve_program(command, env), cwd=cwd, env=_merged_env(env), check=False
    )
    return done.returncode if done.returncode >= 0 else SIGNAL_EXIT_BASE - done.returncode


def capture(  # noqa: PLR0913 - each says one thing about the process
    command: Sequence[str],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    user: str | None = None,
    stdin: str = "",
    seconds: float | None = None,
) -> CommandResult:
    """Run a command quietly; return its exit code and what it printed.

    Args:
        command: The program and its arguments.
        cwd: Where to run it; here, if not given.
        env: Variables to set on top of this process's own.
        user: Whose rights to run it with; only root may choose.
        stdin: What to give it to read; nothing, if not given.
        seconds: How long it may take; then it is killed, and its exit code is 124, as timeout(1)
            has it. As long as it likes, if not given.

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
        return CommandResult(command, TIMEOUT_EXIT_CODE, "", f"no answer within {seconds:g} s")


def run_interruptible(
    command: Sequence[str], *, cwd: Path, env: Mapping[str, str], stop: Event
) -> CommandResult:
    """Run a command with all that it starts as one group, and end the group when asked to.

    Args:
        command: The program and its arguments.
        cwd: Where to run it.
        env: All of its variables.
        stop: Set by another thread to interrupt it, as Ctrl-C does; it is given time to clean up.

    Returns:
        Its exit code, and what it printed on stdout and stderr as it came.

    Raises:
        MissingToolError: There is no such program.
    """
    program = _resolve_program(command, env)
    with subprocess.Popen(
        program, cwd=cwd, env=without_repository(env), stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
         errors="replace", start_new_session=True,
    ) as process:  # fmt: skip
        try:
            return CommandResult(command, *_communicate_until(process, stop), "")
        except KeyboardInterrupt:  # which a group of its own does not hear of
            _interrupt_group(process)
            raise


def _communicate_until(process: subprocess.Popen[str], stop: Event) -> tuple[int, str]:
    while True:
        try:
            output, _ = process.communicate(timeout=POLL_INTERVAL)
        except subprocess.TimeoutExpired:
            if stop.is_set():
                _interrupt_group(process)
        else:
            return process.returncode, output


def without_repository(env: Mapping[str, str]) -> dict[str, str]:
    """Return variables without those that name a repository of git, as a hook has them.

    Args:
        env: All of a process's variables.
    """
    return {name: value for name, value in env.items() if name not in REPOSITORY_VARIABLES}


def last_error_line(output: CommandResult) -> str:
    """Return why a command failed, in its own words: the last line on its stderr that says so.

    Args:
        output: Of a command that failed.
    """
    lines = [line.strip() for line in output.stderr.splitlines()]
    telling = [line for line in lines if line and not line.startswith(("Run '", "See '"))]
    return telling[-1] if telling else "it said nothing"


@contextmanager
def background_process(
    command: Sequence[str], *, cwd: Path | None = None, quiet: bool = False
) -> Iterator[None]:
    """Run a command beside what is inside the `with`, and end it afterwards.

    Args:
        command: The program and its arguments.
        cwd: Where to run it; here, if not given.
        quiet: Whether to throw its output away.

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
    """Run a command that answers lines of its stdin, and end it with what is inside the `with`.

    Args:
        command: The program and its arguments.
        cwd: Where to run it.
        env: Variables to set on top of this process's own.
        log: The file that gets what it prints on stderr.

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
        _signal_groups([process], signal.SIGKILL)  # with what it has forked
        process.communicate()


class Conversation:
    """A process that is told lines, and answers with lines."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def ask(self, line: str) -> str:
        """Say a line, and return the answer; it is empty if the process has ended."""
        self.say(line)
        return self.hear()

    def say(self, line: str) -> None:
        """Say a line, and do not wait for the answer."""
        with suppress(BrokenPipeError):
            print(line, file=self._process.stdin, flush=True)

    def hear(self) -> str:
        """Wait for a line, and return it; it is empty if the process has ended."""
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
    """Start a command as the head of a group of its own, and go on.

    Args:
        command: The program and its arguments.
        log: The file that gets all it prints.
        env: The whole of its environment.
        cwd: Where to run it; here, if not given.
        holding: Open files to hand on, such as a lock that is to last as long as it runs.

    Raises:
        MissingToolError: There is no such program.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        return subprocess.Popen(
            _resolve_program(command, env),
            cwd=cwd,
            env=without_repository(env),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=[*holding],
        )


def terminate_groups(processes: Collection[Process], *, seconds: float) -> None:
    """End groups that were started: ask, then kill what is still there.

    Args:
        processes: The heads of the groups.
        seconds: How long they may take to leave in order.
    """
    _signal_groups(processes, signal.SIGTERM)
    try:
        _wait_for(processes, seconds)
    finally:  # whoever is impatient and interrupts again gets the kill
        _signal_groups(processes, signal.SIGKILL)
        _wait_for(processes, KILL_TIMEOUT)


def _wait_for(processes: Collection[Process], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while any(_group_is_alive(process) for process in processes) and time.monotonic() < deadline:
        time.sleep(0.02)


def _group_is_alive(process: Process) -> bool:
    """Whether any process of the group is left, be it that its head is gone."""
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
    """Interrupt a group, and kill what is left after a while, in groups of its own too."""
    family = {group.pid, *_descendants(group.pid)}
    os.killpg(group.pid, signal.SIGINT)
    with suppress(subprocess.TimeoutExpired):
        group.communicate(timeout=INTERRUPT_TIMEOUT)
    for pid in family:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _descendants(pid: int) -> Iterator[int]:
    """Yield the processes that one has started, and what those have started."""
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
    return {**without_repository(os.environ), **(env or {})}
