"""The cache key of a session: a digest of every input that can change its result."""

import hashlib
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from pipeline.ci import cache_files
from pipeline.ci.areas import Areas
from pipeline.ci.cache import session_environment, tools, worktree
from pipeline.ci.cache.worktree import HashedFile, ScanResult, StatSignatures
from pipeline.ci.sessions import CISession
from pipeline.settings import COMMON, Settings

# bump to invalidate every cached result, for example after a change of the key's format
CACHE_SCHEMA_VERSION = "1"
# digests of all areas, keyed by the stat signatures of all files: an unchanged checkout is not
# hashed a second time
DIGEST_CACHE_FILE = cache_files.CHECKOUT_CACHE_DIR / "digests.json"
WORKFLOWS_PREFIX = ".github/"  # not an area: the workflows define the list of sessions
KeyParts = dict[str, str]


@dataclass(frozen=True)
class InputSnapshot:
    """The files of a checkout by area, with lazily computed digests of their content."""

    signatures: StatSignatures
    areas: Areas
    settings: Settings

    @cached_property
    def scan(self) -> ScanResult:
        """The hashes of all files, computed only if the digest cache has no entry."""
        return worktree.hash_files(self.signatures)

    @cached_property
    def files_by_area(self) -> dict[str, dict[str, HashedFile]]:
        """The files of each area; a file without an area belongs to the common area."""
        found: dict[str, dict[str, HashedFile]] = {area: {} for area in (COMMON, *self.areas.globs)}
        for path, file in self.scan.tree.items():
            for area in self.areas.for_path(path) or (COMMON,):
                found[area][path] = file
        return found

    @cached_property
    def hashes_by_area(self) -> dict[str, dict[str, str | None]]:
        """The content ids of the files of each area, by path."""
        return {
            area: {path: files[path].content_id for path in sorted(files)}
            for area, files in self.files_by_area.items()
        }

    @cached_property
    def area_digests(self) -> dict[str, str]:
        """One digest for the content of each area, and one for the workflows."""
        signature = sha256_json([CACHE_SCHEMA_VERSION, self.areas.globs, self.signatures])
        return _cached_digests(signature) or self._compute_digests(signature)

    def _compute_digests(self, signature: str) -> dict[str, str]:
        files = self.scan.tree.items()
        workflows = {
            path: file.content_id for path, file in files if path.startswith(WORKFLOWS_PREFIX)
        }
        contents = {**self.hashes_by_area, WORKFLOWS_PREFIX: workflows}
        found = {area: sha256_json(content) for area, content in contents.items()}
        # a file that was written moments ago may change again within the same timestamp
        if self.scan.is_stable:
            cache_files.write_atomically(
                DIGEST_CACHE_FILE, json.dumps({"of": signature, "digests": found})
            )
        return found

    @cached_property
    def environment_parts(self) -> KeyParts:
        """The inputs outside the checkout that are the same for every session."""
        ci, system = self.settings.ci, os.uname()
        return {
            "schema": CACHE_SCHEMA_VERSION,
            "system": f"{system.sysname} {system.release} {system.machine}",
            "user": str(os.getuid()),
            "nox's python": sys.version,
            **{
                f"variable {name}": value
                for name, value in session_environment.fingerprint_variables(ci.variables).items()
            },
            **{f"tool {name}": tools.tool_fingerprint(name) for name in ci.tools},
        }

    def files_for(self, entry: CISession) -> dict[str, HashedFile]:
        """Return the files in the areas of a session, each with its stat signature."""
        return {
            path: file
            for area in input_areas(entry)
            for path, file in self.files_by_area[area].items()
        }

    def key_parts(self, entry: CISession) -> KeyParts:
        """Return the inputs of a session by name; the digest of this mapping is its cache key."""
        python = {f"tool python{entry.python}": tools.tool_fingerprint(f"python{entry.python}")}
        return {
            "session": entry.session,
            **{f"area {area}": self.area_digests[area] for area in input_areas(entry)},
            **(python if entry.python else {}),
            **self.environment_parts,
        }


def _cached_digests(signature: str) -> dict[str, str]:
    try:
        cached = json.loads(DIGEST_CACHE_FILE.read_bytes())
        digests: dict[str, str] = cached["digests"] if cached["of"] == signature else {}
    except (OSError, ValueError, TypeError, KeyError):
        return {}
    return digests


def input_areas(entry: CISession) -> Sequence[str]:
    """Return the areas that a session reads; the common area is an input of every session."""
    return (COMMON, *sorted({*entry.areas} - {COMMON}))


def sha256_json(value: object) -> str:
    """Return the SHA-256 of a JSON value; equal values have equal digests, as keys are sorted."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
