"""A command finishes its work if its output cannot be written, and reports that in one sentence."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from pipeline import git, scratch_repository
from pipeline.scratch_repository import ScratchRepository
from tests.conftest import ROOT

BIN = Path(sys.executable).parent
STRANGE = os.fsdecode(b"docs/\xed\n|\x1b[8m\xe2\x80\xae.txt")
COMMANDS = {
    "task": ("invoke", "ci", "--plan"),
    "list": ("invoke", "--list"),
    "diff": ("invoke", "init", "--name=acme-shop", "--dry-run"),
    "help": (sys.executable, "-m", "pipeline.node", "--help"),
    "gate": (sys.executable, "-m", "pipeline.parity", "--format=sarif"),
    "names": (sys.executable, "-m", "pipeline.git", "ls-files", "-z"),
    "dev": (f"{ROOT}/dev",),
}
BYTES = {"diff", "names", "dev"}
"""What hands on bytes: a patch, and paths."""
CLOSED = {"stdout": ">&-", "the others": "<&- 2>&-"}
ASCII = {"PYTHONIOENCODING": "ascii"}
TRACE = re.compile(r"Traceback|Error:|Exception ignored")
Done = subprocess.CompletedProcess[bytes]


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of this repository on a branch, with a link in a circle and a file of any bytes."""
    folder = tmp_path_factory.mktemp("ends")
    scratch_repository.copy_files(git.files(cwd=ROOT), folder, ROOT)
    (folder / "docs/loop").symlink_to("loop")
    (folder / "docs/marked.txt").write_text("größe  # kit\n")
    repository = ScratchRepository(folder)
    repository.init("main")
    repository.git("switch", "--quiet", "--create=work")
    (folder / STRANGE).write_text("words\n")
    repository.commit("Add a file")
    return folder


def run(
    folder: Path,
    command: Sequence[str],
    stdout: int = subprocess.PIPE,
    env: Mapping[str, str] | None = None,
) -> Done:
    env = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", **(env or {})}
    return subprocess.run(
        command, cwd=folder, env=env, stdout=stdout, stderr=subprocess.PIPE, check=False
    )


def no_traceback(done: Done) -> bool:
    output = done.stderr + (done.stdout or b"")
    return not TRACE.search(output.decode(errors="replace"))


@pytest.mark.parametrize("ends", CLOSED)
@pytest.mark.parametrize("name", COMMANDS)
def test_a_stream_that_is_closed_is_no_fault(there: Path, name: str, ends: str) -> None:
    done = run(there, ["bash", "-c", f'"$@" {CLOSED[ends]}', "bash", *COMMANDS[name]])
    assert done.returncode == 0, done.stderr
    assert no_traceback(done)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_reader_that_leaves_ends_no_work(there: Path, name: str) -> None:
    ours, theirs = os.pipe()
    os.close(ours)
    done = run(there, COMMANDS[name], stdout=theirs)
    os.close(theirs)
    assert done.returncode == (-13 if name == "dev" else 0)  # it ends as cat(1) does
    assert done.stderr == b""


@pytest.mark.parametrize("name", [name for name in COMMANDS if name != "list"])  # that is invoke's
def test_what_a_full_disk_did_not_take_is_told(there: Path, name: str) -> None:
    with Path("/dev/full").open("wb") as full:
        done = run(there, COMMANDS[name], stdout=full.fileno())
    assert no_traceback(done)
    assert done.returncode == (1 if name == "dev" else 2)
    assert re.search(rb"^error: .*No space left on device\n\nhint: ", done.stderr)


@pytest.mark.parametrize("env", [ASCII, {"LC_ALL": "C"}], ids=["ascii", "C"])
@pytest.mark.parametrize("name", COMMANDS)
def test_a_stream_without_utf_8_shows_everything(
    there: Path, name: str, env: dict[str, str]
) -> None:
    done = run(there, COMMANDS[name], env=env)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.isascii() or name in BYTES or env is not ASCII


def test_no_name_of_a_file_acts_on_a_terminal_or_breaks_a_line(there: Path) -> None:
    output = run(there, COMMANDS["task"]).stdout.decode()
    assert r"'docs/\udced\n|\x1b[8m\u202e.txt'" in output
    assert "\x1b" not in output


def test_a_diff_is_the_same_bytes_in_every_encoding(there: Path) -> None:
    usual, ascii_only = (run(there, COMMANDS["diff"], env=env) for env in ({}, ASCII))
    assert usual.stdout == ascii_only.stdout
    assert "-größe  # kit\n".encode() in usual.stdout


PRINTING = "from pipeline import streams; streams.open_standard_streams(); print({!r})"


def test_what_would_act_on_a_terminal_is_written_out() -> None:
    output = run(
        ROOT, [sys.executable, "-c", PRINTING.format("a\x1b[31mb\r\x85\u202e\udced\tc\nd")]
    )
    assert output.stdout == rb"a\x1b[31mb\r\x85\u202e\udced" + b"\tc\nd\n"


def test_a_reader_that_is_slow_gets_all_through_a_pipe_that_does_not_block() -> None:
    ours, theirs = os.pipe()
    os.set_blocking(theirs, False)  # as Node leaves a pipe
    code = f"{PRINTING.format('')}; print('x' * 1000000)"
    with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=theirs):
        os.close(theirs)
        with open(ours, "rb") as reader:  # noqa: PTH123 - it has no path
            assert reader.read() == b"\n" + b"x" * 1000000 + b"\n"


def test_a_child_finds_no_file_of_ours_where_stdout_was() -> None:
    code = "import os; from pipeline import streams; streams.open_standard_streams(); "
    code += "os.system('echo lost')"
    kept = ["bash", "-c", '"$@" >&-', "bash", sys.executable, "-c", code]
    assert run(ROOT, kept).stderr == b""


def test_every_command_of_the_pipeline_reports_in_one_way() -> None:
    """What runs inside of the product has no streams but those of its caller."""
    mains = [
        path
        for path in (ROOT / "pipeline").rglob("*.py")
        if '__name__ == "__main__"' in path.read_text() and path.parent.name != "django_runner"
    ]
    assert mains
    for path in mains:
        assert "\n    with handle_errors():\n" in path.read_text(), path
