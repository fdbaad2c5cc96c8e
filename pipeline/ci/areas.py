"""Areas: which files belong to what. Sessions are tagged with the areas that they read.

One declaration, `[areas]` in pipeline.toml, decides what a change needs and what a result hangs on.
"""

import re
from collections.abc import Mapping, Sequence
from functools import cached_property

# https://docs.github.com/actions/reference/workflow-syntax#filter-pattern-cheat-sheet
GLOB_TOKENS = {"**/": "(?s:.*/)?", "**": "(?s:.*)", "*": "[^/]*"}
GLOB_PARTS = re.compile(r"((?<![^/])\*\*/|\*\*|\*)")  # `**/` where a folder's name begins


class Areas:
    """The areas of a repository."""

    def __init__(self, globs: Mapping[str, Sequence[str]]) -> None:
        self.globs = globs

    @cached_property
    def _patterns(self) -> dict[str, re.Pattern[str]]:
        return {
            area: re.compile("|".join(map(glob_to_regex, some)))
            for area, some in self.globs.items()
        }

    def for_path(self, path: str) -> list[str]:
        """Return the areas that a file belongs to.

        Args:
            path: From the root of the repository, parts joined by slashes.

        Returns:
            Their names; none for a file that nobody has thought of, which counts as common.
        """
        return [area for area, pattern in self._patterns.items() if pattern.fullmatch(path)]


def glob_to_regex(glob: str) -> str:
    """Return the regular expression of a glob, as GitHub reads the paths of a trigger.

    `*` stays in a folder, `**` does not, and `**/` is any number of folders, or none.

    Args:
        glob: As in pipeline.toml, such as `backend/**` or `*.md`.
    """
    return "".join(GLOB_TOKENS.get(part, re.escape(part)) for part in GLOB_PARTS.split(glob))
