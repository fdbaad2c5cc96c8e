"""What an npm lock says is shipped.

https://docs.npmjs.com/cli/configuring-npm/package-lock-json
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from pydantic import BaseModel, Field, ValidationError

from pipeline.errors import InputError
from pipeline.files import parse_json
from pipeline.validation import format_validation_errors

MIN_LOCKFILE_VERSION = 2
"""Locks of npm 6 and before are of version 1, which names no licences and nothing by its path."""
GLOB = {"**": ".*", "*": "[^/]*", "?": "[^/]"}
GLOB_TOKEN = re.compile(r"(\*\*|[*?])")


class Entry(BaseModel):
    """A folder with a package.json: the project's, a workspace's, or one that npm brings."""

    name: str = ""
    """The package's own, where its folder has another one: an alias."""
    version: str = ""
    license: object = None
    """Text; old packages have a list, or a mapping with a `type`."""
    dev: bool = False
    link: bool = False
    """Whether it only leads to another folder, which has an entry of its own."""
    workspaces: list[str] | dict[str, list[str]] = []

    @property
    def license_text(self) -> str:
        """The licence in the package's own words; empty, if they are none."""
        said = self.license if isinstance(self.license, list) else [self.license]
        return ", ".join(filter(None, map(_license_name, said)))


class Lock(BaseModel):
    """The lock, as far as it matters here."""

    version: int = Field(alias="lockfileVersion", ge=MIN_LOCKFILE_VERSION)
    packages: dict[str, Entry]


class Locked(NamedTuple):
    """A package of others that is shipped."""

    name: str
    version: str
    licence: str


def shipped(name: Path | str, text: str) -> Iterator[Locked]:
    """Yield what a lock ships; the project itself and its workspaces are left out.

    Args:
        name: Of the lock.
        text: What is in it.

    Raises:
        InputError: It is no lock, or one that is too old; every fault is named.
    """
    packages = _lock(name, text).packages
    own = [_regex(glob) for glob in _workspaces(packages.get("", Entry()))]
    for path, entry in packages.items():
        is_own = not path or any(regex.fullmatch(path) for regex in own)
        if not (is_own or entry.dev or entry.link):
            folder = path.rpartition("node_modules/")[2]
            yield Locked(entry.name or folder, entry.version, entry.license_text)


def _lock(name: Path | str, text: str) -> Lock:
    try:
        return Lock.model_validate(parse_json(name, text))
    except ValidationError as error:
        hint = "npm install --package-lock-only --lockfile-version=3, in its folder"
        faults = "; ".join(fault.removeprefix(": ") for fault in format_validation_errors(error))
        raise InputError(f"{name} is wrong: {faults}", hint=hint) from None


def _workspaces(project: Entry) -> list[str]:
    given = project.workspaces
    return given if isinstance(given, list) else given.get("packages", [])


def _regex(glob: str) -> re.Pattern[str]:
    """Return what the folders of workspaces look like; none of them is one that npm fills."""
    parts = GLOB_TOKEN.split(glob.removeprefix("./").rstrip("/"))
    said = "".join(GLOB.get(part, re.escape(part)) for part in parts)
    return re.compile(rf"(?!.*\bnode_modules/){said}")


def _license_name(said: object) -> str:
    kind = said.get("type") if isinstance(said, dict) else said
    return kind if isinstance(kind, str) else ""
