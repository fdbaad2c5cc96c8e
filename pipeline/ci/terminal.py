"""What the terminal can show: its width, colours, and signs beyond ASCII."""

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

ANSI_COLORS = {"red": 31, "green": 32, "yellow": 33, "dim": 2}
SPINNER_FRAMES = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏·"
ASCII_FALLBACK = str.maketrans(SPINNER_FRAMES, "|/-\\|/-\\|/-")  # for a stream that has ASCII only
MINUTE = 60
TENTHS_BELOW = 10  # seconds, below which tenths are told
ESTIMATE_STEP = 10  # seconds, in which an estimate of less than a minute is told
# CSI, OSC and other escape sequences, then what is left of control characters
# https://ecma-international.org/publications-and-standards/standards/ecma-48
CONTROL_SEQUENCES = (
    r"\x1b(\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)?|[ -/]*[0-~])|[\x00-\x08\x0b-\x1f\x7f]"
)


@dataclass(frozen=True)
class Terminal:
    """A stream that people read."""

    stream: TextIO
    live: bool
    colour: bool

    @property
    def width(self) -> int:
        """How many columns there are."""
        return shutil.get_terminal_size().columns

    def print(self, text: str = "", *, word: str = "", colour: str = "") -> None:
        """Print a line: a word, in a colour where there are any, and a text."""
        painted = self.colour and colour
        head = f"\x1b[{ANSI_COLORS[colour]}m{word}\x1b[0m" if painted else word
        self.write(f"{head}{escape_control(self.encodable(text))}\n")

    def write(self, text: str) -> None:
        """Write to the stream, escape sequences too."""
        streams.show(text, self.stream)

    def encodable(self, text: str) -> str:
        """Return a text with signs of ASCII, if the stream cannot encode it."""
        try:
            text.encode(self.stream.encoding or "ascii")
        except UnicodeEncodeError:
            return text.translate(ASCII_FALLBACK)
        return text


def detect_terminal() -> Terminal:
    """Return what stdout is connected to."""
    able = sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb"
    live = able and not os.environ.get("CI")
    return Terminal(sys.stdout, live=live, colour=able and not os.environ.get("NO_COLOR"))


def plain_lines(text: str) -> list[str]:
    """Return the lines of a text as a terminal would leave them, without colours and progress.

    Args:
        text: As a program wrote it; after a carriage return the line begins anew.
    """
    lines = text.replace("\r\n", "\n").rstrip().split("\n")
    return [re.sub(CONTROL_SEQUENCES, "", line.rstrip("\r").rpartition("\r")[2]) for line in lines]


def log_tail(log: Path, lines: int) -> list[str]:
    """Return the last lines of a log, plain; what was in the way, if it cannot be read.

    Args:
        log: The file.
        lines: How many.
    """
    try:
        return plain_lines(log.read_bytes().decode(errors="replace"))[-lines:]
    except OSError as error:
        return [f"its log cannot be read: {error}"]


def seconds_since(moment: float) -> float:
    """Return how many seconds ago a moment was; none, where the clock was put back."""
    return max(0.0, time.time() - moment)


def format_estimate(seconds: float) -> str:
    """Return an estimate: in steps of ten seconds, from a minute on in minutes.

    Args:
        seconds: How long it is.
    """
    short = max(ESTIMATE_STEP, -(-seconds // ESTIMATE_STEP) * ESTIMATE_STEP)
    return f"about {short:.0f} s" if short < MINUTE else f"about {seconds / MINUTE:.0f} min"


def format_duration(seconds: float) -> str:
    """Return a time in the largest unit that fits.

    Args:
        seconds: How long it is.
    """
    for size, unit in ((86400, "d"), (3600, "h"), (MINUTE, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.1f} s" if 0 < seconds < TENTHS_BELOW else f"{seconds:.0f} s"
