"""Temporary exceptions for known vulnerabilities: security/exceptions.toml, for every check."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Protocol

from packaging.utils import canonicalize_name

from pipeline import toml_checker
from pipeline.config import load
from pipeline.files import read_text
from pipeline.toml import Fault
from pipeline.toml_checker import unknown_name_faults
from pipeline.toml_schema import Constraint, Table, Text

_FILE = Path("security", "exceptions.toml")
_LOCKFILE_ECOSYSTEMS = ("pypi", "npm")
GITHUB = "GHSA"
_UNKNOWN_TO_NPM = ("CVE-", "PYSEC-")
"""Prefixes of ids that npm's advisories do not have; they have those of GitHub."""
_MAX_DAYS = 90
_MAX_IMAGE_WAIVERS = 4


def normalize_id(name: str) -> str:
    """Return the id of a vulnerability in its official spelling: CVE-…, GHSA-…."""
    kind, dash, rest = name.partition("-")
    kind = kind.upper()
    return f"{kind}{dash}{rest.lower() if kind == GITHUB else rest.upper()}"


class _Vulnerability(Protocol):
    """A finding of a scanner."""

    @property
    def ids(self) -> Collection[str]:
        """All its ids."""

    @property
    def package(self) -> str:
        """The affected package."""


class Waiver(Table):
    """One entry of the file."""

    id: Text
    package: Text
    found_in: Annotated[tuple[Text, ...], Constraint("a list of at least one place", bool)]
    """Where it applies: `pypi`, `npm`, an image, or an image on a platform."""
    reason: Text
    owner: Text
    expiry: date
    """The last day on which it is valid."""

    @classmethod
    def complete(cls, given: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the parsed values with the id in its official spelling."""
        name = given.get("id")
        return {**given, "id": normalize_id(name)} if isinstance(name, str) else given

    def __str__(self) -> str:
        return f"{self.id} in {self.package}"

    def covers(self, found: _Vulnerability) -> bool:
        """Return whether this is about a finding."""
        is_named = self.id in map(normalize_id, found.ids)
        return is_named and canonicalize_name(self.package) == canonicalize_name(found.package)


class _Entries(Table):
    """The file."""

    exceptions: tuple[Waiver, ...] = ()


def waivers_for(places: Collection[str], today: date) -> list[Waiver]:
    """Return the exceptions that apply to one of these targets.

    Args:
        places: The names of the targets, as in `found_in`.
        today: An expiry is at most 90 days after this day.

    Raises:
        InputError: Names every error in the file, also those of other targets.
    """
    return [entry for entry in load_waivers(today) if not set(places).isdisjoint(entry.found_in)]


def load_waivers(today: date) -> list[Waiver]:
    """Read the file; without one, there are no exceptions.

    Args:
        today: An expiry is at most 90 days after this day.

    Raises:
        InputError: Names every error in the file.
    """
    if not _FILE.exists():
        return []
    rules = (partial(_impossible, today=today), _twice, _too_many)
    hint = "see the example in the first lines of the file"
    return [
        *toml_checker.read_file(
            _Entries, _FILE, read_text(_FILE), hint=hint, rules=rules
        ).exceptions
    ]


def unwaived(
    found: Collection[_Vulnerability], waivers: Iterable[Waiver], today: date
) -> Iterator[str]:
    """Yield a sentence for each finding without a valid exception, and for each unused exception.

    Args:
        found: The findings that the check does not accept.
        waivers: The exceptions for this check.
        today: The day on which they must not have expired.
    """
    entries = list(waivers)
    for vulnerability in found:
        covering = [entry for entry in entries if entry.covers(vulnerability)]
        if not covering:
            yield str(vulnerability)
        elif len(covering) > 1:
            names = " and ".join(entry.id for entry in covering)
            yield f"{vulnerability}: {len(covering)} exceptions apply to it, {names}: keep one"
        elif (last := covering[0].expiry) < today:
            yield f"{vulnerability}: its exception expired on {last}"
    for entry in entries:
        if not any(entry.covers(vulnerability) for vulnerability in found):
            yield f"the exception for {entry} is not needed: remove it from {_FILE}"


def _impossible(file: _Entries, today: date) -> Iterator[Fault]:
    """Yield entries that no check would use, or that expire too late."""
    shipped = load().images
    images = [*shipped.built, *shipped.third_party]
    targets = (f"{image} on {each}" for image in images for each in shipped.platforms)
    known = {*_LOCKFILE_ECOSYSTEMS, *images, *targets}
    for number, entry in _check_entries(file):
        for index, name in enumerate(entry.found_in):
            yield from unknown_name_faults(
                "place", name, known, ("exceptions", number, "found_in", index)
            )
        if "npm" in entry.found_in and entry.id.startswith(_UNKNOWN_TO_NPM):
            yield Fault(("exceptions", number, "id"), f"npm has only its {GITHUB}-… id")
        if entry.expiry > today + timedelta(days=_MAX_DAYS):
            place = ("exceptions", number, "expiry")
            yield Fault(place, f"it is more than {_MAX_DAYS} days ahead")


def _twice(file: _Entries) -> Iterator[Fault]:
    seen = set()
    for number, entry in _check_entries(file):
        for index, name in enumerate(entry.found_in):
            about = (entry.id, canonicalize_name(entry.package), name)
            if about in seen:
                place = ("exceptions", number, "found_in", index)
                yield Fault(place, f"there is another exception for {entry} in {name}")
            seen.add(about)


def _too_many(file: _Entries) -> Iterator[Fault]:
    count = sum(
        1
        for _, entry in _check_entries(file)
        if not set(entry.found_in) <= set(_LOCKFILE_ECOSYSTEMS)
    )
    if count > _MAX_IMAGE_WAIVERS:
        message = f"{count} are for images, but only {_MAX_IMAGE_WAIVERS} are allowed"
        yield Fault(("exceptions",), message)


def _check_entries(file: _Entries) -> Iterator[tuple[int, Waiver]]:
    return ((number, each) for number, each in enumerate(file.exceptions) if each.is_complete)
