"""All that a result hangs on, as it is now, and the key that this makes."""

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

# of keys and of what is remembered under them: one more, and nothing is known
CACHE_SCHEMA_VERSION = "1"
# of the files as they were looked at last
DIGEST_CACHE_FILE = cache_files.CHECKOUT_CACHE_DIR / "digests.json"
WORKFLOWS_PREFIX = ".github/"  # no area: the folder that says which sessions there are
KeyParts = dict[str, str]


@dataclass(frozen=True)
class InputSnapshot:
    """The files by area, the variables that are judged, and the programs."""

    stamps: StatSignatures
    areas: Areas
    settings: Settings

    @cached_property
    def scan(self) -> ScanResult:
        """What is in the files: nobody looks, if their stamps say enough."""
        return worktree.hash_files(self.stamps)

    @cached_property
    def files_by_area(self) -> dict[str, dict[str, HashedFile]]:
        """The files of each area; one that is in none counts as common."""
        found: dict[str, dict[str, HashedFile]] = {area: {} for area in (COMMON, *self.areas.globs)}
        for path, file in self.scan.tree.items():
            for area in self.areas.for_path(path) or (COMMON,):
                found[area][path] = file
        return found

    @cached_property
    def hashes_by_area(self) -> dict[str, dict[str, str | None]]:
        """What the files of each area hold, by their paths."""
        return {
            area: {path: files[path].content_id for path in sorted(files)}
            for area, files in self.files_by_area.items()
        }

    @cached_property
    def area_digests(self) -> dict[str, str]:
        """One value for all that is in an area, and one for the workflows."""
        stamped = sha256_json([CACHE_SCHEMA_VERSION, self.areas.globs, self.stamps])
        return _remembered(stamped) or self._digested(stamped)

    def _digested(self, stamped: str) -> dict[str, str]:
        files = self.scan.tree.items()
        workflows = {
            path: file.content_id for path, file in files if path.startswith(WORKFLOWS_PREFIX)
        }
        contents = {**self.hashes_by_area, WORKFLOWS_PREFIX: workflows}
        found = {area: sha256_json(content) for area, content in contents.items()}
        if self.scan.is_stable:
            cache_files.write_atomically(
                DIGEST_CACHE_FILE, json.dumps({"of": stamped, "digests": found})
            )
        return found

    @cached_property
    def environment_parts(self) -> KeyParts:
        """What does not lie in the checkout and is the same for every session."""
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
        """Return the files that a session may read, each with its stamp.

        Args:
            entry: The session.
        """
        return {
            path: file
            for area in input_areas(entry)
            for path, file in self.files_by_area[area].items()
        }

    def key_parts(self, entry: CISession) -> KeyParts:
        """Return all that a session's result hangs on, by name.

        Args:
            entry: The session.
        """
        python = {f"tool python{entry.python}": tools.tool_fingerprint(f"python{entry.python}")}
        return {
            "session": entry.session,
            **{f"area {area}": self.area_digests[area] for area in input_areas(entry)},
            **(python if entry.python else {}),
            **self.environment_parts,
        }


def _remembered(stamped: str) -> dict[str, str]:
    try:
        known = json.loads(DIGEST_CACHE_FILE.read_bytes())
        digests: dict[str, str] = known["digests"] if known["of"] == stamped else {}
    except (OSError, ValueError, TypeError, KeyError):
        return {}
    return digests


def input_areas(entry: CISession) -> Sequence[str]:
    """Return the areas that a session reads."""
    return (COMMON, *sorted({*entry.areas} - {COMMON}))


def sha256_json(value: object) -> str:
    """Return a value's digest, the same for equal values.

    Args:
        value: Anything that JSON can hold.
    """
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
