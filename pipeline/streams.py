"""The standard streams of a command: all three are open, and no fault of theirs ends its work.

A deployment has to go on when `| head` has read enough. What has no reader is dropped, and the exit
code is that of the work. What is lost for another reason, such as a full disk, is told at the end.
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

STDERR = 2


class SafeFile(io.FileIO):
    """An open file that takes everything: from a fault on, what is written goes to /dev/null."""

    fault: OSError | None = None

    def write(self, data: "ReadableBuffer") -> int:
        """Write; wait, where a child made the file non-blocking, as Node does with pipes."""
        try:
            while (written := super().write(data)) is None:
                select.select([], [self], [])
        except OSError as error:
            self.fault = None if isinstance(error, BrokenPipeError) else error
            with Path(os.devnull).open("wb") as nothing:
                os.dup2(nothing.fileno(), self.fileno())  # children have it too
            return memoryview(data).nbytes
        return written


class EscapingStream(io.TextIOWrapper):
    """A stream that escapes what would act on a terminal, and what its encoding does not have."""

    def write(self, text: str) -> int:
        """Write for people."""
        return self.show(escape_control(text))

    def show(self, text: str) -> int:
        """Write as it is: colours, and where to go on."""
        written = super().write(text)
        if self.write_through:
            self.flush()
        return written


def show(text: str, stream: TextIO) -> None:
    """Write escape sequences of our own.

    Args:
        text: With them.
        stream: Where to.
    """
    stream.show(text) if isinstance(stream, EscapingStream) else stream.write(text)
    stream.flush()


def write_raw(text: str, stream: TextIO) -> None:
    """Write what a program is to read, byte for byte: nothing is escaped, and it is UTF-8.

    Args:
        text: Such as a diff.
        stream: Where to.
    """
    stream.flush()
    stream.buffer.write(text.encode(errors="surrogateescape"))
    stream.buffer.flush()


def open_standard_streams() -> None:
    """Open what is closed, and let stdout and stderr last; a second call changes nothing."""
    while (number := os.open(os.devnull, os.O_RDWR)) <= STDERR:  # or a file gets its number
        os.set_inheritable(number, True)  # noqa: FBT003 - it has no name
    os.close(number)
    sys.stdin = sys.stdin or io.TextIOWrapper(io.BufferedReader(io.FileIO(os.devnull)))
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is getattr(sys, f"__{name}__"):  # no test has taken it
            setattr(sys, name, _safe_stream(getattr(sys, name)))


@contextmanager
def standard_streams() -> Iterator[None]:
    """Settle the streams, and say at the end whether stdout took everything.

    Raises:
        OSError: It did not, though its reader is there, and nothing else went wrong.
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
    if isinstance(raw, SafeFile) and raw.fault:
        raise OSError(raw.fault.errno, raw.fault.strerror, "stdout")


def _safe_stream(stream: io.TextIOWrapper | None) -> EscapingStream:
    """A stream to the same file; to nothing, where there was none when this process started."""
    if stream is None:
        nothing = io.BufferedWriter(SafeFile(os.devnull, "wb"))
        return EscapingStream(nothing, encoding="utf-8", errors="backslashreplace")
    return EscapingStream(
        io.BufferedWriter(SafeFile(stream.fileno(), "wb", closefd=False)),
        encoding=stream.encoding,
        errors="backslashreplace",
        line_buffering=stream.line_buffering,
        write_through=stream.write_through,
    )
