"""Known vulnerabilities that are excepted for a while: security/exceptions.toml, for every gate."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Protocol

from packaging.utils import canonicalize_name

from pipeline import checker
from pipeline.checker import unknown_name_faults
from pipeline.config import load
from pipeline.files import read_text
from pipeline.schema import Constraint, Table, Text
from pipeline.toml import Fault

FILE = Path("security", "exceptions.toml")
LOCKFILE_ECOSYSTEMS = ("pypi", "npm")
GITHUB = "GHSA"
UNKNOWN_TO_NPM = ("CVE-", "PYSEC-")
"""How names begin that npm's answers never hold: they have those of GitHub."""
MAX_DAYS = 90
MAX_IMAGE_WAIVERS = 4


def normalize_id(name: str) -> str:
    """Return the name of a vulnerability in the letters that its makers write: CVE-…, GHSA-…."""
    kind, dash, rest = name.partition("-")
    kind = kind.upper()
    return f"{kind}{dash}{rest.lower() if kind == GITHUB else rest.upper()}"


class Vulnerability(Protocol):
    """What a scanner found."""

    @property
    def ids(self) -> Collection[str]:
        """Every name that it has."""

    @property
    def package(self) -> str:
        """What has it."""


class Waiver(Table):
    """One entry of the file."""

    id: Text
    package: Text
    found_in: Annotated[tuple[Text, ...], Constraint("a list of at least one place", bool)]
    """Which gates are to except it: `pypi`, `npm`, an image, or an image on a platform."""
    reason: Text
    owner: Text
    expiry: date
    """The last day on which it holds."""

    @classmethod
    def complete(cls, given: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return what was read with its name as its makers write it."""
        name = given.get("id")
        return {**given, "id": normalize_id(name)} if isinstance(name, str) else given

    def __str__(self) -> str:
        return f"{self.id} in {self.package}"

    def covers(self, found: Vulnerability) -> bool:
        """Say whether this is about what a scanner found."""
        is_named = self.id in map(normalize_id, found.ids)
        return is_named and canonicalize_name(self.package) == canonicalize_name(found.package)


class Entries(Table):
    """The file."""

    exceptions: tuple[Waiver, ...] = ()


def waivers_for(places: Collection[str], today: date) -> list[Waiver]:
    """Return what is excepted in one of these places.

    Args:
        places: The names of what is scanned, as `found_in` has them.
        today: From when on an expiry is at most 90 days ahead.

    Raises:
        InputError: Names everything that is wrong with the file, whichever place it is about.
    """
    return [entry for entry in load_waivers(today) if not set(places).isdisjoint(entry.found_in)]


def load_waivers(today: date) -> list[Waiver]:
    """Read the whole file; without one, nothing is excepted.

    Args:
        today: From when on an expiry is at most 90 days ahead.

    Raises:
        InputError: Names everything that is wrong with it.
    """
    if not FILE.exists():
        return []
    rules = (partial(_impossible, today=today), _twice, _too_many)
    hint = "its first lines show a whole entry"
    return [*checker.read_file(Entries, FILE, read_text(FILE), hint=hint, rules=rules).exceptions]


def unwaived(
    found: Collection[Vulnerability], excepted: Iterable[Waiver], today: date
) -> Iterator[str]:
    """Return what stands against a gate, one sentence each: also exceptions that nothing needs.

    Args:
        found: All that the gate's scanner found and the gate does not bear.
        excepted: The exceptions of this gate.
        today: The day on which they must still hold.
    """
    entries = list(excepted)
    for vulnerability in found:
        covering = [entry for entry in entries if entry.covers(vulnerability)]
        if not covering:
            yield str(vulnerability)
        elif len(covering) > 1:
            names = " and ".join(entry.id for entry in covering)
            yield f"{vulnerability}: {len(covering)} exceptions are for it, {names}: keep one"
        elif (last := covering[0].expiry) < today:
            yield f"{vulnerability}: its exception ended on {last}"
    for entry in entries:
        if not any(entry.covers(vulnerability) for vulnerability in found):
            yield f"the exception for {entry} is not needed: take it out of {FILE}"


def _impossible(file: Entries, today: date) -> Iterator[Fault]:
    """Return what no gate would ever judge, or not for too long."""
    shipped = load().images
    images = [*shipped.built, *shipped.third_party]
    targets = (f"{image} on {each}" for image in images for each in shipped.platforms)
    known = {*LOCKFILE_ECOSYSTEMS, *images, *targets}
    for number, entry in _check_entries(file):
        for index, name in enumerate(entry.found_in):
            yield from unknown_name_faults(
                "place", name, known, ("exceptions", number, "found_in", index)
            )
        if "npm" in entry.found_in and entry.id.startswith(UNKNOWN_TO_NPM):
            yield Fault(("exceptions", number, "id"), f"npm knows it by its {GITHUB}-… alone")
        if entry.expiry > today + timedelta(days=MAX_DAYS):
            place = ("exceptions", number, "expiry")
            yield Fault(place, f"it is more than {MAX_DAYS} days ahead")


def _twice(file: Entries) -> Iterator[Fault]:
    seen = set()
    for number, entry in _check_entries(file):
        for index, name in enumerate(entry.found_in):
            about = (entry.id, canonicalize_name(entry.package), name)
            if about in seen:
                place = ("exceptions", number, "found_in", index)
                yield Fault(place, f"there is an exception for {entry} in {name} already")
            seen.add(about)


def _too_many(file: Entries) -> Iterator[Fault]:
    count = sum(
        1
        for _, entry in _check_entries(file)
        if not set(entry.found_in) <= set(LOCKFILE_ECOSYSTEMS)
    )
    if count > MAX_IMAGE_WAIVERS:
        says = f"{count} are for images, where {MAX_IMAGE_WAIVERS} are allowed"
        yield Fault(("exceptions",), says)


def _check_entries(file: Entries) -> Iterator[tuple[int, Waiver]]:
    return ((number, each) for number, each in enumerate(file.exceptions) if each.is_complete)
