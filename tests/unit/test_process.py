import os
import shlex
import signal
import sys
from pathlib import Path
from threading import Event

import pytest

from pipeline.errors import MissingToolError
from pipeline.process import capture, last_error_line, run, run_interruptible
from tests.waiting import until


def test_it_shows_the_command_and_returns_its_exit_code(capfd: pytest.CaptureFixture[str]) -> None:
    code = run([sys.executable, "-c", "print('out'); raise SystemExit(3)"])
    captured = capfd.readouterr()
    assert code == 3
    assert captured.out == "out\n"
    python = shlex.quote(sys.executable)
    assert captured.err == f"+ {python} -c 'print('\"'\"'out'\"'\"'); raise SystemExit(3)'\n"


def test_the_exit_code_of_what_a_signal_ended_is_that_of_a_shell() -> None:
    assert run(["sh", "-c", "kill -PIPE $$"]) == 128 + signal.SIGPIPE


def test_a_program_that_is_not_there_is_an_error_with_a_hint() -> None:
    with pytest.raises(MissingToolError, match="no such program: `nodee`") as caught:
        capture(["nodee", "--version"])
    assert caught.value.hint == "install nodee, or put it on the PATH"


def test_reading_is_quiet_and_adds_to_the_environment(tmp_path: Path) -> None:
    script = "import os; print(os.environ['NAME'], os.getcwd(), 'PATH' in os.environ)"
    result = capture([sys.executable, "-c", script], cwd=tmp_path, env={"NAME": "value"})
    assert result.stdout == f"value {tmp_path} True\n"


def test_the_program_is_looked_for_on_the_path_that_it_is_given(tmp_path: Path) -> None:
    program = tmp_path / "greet"
    program.write_text("#!/bin/sh\necho hello\n")
    program.chmod(0o755)
    assert capture(["greet"], env={"PATH": str(tmp_path)}).stdout == "hello\n"


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ("one\ntwo\n", "two"),
        (
            "docker: no such image\n\nRun 'docker run --help' for more information\n",
            "docker: no such image",
        ),
        ("\n", "no output"),
    ],
)
def test_why_a_command_failed_is_its_last_line_that_says_so(message: str, words: str) -> None:
    output = capture([sys.executable, "-c", f"import sys; sys.exit({message!r})"])
    assert last_error_line(output) == words


def test_a_command_that_gives_no_answer_in_time_is_killed() -> None:
    output = capture([sys.executable, "-c", "import time; time.sleep(60)"], seconds=0.5)
    assert output.returncode == 124
    assert output.stderr == "no answer within 0.5 s"


def test_an_attended_command_says_all_on_one_stream_and_has_only_its_variables(
    tmp_path: Path,
) -> None:
    script = "import os, sys; print(*os.environ); print('err', file=sys.stderr); sys.exit(3)"
    env = {"PATH": os.environ["PATH"], "NAME": "value"}
    output = run_interruptible([sys.executable, "-c", script], cwd=tmp_path, env=env, stop=Event())
    assert output.returncode == 3
    assert "NAME" in output.stdout
    assert "HOME" not in output.stdout
    assert "err" in output.stdout


def test_an_attended_command_is_interrupted_with_all_that_it_started(tmp_path: Path) -> None:
    pid = tmp_path / "pid"

    class Started(Event):
        def is_set(self) -> bool:
            return pid.exists() and bool(pid.read_text())

    command = ["sh", "-c", f"sh -c 'echo $$ > {pid}; exec sleep 600'; echo never"]
    output = run_interruptible(command, cwd=tmp_path, env=os.environ, stop=Started())
    assert output.returncode != 0
    until(lambda: not Path("/proc", pid.read_text().strip()).exists(), "its child goes on")


def test_a_ctrl_c_between_two_looks_ends_an_attended_command_too(tmp_path: Path) -> None:
    pid = tmp_path / "pid"

    class Pressed(Event):
        def is_set(self) -> bool:
            if pid.exists() and pid.read_text():
                raise KeyboardInterrupt
            return False

    command = ["sh", "-c", f"echo $$ > {pid}; exec sleep 600"]
    with pytest.raises(KeyboardInterrupt):
        run_interruptible(command, cwd=tmp_path, env=os.environ, stop=Pressed())
    assert not Path("/proc", pid.read_text().strip()).exists()
