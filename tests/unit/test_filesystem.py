"""A file is written whole or not at all, and one that cannot be used is one sentence."""

import errno
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline import filesystem
from pipeline.errors import InconclusiveError, handle_errors
from tests.conftest import ROOT

WRITING = """
from pathlib import Path
from pipeline import filesystem
from pipeline.errors import handle_errors
with handle_errors():
    filesystem.write_files({Path("small"): "new", Path("sub/large"): "x" * 10000, Path("last"):
    "new"})
"""


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


def test_files_get_their_texts_and_keep_their_rights() -> None:
    Path("program").write_text("old")
    Path("program").chmod(0o750)
    Path("link").symlink_to("program")
    filesystem.write_files({Path("link"): "größe\r\n", Path("made/on/the/way"): ""})
    assert Path("program").read_bytes() == "größe\r\n".encode()
    assert Path("program").stat().st_mode & 0o777 == 0o750
    assert Path("link").is_symlink()
    assert Path("made/on/the/way").read_text() == ""
    assert not [*Path().rglob(".new-*")]


def test_where_one_file_has_no_room_none_is_written() -> None:
    """A limit on the size of files is to a program like a full disk."""
    Path("small").write_text("old")
    command = ["bash", "-c", 'ulimit -f 1; exec "$@"', "bash", sys.executable, "-c", WRITING]
    env = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    output = (
        "error: `sub/large` cannot be used: File too large\n\nhint: free some space: df -h sub; "
    )
    assert done.stderr.startswith(output)
    assert done.returncode == 2
    assert Path("small").read_text() == "old"
    assert [path.name for path in Path().rglob("*")] == ["small", "sub"]


def read_loop() -> None:
    Path("loop").symlink_to("loop")
    Path("loop").read_text()


def make_below_a_file() -> None:
    Path("file").touch()
    Path("file/a/b").mkdir(parents=True)


def make_where_a_file_is() -> None:
    Path("file").touch()
    Path("file").mkdir()


def copy_a_pipe() -> None:
    Path("folder").mkdir()
    os.mkfifo("folder/pipe")
    shutil.copytree("folder", "copy")


def fail_with(number: int, path: str | None) -> None:
    raise OSError(number, os.strerror(number), *([path] if path else []))


@pytest.mark.parametrize(
    ("work", "output", "hint"),
    [
        (lambda: Path("none").read_text(), "`none` cannot be used: No such file", "git status"),
        (
            read_loop,
            "`loop` cannot be used: Too many levels of",
            "check the permissions: ls -ld loop",
        ),
        (make_below_a_file, "`file/a/b` cannot be used: Not a dir", "existing file: ls -ld file\n"),
        (
            make_where_a_file_is,
            "`file` cannot be used: File exists",
            "existing file: ls -ld file\n",
        ),
        (
            lambda: fail_with(errno.EROFS, "a/b"),
            "`a/b` cannot be used: Read-only",
            "use a writable",
        ),
        (lambda: fail_with(errno.EACCES, "a/b"), "`a/b` cannot be used: Permission", "ls -ld .\n"),
        (
            lambda: fail_with(errno.ENOSPC, None),
            "a file cannot be used: No space",
            "check the free space",
        ),
        (copy_a_pipe, "`copy/pipe` cannot be written: ", "free some space: df -h copy; "),
    ],
)
def test_a_file_that_cannot_be_used_is_a_sentence_and_a_hint(
    work: Callable[[], object], output: str, hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught, handle_errors():
        work()
    received = capsys.readouterr().err
    assert caught.value.code == 2
    assert received.startswith(f"error: {output}")
    assert hint in received.partition("\n\nhint: ")[2]


@pytest.mark.parametrize("error", [ConnectionRefusedError(errno.ECONNREFUSED, "no"), OSError("x")])
def test_an_error_of_no_file_is_a_fault_of_the_code(error: OSError) -> None:
    with pytest.raises(type(error)) as caught, handle_errors():
        raise error
    assert caught.value is error


def test_what_was_not_judged_is_red_where_that_cannot_be_recorded(
    capsys: pytest.CaptureFixture[str],
) -> None:
    Path("reports").touch()
    with pytest.raises(SystemExit) as caught, handle_errors():
        raise InconclusiveError("audit", "the service is out of reach")
    assert caught.value.code == 2
    output = capsys.readouterr().err
    assert output.startswith("inconclusive: audit: the service is out of reach\n")
    assert "cannot be used: Not a directory\n\nhint: move the existing file: ls -ld" in output
