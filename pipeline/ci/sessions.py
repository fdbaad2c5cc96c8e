"""The sessions of all CI jobs, cached until a workflow or a file of the common area changes."""

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.ci import cache_files
from pipeline.errors import InputError
from pipeline.process import capture

_CACHE_FILE = cache_files.CHECKOUT_CACHE_DIR / "catalogue.json"


@dataclass(frozen=True)
class CISession:
    """A session that a CI job runs; a job with a matrix has one session for each row."""

    session: str
    job: str
    call: str
    areas: tuple[str, ...]
    python: str | None


def list_sessions(definition_digest: str) -> list[CISession]:
    """Return every session of every check job, in the order of the workflows.

    Args:
        definition_digest: A digest of the files that define the sessions, the key of the cache.

    Raises:
        InputError: The noxfile or a workflow cannot be read.
    """
    return _from_cache(definition_digest) or _from_subprocess(definition_digest)


def _from_cache(definition_digest: str) -> list[CISession]:
    try:
        cached = json.loads(_CACHE_FILE.read_bytes())
        return _parsed(cached["sessions"]) if cached["written in"] == definition_digest else []
    except (OSError, ValueError, TypeError, KeyError):
        return []


def _from_subprocess(definition_digest: str) -> list[CISession]:
    # in a subprocess, which imports nox and the YAML parser: a run with a cached list never pays
    # for these imports
    listing = capture([sys.executable, "-m", "pipeline.ci.listing"])
    if listing.returncode:
        raise InputError(f"cannot list the CI jobs: {listing.stderr.strip()}", hint="nox -l")
    rows = json.loads(listing.stdout)
    cache_files.write_atomically(
        _CACHE_FILE, json.dumps({"written in": definition_digest, "sessions": rows})
    )
    return _parsed(rows)


def _parsed(rows: Sequence[Mapping[str, Any]]) -> list[CISession]:
    return [CISession(**{**row, "areas": tuple(row["areas"])}) for row in rows]
