"""The sessions that CI runs, remembered until a file changes that they are written in."""

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.ci import cache_files
from pipeline.errors import InputError
from pipeline.process import capture

CACHE_FILE = cache_files.CHECKOUT_CACHE_DIR / "catalogue.json"


@dataclass(frozen=True)
class CISession:
    """A session that a job runs: itself, or one row of its matrix."""

    session: str
    job: str
    call: str
    areas: tuple[str, ...]
    python: str | None


def list_sessions(written_in: str) -> list[CISession]:
    """Return every session of every check job, in the order of the workflows.

    Args:
        written_in: A digest of the files that say so.

    Raises:
        InputError: One of them cannot be read.
    """
    return _from_cache(written_in) or _from_subprocess(written_in)


def _from_cache(written_in: str) -> list[CISession]:
    try:
        known = json.loads(CACHE_FILE.read_bytes())
        return _parsed(known["sessions"]) if known["written in"] == written_in else []
    except (OSError, ValueError, TypeError, KeyError):
        return []


def _from_subprocess(written_in: str) -> list[CISession]:
    # a process of its own: what is remembered need not wait for the reader of YAML
    answer = capture([sys.executable, "-m", "pipeline.ci.listing"])
    if answer.returncode:
        raise InputError(f"the jobs cannot be listed: {answer.stderr.strip()}", hint="nox -l")
    rows = json.loads(answer.stdout)
    cache_files.write_atomically(
        CACHE_FILE, json.dumps({"written in": written_in, "sessions": rows})
    )
    return _parsed(rows)


def _parsed(rows: Sequence[Mapping[str, Any]]) -> list[CISession]:
    return [CISession(**{**row, "areas": tuple(row["areas"])}) for row in rows]
