"""The pinned packages of a Python lock, with normalized names and versions.

https://packaging.python.org/en/latest/specifications/name-normalization/
https://packaging.python.org/en/latest/specifications/version-specifiers/
"""

import re
from typing import NamedTuple

from packaging.markers import Marker
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name, canonicalize_version

from pipeline.errors import InputError

_ENTRY = re.compile(r"^[^\s#].*", re.MULTILINE)
_LINE_END = re.compile(r"\s+(?:#|--hash=|\\$).*")

Pin = tuple[str, str]
"""A package and its version."""


class _Locked(NamedTuple):
    """An entry of a lock."""

    pin: Pin
    marker: Marker | None
    """Its environment marker, if it has one."""


def parse_pins(name: str, text: str) -> list[Pin]:
    """Return every pin of a lock, also those for other platforms.

    Args:
        name: The name of the lock.
        text: Its text.

    Raises:
        InputError: A line is not a pin; names every such line.
    """
    return [entry.pin for entry in parse_entries(name, text)]


def parse_entries(name: str, text: str) -> list[_Locked]:
    """Return every entry of a lock, as `parse_pins` does."""
    found = {
        match.start(): _entry(_LINE_END.sub("", match.group())) for match in _ENTRY.finditer(text)
    }
    if wrong := [start for start, entry in found.items() if entry is None]:
        lines = ", ".join(f"{text.count(chr(10), 0, start) + 1}" for start in wrong)
        raise InputError(f"{name} pins no version in line {lines}", hint="nox -s lock")
    return [entry for entry in found.values() if entry]


def normalize(name: str, version: str) -> Pin:
    """Return the normalized name and version of a package."""
    return canonicalize_name(name), canonicalize_version(version, strip_trailing_zero=False)


def _entry(text: str) -> _Locked | None:
    try:
        requirement = Requirement(text)
    except InvalidRequirement:
        return None
    match [*requirement.specifier]:
        case [only] if only.operator == "==" and not only.version.endswith(".*"):
            return _Locked(normalize(requirement.name, only.version), requirement.marker)
    return None
