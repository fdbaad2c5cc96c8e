"""The shipped packages of all locks, with their licences."""

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from pipeline.checks import npm_lock
from pipeline.checks.python_lock import parse_entries, parse_pins
from pipeline.config import load
from pipeline.errors import InputError
from pipeline.files import read_text
from pipeline.git import read_file_at

OTHER_PLATFORM = "for another platform"


@dataclass(frozen=True, order=True)
class Package:
    """A shipped package."""

    name: str
    version: str
    license: str
    """As the package states it; empty, if it states none."""


def shipped_packages() -> list[Package]:
    """Return the shipped packages.

    Raises:
        InputError: A lock cannot be read, or a package is not installed, so its licence is unknown.
    """
    python, node = load().layout.shipped_packages
    return sorted({*_python(python), *_node(node)})


def package_names_at(commit: str) -> set[str]:
    """Return the names of the shipped packages of a commit.

    Raises:
        InputError: A lock of that commit cannot be read.
    """
    locks = load().layout.shipped_packages
    python, node = (read_file_at(commit, path.as_posix()) for path in locks)
    shipped_then = npm_lock.shipped(f"{locks[1]} of {commit[:12]}", node) if node else ()
    known = parse_pins(f"{locks[0]} of {commit[:12]}", python or "")
    return {*(name for name, _ in known), *(each.name for each in shipped_then)}


def _python(lock: Path) -> Iterator[Package]:
    for (name, version), marker in parse_entries(str(lock), read_text(lock)):
        try:
            yield Package(name, version, _license_of(distribution(name)))
        except PackageNotFoundError:
            if marker is None or marker.evaluate():
                raise InputError(f"{name} is not installed", hint="nox -s licences") from None
            yield Package(name, version, OTHER_PLATFORM)


def _license_of(found: Distribution) -> str:
    """Return the licence of an installed package: https://peps.python.org/pep-0639/.

    Older packages have it in a free-text field, which may be the whole licence, or only in their
    classifiers.
    """
    facts = found.metadata.json
    licence = str(facts.get("license_expression") or facts.get("license") or "")
    if licence and "\n" not in licence:
        return licence
    kinds = facts.get("classifier", [])
    return ", ".join(kind.rpartition(" :: ")[2] for kind in kinds if kind.startswith("License :: "))


def _node(lock: Path) -> Iterator[Package]:
    for entry in npm_lock.shipped(lock, read_text(lock)):
        yield Package(*entry)
