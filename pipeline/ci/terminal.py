"""Output for terminals of different abilities: width, colours, ASCII only; formatted times."""

import os
import re
import shutil
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from pipeline import streams
from pipeline.escaping import escape_control

_ANSI_COLORS = {"red": 31, "green": 32, "yellow": 33, "dim": 2}
SPINNER_FRAMES = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏·"
_ASCII_FALLBACK = str.maketrans(
    SPINNER_FRAMES, "|/-\\|/-\\|/-"
)  # for a stream with an ASCII encoding
_MINUTE = 60
_TENTHS_BELOW = 10  # seconds; shorter times are printed with one decimal
_ESTIMATE_STEP = 10  # seconds; estimates below a minute are rounded up to a multiple
# CSI, OSC and other escape sequences, then single control characters
# https://ecma-international.org/publications-and-standards/standards/ecma-48
_CONTROL_SEQUENCES = (
    r"\x1b(\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)?|[ -/]*[0-~])|[\x00-\x08\x0b-\x1f\x7f]"
)


@dataclass(frozen=True)
class Terminal:
    """A stream with its abilities: `live` rows that are redrawn, and `colour`."""

    stream: TextIO
    live: bool
    colour: bool

    @property
    def width(self) -> int:
        return shutil.get_terminal_size().columns

    def print(self, text: str = "", *, word: str = "", colour: str = "") -> None:
        """Print a line: a word, in a colour if the stream has colours, and a text."""
        painted = self.colour and colour
        head = f"\x1b[{_ANSI_COLORS[colour]}m{word}\x1b[0m" if painted else word
        self.write(f"{head}{escape_control(self.encodable(text))}\n")

    def write(self, text: str) -> None:
        """Write a text to the stream without escaping control characters."""
        streams.show(text, self.stream)

    def encodable(self, text: str) -> str:
        """Return the text, with ASCII replacements if the stream cannot encode it."""
        try:
            text.encode(self.stream.encoding or "ascii")
        except UnicodeEncodeError:
            return text.translate(_ASCII_FALLBACK)
        return text


def detect_terminal() -> Terminal:
    """Return stdout as a terminal; CI, NO_COLOR and TERM=dumb reduce its abilities."""
    able = sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb"
    # a log of a CI service keeps every redraw as a line
    live = able and not os.environ.get("CI")
    return Terminal(sys.stdout, live=live, colour=able and not os.environ.get("NO_COLOR"))


def plain_lines(text: str) -> list[str]:
    """Return the lines of a text without colours, and without overwritten progress lines.

    Args:
        text: The output of a program. As on a terminal, a carriage return discards the line so far.
    """
    lines = text.replace("\r\n", "\n").rstrip().split("\n")
    return [re.sub(_CONTROL_SEQUENCES, "", line.rstrip("\r").rpartition("\r")[2]) for line in lines]


def log_tail(log: Path, lines: int) -> list[str]:
    """Return the last lines of a log without control sequences, or the error of reading it."""
    try:
        return plain_lines(log.read_bytes().decode(errors="replace"))[-lines:]
    except OSError as error:
        return [f"cannot read the log: {error}"]


def seconds_since(moment: float) -> float:
    """Return the seconds since a Unix time; 0 if the clock was set back in between."""
    return max(0.0, time.time() - moment)


def format_estimate(seconds: float) -> str:
    """Return an estimate in steps of ten seconds, or in minutes from one minute on."""
    short = max(_ESTIMATE_STEP, -(-seconds // _ESTIMATE_STEP) * _ESTIMATE_STEP)
    return f"about {short:.0f} s" if short < _MINUTE else f"about {seconds / _MINUTE:.0f} min"


def format_duration(seconds: float) -> str:
    """Return a duration in the largest unit that fits: days, hours, minutes or seconds."""
    for size, unit in ((86400, "d"), (3600, "h"), (_MINUTE, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.1f} s" if 0 < seconds < _TENTHS_BELOW else f"{seconds:.0f} s"
