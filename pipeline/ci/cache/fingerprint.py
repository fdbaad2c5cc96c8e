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
from pipeline.ci.cache.worktree import File, Look, Stamps
from pipeline.ci.sessions import Entry
from pipeline.settings import COMMON, Settings

SCHEMA = "1"  # of keys and of what is remembered under them: one more, and nothing is known
DIGESTS = cache_files.HERE / "digests.json"  # of the files as they were looked at last
WORKFLOWS = ".github/"  # no area: the folder that says which sessions there are
Manifest = dict[str, str]


@dataclass(frozen=True)
class Inputs:
    """The files by area, the variables that are judged, and the programs."""

    stamps: Stamps
    areas: Areas
    settings: Settings

    @cached_property
    def look(self) -> Look:
        """What is in the files: nobody looks, if their stamps say enough."""
        return worktree.look(self.stamps)

    @cached_property
    def divided(self) -> dict[str, dict[str, File]]:
        """The files of each area; one that is in none counts as common."""
        found: dict[str, dict[str, File]] = {area: {} for area in (COMMON, *self.areas.globs)}
        for path, file in self.look.tree.items():
            for area in self.areas.of(path) or (COMMON,):
                found[area][path] = file
        return found

    @cached_property
    def contents(self) -> dict[str, dict[str, str | None]]:
        """What the files of each area hold, by their paths."""
        return {
            area: {path: files[path].id for path in sorted(files)}
            for area, files in self.divided.items()
        }

    @cached_property
    def digests(self) -> dict[str, str]:
        """One value for all that is in an area, and one for the workflows."""
        stamped = digest([SCHEMA, self.areas.globs, self.stamps])
        return _remembered(stamped) or self._digested(stamped)

    def _digested(self, stamped: str) -> dict[str, str]:
        files = self.look.tree.items()
        workflows = {path: file.id for path, file in files if path.startswith(WORKFLOWS)}
        contents = {**self.contents, WORKFLOWS: workflows}
        found = {area: digest(content) for area, content in contents.items()}
        if self.look.settled:
            cache_files.write(DIGESTS, json.dumps({"of": stamped, "digests": found}))
        return found

    @cached_property
    def outside(self) -> Manifest:
        """What does not lie in the checkout and is the same for every session."""
        ci, system = self.settings.ci, os.uname()
        return {
            "schema": SCHEMA,
            "system": f"{system.sysname} {system.release} {system.machine}",
            "user": str(os.getuid()),
            "nox's python": sys.version,
            **{
                f"variable {name}": value
                for name, value in session_environment.judged(ci.variables).items()
            },
            **{f"tool {name}": tools.identity(name) for name in ci.tools},
        }

    def files_of(self, entry: Entry) -> dict[str, File]:
        """Return the files that a session may read, each with its stamp.

        Args:
            entry: The session.
        """
        return {path: file for area in areas_of(entry) for path, file in self.divided[area].items()}

    def manifest(self, entry: Entry) -> Manifest:
        """Return all that a session's result hangs on, by name.

        Args:
            entry: The session.
        """
        python = {f"tool python{entry.python}": tools.identity(f"python{entry.python}")}
        return {
            "session": entry.session,
            **{f"area {area}": self.digests[area] for area in areas_of(entry)},
            **(python if entry.python else {}),
            **self.outside,
        }


def _remembered(stamped: str) -> dict[str, str]:
    try:
        known = json.loads(DIGESTS.read_bytes())
        digests: dict[str, str] = known["digests"] if known["of"] == stamped else {}
    except (OSError, ValueError, TypeError, KeyError):
        return {}
    return digests


def areas_of(entry: Entry) -> Sequence[str]:
    """Return the areas that a session reads."""
    return (COMMON, *sorted({*entry.areas} - {COMMON}))


def digest(value: object) -> str:
    """Return a value's digest, the same for equal values.

    Args:
        value: Anything that JSON can hold.
    """
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
