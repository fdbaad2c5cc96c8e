"""The sessions of noxfile.py, as `nox --list` prints them."""

import json
from dataclasses import dataclass

from pipeline.errors import InputError
from pipeline.process import capture


@dataclass(frozen=True)
class Session:
    """One entry of `nox --list --json`: a session, or one row of its matrix."""

    session: str
    name: str
    description: str
    tags: tuple[str, ...]
    python: str | None = None


def list_sessions() -> list[Session]:
    """Return every session, those that nox does not run by default too.

    Raises:
        InputError: noxfile.py cannot be read.
    """
    return list_selected_sessions("-k", "not __none__")


def list_selected_sessions(*options: str) -> list[Session]:
    """Return the sessions that nox would run.

    Args:
        *options: Options of nox that select sessions; its default selection, if none.

    Raises:
        InputError: noxfile.py cannot be read.
    """
    result = capture(["nox", "--list", "--json", *options])
    if result.returncode != 0:
        raise InputError(f"nox cannot list its sessions: {result.stderr.strip()}", hint="nox -l")
    return [
        Session(
            row["session"],
            row["name"],
            row["description"],
            tuple(row["tags"]),
            row["python"] or None,
        )
        for row in json.loads(result.stdout)
    ]
