"""The sessions that CI runs, remembered until a file changes that they are written in."""

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.ci import cache_files
from pipeline.errors import InputError
from pipeline.process import read

FILE = cache_files.HERE / "catalogue.json"


@dataclass(frozen=True)
class Entry:
    """A session that a job runs: itself, or one row of its matrix."""

    session: str
    job: str
    call: str
    areas: tuple[str, ...]
    python: str | None


def entries(written_in: str) -> list[Entry]:
    """Return every session of every check job, in the order of the workflows.

    Args:
        written_in: A digest of the files that say so.

    Raises:
        InputError: One of them cannot be read.
    """
    return _remembered(written_in) or _made(written_in)


def _remembered(written_in: str) -> list[Entry]:
    try:
        known = json.loads(FILE.read_bytes())
        return _parsed(known["sessions"]) if known["written in"] == written_in else []
    except (OSError, ValueError, TypeError, KeyError):
        return []


def _made(written_in: str) -> list[Entry]:
    # a process of its own: what is remembered need not wait for the reader of YAML
    answer = read([sys.executable, "-m", "pipeline.ci.listing"])
    if answer.returncode:
        raise InputError(f"the jobs cannot be listed: {answer.stderr.strip()}", hint="nox -l")
    rows = json.loads(answer.stdout)
    cache_files.write(FILE, json.dumps({"written in": written_in, "sessions": rows}))
    return _parsed(rows)


def _parsed(rows: Sequence[Mapping[str, Any]]) -> list[Entry]:
    return [Entry(**{**row, "areas": tuple(row["areas"])}) for row in rows]
