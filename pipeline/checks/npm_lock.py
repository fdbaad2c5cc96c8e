"""The shipped packages of an npm lock.

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

_MIN_LOCKFILE_VERSION = 2
"""Version 1, of npm 6, contains neither licences nor paths."""
_GLOB = {"**": ".*", "*": "[^/]*", "?": "[^/]"}
_GLOB_TOKEN = re.compile(r"(\*\*|[*?])")


class _Entry(BaseModel):
    """A folder with a package.json: of the project, a workspace, or an installed package."""

    name: str = ""
    """The name of the package, if its folder has another name: an alias."""
    version: str = ""
    license: object = None
    """Text; in old packages a list, or a mapping with a `type`."""
    dev: bool = False
    link: bool = False
    """Whether it is a link to another folder, which has an entry of its own."""
    workspaces: list[str] | dict[str, list[str]] = []

    @property
    def license_text(self) -> str:
        """The licence as the package states it; empty, if it states none."""
        licence = self.license if isinstance(self.license, list) else [self.license]
        return ", ".join(filter(None, map(_license_name, licence)))


class _Lock(BaseModel):
    """The parts of a lock that are used here."""

    version: int = Field(alias="lockfileVersion", ge=_MIN_LOCKFILE_VERSION)
    packages: dict[str, _Entry]


class _Locked(NamedTuple):
    """A shipped third-party package."""

    name: str
    version: str
    licence: str


def shipped(name: Path | str, text: str) -> Iterator[_Locked]:
    """Yield the shipped packages of a lock, without the project and its workspaces.

    Args:
        name: The name of the lock.
        text: Its text.

    Raises:
        InputError: It is not a lock, or its version is too old; names every error.
    """
    packages = _lock(name, text).packages
    own = [_regex(glob) for glob in _workspaces(packages.get("", _Entry()))]
    for path, entry in packages.items():
        is_own = not path or any(regex.fullmatch(path) for regex in own)
        if not (is_own or entry.dev or entry.link):
            folder = path.rpartition("node_modules/")[2]
            yield _Locked(entry.name or folder, entry.version, entry.license_text)


def _lock(name: Path | str, text: str) -> _Lock:
    try:
        return _Lock.model_validate(parse_json(name, text))
    except ValidationError as error:
        hint = "npm install --package-lock-only --lockfile-version=3, in its folder"
        faults = "; ".join(fault.removeprefix(": ") for fault in format_validation_errors(error))
        raise InputError(f"{name} is invalid: {faults}", hint=hint) from None


def _workspaces(project: _Entry) -> list[str]:
    given = project.workspaces
    return given if isinstance(given, list) else given.get("packages", [])


def _regex(glob: str) -> re.Pattern[str]:
    """Return a pattern for folders of workspaces; folders in node_modules do not match."""
    parts = _GLOB_TOKEN.split(glob.removeprefix("./").rstrip("/"))
    licence = "".join(_GLOB.get(part, re.escape(part)) for part in parts)
    return re.compile(rf"(?!.*\bnode_modules/){licence}")


def _license_name(licence: object) -> str:
    kind = licence.get("type") if isinstance(licence, dict) else licence
    return kind if isinstance(kind, str) else ""
