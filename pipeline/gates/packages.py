"""What is locked and shipped, under which licence, and what of it a change has added."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from pipeline.errors import InputError
from pipeline.gates.pins import pins
from pipeline.git import file_at

SHIPPED = Path("backend/requirements/production.txt")
FRONTEND = Path("frontend/package-lock.json")
LOCKS = (SHIPPED, FRONTEND)
ELSEWHERE = "for another platform"


@dataclass(frozen=True, order=True)
class Package:
    """A package that is shipped."""

    name: str
    version: str
    licence: str
    """In its own words; empty, if it says nothing."""


def shipped() -> list[Package]:
    """Return what is shipped.

    Raises:
        InputError: A package is not installed, so that nobody knows its licence.
    """
    return sorted({*_python(SHIPPED.read_text()), *_node(FRONTEND.read_text())})


def names_at(commit: str) -> set[str]:
    """Return the names of what was shipped at a commit of this repository."""
    python, node = (file_at(commit, path.as_posix()) or "" for path in LOCKS)
    return {*(name for name, _ in pins(str(SHIPPED), python)), *(each.name for each in _node(node))}


def _python(text: str) -> Iterator[Package]:
    for name, version in pins(str(SHIPPED), text):
        try:
            yield Package(name, version, licence(distribution(name)))
        except PackageNotFoundError:
            if f"{name}=={version} ;" not in text:  # what follows says where it belongs
                raise InputError(f"{name} is not installed", hint="nox -s licences") from None
            yield Package(name, version, ELSEWHERE)


def licence(found: Distribution) -> str:
    """Return the licence of an installed package: https://peps.python.org/pep-0639/.

    Older packages have it in a field of free text, which may be the whole licence, or only in their
    classifiers.
    """
    facts = found.metadata.json
    said = str(facts.get("license_expression") or facts.get("license") or "")
    if said and "\n" not in said:
        return said
    kinds = facts.get("classifier", [])
    return ", ".join(kind.rpartition(" :: ")[2] for kind in kinds if kind.startswith("License :: "))


def _node(text: str) -> Iterator[Package]:
    entries = json.loads(text)["packages"] if text else {}
    for path, entry in entries.items():
        if path and not entry.get("dev"):
            name = path.rpartition("node_modules/")[2]
            yield Package(name, entry["version"], entry.get("license", ""))
