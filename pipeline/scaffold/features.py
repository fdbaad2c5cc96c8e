"""Removable features, and the markers of their lines.

A line that ends in `# feature` is removed, and so is everything from a line `# feature:` to a line
`# :feature`. The comment may be that of any language: `# …`, `// …`, `/* … */`, `{/* … */}`,
`<!-- … -->`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_COMMENTS = (("#", ""), ("//", ""), ("/*", "*/"), ("{/*", "*/}"), ("<!--", "-->"))


@dataclass(frozen=True)
class _Markers:
    """Patterns of the lines that mark a feature."""

    line: re.Pattern[str]
    opens: re.Pattern[str]
    closes: re.Pattern[str]


def _markers_for(feature: str) -> _Markers:
    """Return the markers of a feature.

    Args:
        feature: Its name, such as `billing`.
    """
    name = re.escape(feature)
    return _Markers(
        re.compile(rf"(.*\s)?{_comment(name)}"),
        re.compile(rf"\s*{_comment(f'{name}:')}"),
        re.compile(rf"\s*{_comment(f':{name}')}"),
    )


def strip_feature(text: str, feature: str) -> str:
    """Return a text without the lines of a feature.

    Args:
        text: The text of a file; its markers must be valid.
        feature: The feature.
    """
    known, inside, kept = _markers_for(feature), False, []
    for line in text.splitlines(keepends=True):
        stripped = line.rstrip()
        inside = inside or bool(known.opens.fullmatch(stripped))
        if not inside and not known.line.fullmatch(stripped):
            kept.append(line)
        inside = inside and not known.closes.fullmatch(stripped)
    return "".join(kept)


def marker_errors(text: str, feature: str) -> Iterator[str]:
    """Yield each error of the markers of a feature, with its line.

    Args:
        text: The text of a file.
        feature: The feature.
    """
    known, opened = _markers_for(feature), 0
    for number, line in enumerate(map(str.rstrip, text.splitlines()), start=1):
        if known.opens.fullmatch(line):
            if opened:
                yield f"{number}: `{feature}:` inside the section of line {opened}"
            opened = number
        elif known.closes.fullmatch(line):
            if not opened:
                yield f"{number}: `:{feature}` has no start"
            opened = 0
    if opened:
        yield f"{opened}: `{feature}:` has no end"


def _comment(marker: str) -> str:
    forms = (f"{re.escape(start)} ?{marker} ?{re.escape(end)}" for start, end in _COMMENTS)
    return f"({'|'.join(forms)})"
