"""pipeline.toml, read."""

import tomllib
from collections.abc import Iterable, Mapping
from itertools import chain
from pathlib import Path
from typing import Any

from pipeline.errors import InputError
from pipeline.files import read_text

FILE = Path("pipeline.toml")


def load() -> dict[str, Any]:
    """Read the team's one file.

    Raises:
        InputError: It is not here, or it is no TOML; the line is named.
    """
    try:
        return tomllib.loads(FILE.read_text())
    except FileNotFoundError:
        raise InputError(f"there is no {FILE} here", hint="go to the repository's root") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        fault = str(error)
        raise InputError(
            f"{FILE} cannot be read: {fault[:1].lower()}{fault[1:]}",
            hint="correct that line: https://toml.io",
        ) from None


def main_branch() -> str:
    """Return the name of the branch that changes are compared with, and releases are made from."""
    name: str = load()["ci"]["main"]
    return name


def pythons() -> list[str]:
    """Return the versions of Python that are tested, the default one first.

    Raises:
        InputError: They cannot be read.
    """
    return read_text(Path(".python-version")).split()


def told(environments: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the name of every secret that one of some environments is told, optional ones too."""
    lists = (each.get(key, []) for each in environments for key in ("secrets", "optional"))
    return [*dict.fromkeys(chain.from_iterable(lists))]
