"""What a Python lock pins."""

import re
from collections.abc import Iterator

from pipeline.errors import InputError

ENTRY = re.compile(r"^[^\s#].*", re.MULTILINE)
PIN = re.compile(r"(?P<name>[\w.-]+)==(?P<version>[^\s;\\]+)")

Pin = tuple[str, str]
"""A package, and its version."""


def pins(name: str, text: str) -> Iterator[Pin]:
    """Return every pin of a lock, also those for other platforms.

    Args:
        name: Of the lock.
        text: What is in it.

    Raises:
        InputError: It holds something else than pins.
    """
    for line in ENTRY.findall(text):
        pin = PIN.match(line)
        if pin is None:
            raise InputError(f"{name} pins no version here: {line}", hint="nox -s lock")
        yield pin["name"], pin["version"]
