"""Known vulnerabilities that are excepted for a while: security/exceptions.toml, for every gate."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Any, Protocol

from packaging.utils import canonicalize_name
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
)

from pipeline.config import load
from pipeline.errors import InputError
from pipeline.files import read_toml
from pipeline.validation import sentences

FILE = Path("security", "exceptions.toml")
LOCKED = ("pypi", "npm")
GITHUB = "GHSA"
STRANGE_TO_NPM = ("CVE-", "PYSEC-")
"""How names begin that npm's answers never hold: they have those of GitHub."""
MOST_DAYS = 90
MOST_IN_IMAGES = 4

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


def spelled(name: str) -> str:
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


class Exemption(BaseModel):
    """One entry of the file."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    id: Annotated[Text, AfterValidator(spelled)]
    package: Text
    found_in: list[Text] = Field(min_length=1)
    """Which gates are to except it: `pypi`, `npm`, an image, or an image on a platform."""
    reason: Text
    owner: Text
    expiry: date
    """The last day on which it holds."""

    def __str__(self) -> str:
        return f"{self.id} in {self.package}"

    def covers(self, found: Vulnerability) -> bool:
        """Say whether this is about what a scanner found."""
        is_named = self.id in map(spelled, found.ids)
        return is_named and canonicalize_name(self.package) == canonicalize_name(found.package)


def exemptions(places: Collection[str], today: date) -> list[Exemption]:
    """Return what is excepted in one of these places.

    Args:
        places: The names of what is scanned, as `found_in` has them.
        today: From when on an expiry is at most 90 days ahead.

    Raises:
        InputError: Names everything that is wrong with the file, whichever place it is about.
    """
    return [entry for entry in read(today) if not set(places).isdisjoint(entry.found_in)]


def read(today: date) -> list[Exemption]:
    """Read the whole file; without one, nothing is excepted.

    Args:
        today: From when on an expiry is at most 90 days ahead.

    Raises:
        InputError: Names everything that is wrong with it.
    """
    found: list[Exemption] = []
    faults: list[str] = []
    for number, entry in enumerate(_entries(), start=1):
        try:
            found.append(Exemption.model_validate(entry))
        except ValidationError as error:
            faults += sentences(error, _name(entry, number))
    faults += [*_impossible(found, today), *_twice(found), *_too_many(found)]
    if faults:
        raise InputError(
            f"{FILE} is wrong:\n" + "\n".join(faults), hint="its first lines show a whole entry"
        )
    return found


def standing(
    found: Collection[Vulnerability], excepted: Iterable[Exemption], today: date
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


def _entries() -> list[Any]:
    if not FILE.exists():
        return []
    content = read_toml(FILE)
    entries = content.pop("exceptions", [])
    if content or not isinstance(entries, list):
        raise InputError(
            f"{FILE} holds something else than exceptions", hint="begin each with [[exceptions]]"
        )
    return entries


def _impossible(found: Iterable[Exemption], today: date) -> Iterator[str]:
    """Return what no gate would ever judge, or not for too long."""
    images, platforms = (load()["images"][key] for key in ("built", "platforms"))
    images = [*images, *load()["images"]["third_party"]]
    known = {*LOCKED, *images, *(f"{image} on {each}" for image in images for each in platforms)}
    for entry in found:
        for place in entry.found_in:
            if place not in known:
                yield f"{entry.id}.found_in: there is no `{place}`"
        if "npm" in entry.found_in and entry.id.startswith(STRANGE_TO_NPM):
            yield f"{entry.id}.id: npm knows it by its {GITHUB}-… alone"
        if entry.expiry > today + timedelta(days=MOST_DAYS):
            yield f"{entry.id}.expiry: it is more than {MOST_DAYS} days ahead"


def _twice(found: Iterable[Exemption]) -> Iterator[str]:
    counts = Counter(
        (entry.id, canonicalize_name(entry.package), place)
        for entry in found
        for place in entry.found_in
    )
    for (name, package, place), count in counts.items():
        if count > 1:
            yield f"{name}: it is there {count} times for {package} in {place}"


def _too_many(found: Iterable[Exemption]) -> Iterator[str]:
    count = sum(1 for entry in found if not set(entry.found_in) <= set(LOCKED))
    if count > MOST_IN_IMAGES:
        yield f"{count} exceptions are for images, where {MOST_IN_IMAGES} are allowed"


def _name(entry: object, number: int) -> str:
    name = entry.get("id") if isinstance(entry, dict) else None
    return name if isinstance(name, str) and name.strip() else f"entry {number}"
