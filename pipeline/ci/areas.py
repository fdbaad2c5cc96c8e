"""Areas: named sets of files, declared by globs under `[areas]` in pipeline.toml.

A session is tagged with the areas that it reads. Both the selection of sessions and the cache keys
of their results are derived from these areas.
"""

import re
from collections.abc import Mapping, Sequence
from functools import cached_property

# https://docs.github.com/actions/reference/workflow-syntax#filter-pattern-cheat-sheet
_GLOB_TOKENS = {"**/": "(?s:.*/)?", "**": "(?s:.*)", "*": "[^/]*"}
_GLOB_PARTS = re.compile(r"((?<![^/])\*\*/|\*\*|\*)")  # `**/` only at the start of a folder name


class Areas:
    def __init__(self, globs: Mapping[str, Sequence[str]]) -> None:
        self.globs = globs

    @cached_property
    def _patterns(self) -> dict[str, re.Pattern[str]]:
        return {
            area: re.compile("|".join(map(glob_to_regex, patterns)))
            for area, patterns in self.globs.items()
        }

    def for_path(self, path: str) -> list[str]:
        """Return the areas that a file belongs to.

        Args:
            path: Relative to the root of the repository, with slashes.

        Returns:
            The names of the areas. An empty list if no glob matches: callers treat such a file
            as part of the common area, so a new folder runs too much rather than too little.
        """
        return [area for area, pattern in self._patterns.items() if pattern.fullmatch(path)]


def glob_to_regex(glob: str) -> str:
    """Translate a glob to a regular expression, with the meaning of GitHub's `paths` filters.

    `*` matches within one folder, `**` across folders, and `**/` any number of folders or none.

    Args:
        glob: A pattern of pipeline.toml, such as `docs/**` or `*.md`.
    """
    return "".join(_GLOB_TOKENS.get(part, re.escape(part)) for part in _GLOB_PARTS.split(glob))
