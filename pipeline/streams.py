"""Make the standard streams of a command safe.

All are open, and a write error does not end the work.

A deployment must go on after `| head` has read enough. Output without a reader is dropped, and the
exit code is that of the work. Other write errors, such as a full disk, are reported at the end.
"""

import io
import os
import select
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from pipeline.escaping import escape_control

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

_STDERR = 2


class _SafeFile(io.FileIO):
    """An open file that accepts all writes: after an error, output goes to /dev/null."""

    fault: OSError | None = None

    def write(self, data: "ReadableBuffer") -> int:
        """Write; wait, if a child process made the file non-blocking, as Node does with pipes."""
        try:
            while (written := super().write(data)) is None:
                select.select([], [self], [])
        except OSError as error:
            self.fault = None if isinstance(error, BrokenPipeError) else error
            with Path(os.devnull).open("wb") as nothing:
                os.dup2(nothing.fileno(), self.fileno())  # for child processes too
            return memoryview(data).nbytes
        return written


class _EscapingStream(io.TextIOWrapper):
    """A stream that escapes control characters, and characters that its encoding lacks."""

    def write(self, text: str) -> int:
        """Write text for people."""
        return self.show(escape_control(text))

    def show(self, text: str) -> int:
        """Write text with its escape sequences."""
        written = super().write(text)
        if self.write_through:
            self.flush()
        return written


def show(text: str, stream: TextIO) -> None:
    """Write text with escape sequences.

    Args:
        text: The text.
        stream: The stream.
    """
    stream.show(text) if isinstance(stream, _EscapingStream) else stream.write(text)
    stream.flush()


def write_raw(text: str, stream: TextIO) -> None:
    """Write text for programs: UTF-8, without escaping.

    Args:
        text: Such as a diff.
        stream: The stream.
    """
    stream.flush()
    stream.buffer.write(text.encode(errors="surrogateescape"))
    stream.buffer.flush()


def open_standard_streams() -> None:
    """Open closed streams, and make stdout and stderr safe; it may be called twice."""
    while (
        number := os.open(os.devnull, os.O_RDWR)
    ) <= _STDERR:  # so that no other file gets its number
        os.set_inheritable(number, True)  # noqa: FBT003 - positional only
    os.close(number)
    sys.stdin = sys.stdin or io.TextIOWrapper(io.BufferedReader(io.FileIO(os.devnull)))
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is getattr(sys, f"__{name}__"):  # not replaced by a test
            setattr(sys, name, _safe_stream(getattr(sys, name)))


@contextmanager
def standard_streams() -> Iterator[None]:
    """Make the streams safe, and check at the end that stdout took everything.

    Raises:
        OSError: A write failed although there is a reader, and nothing else went wrong.
    """
    open_standard_streams()
    try:
        yield
    except SystemExit as left:
        if not left.code:
            _probe_stdout()
        raise
    _probe_stdout()


def _probe_stdout() -> None:
    sys.stdout.flush()
    raw = getattr(getattr(sys.stdout, "buffer", None), "raw", None)
    if isinstance(raw, _SafeFile) and raw.fault:
        raise OSError(raw.fault.errno, raw.fault.strerror, "stdout")


def _safe_stream(stream: io.TextIOWrapper | None) -> _EscapingStream:
    """Return a stream to the same file; to /dev/null, if it was closed."""
    if stream is None:
        nothing = io.BufferedWriter(_SafeFile(os.devnull, "wb"))
        return _EscapingStream(nothing, encoding="utf-8", errors="backslashreplace")
    return _EscapingStream(
        io.BufferedWriter(_SafeFile(stream.fileno(), "wb", closefd=False)),
        encoding=stream.encoding,
        errors="backslashreplace",
        line_buffering=stream.line_buffering,
        write_through=stream.write_through,
    )
