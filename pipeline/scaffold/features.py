"""Parts that a copy may go without, and the marks by which they are taken away.

A line that ends in `# part` goes, and so does everything from a line `# part:` to a line `# :part`.
The comment may be that of any language here: `# …`, `// …`, `/* … */`, `{/* … */}`, `<!-- … -->`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

COMMENTS = (("#", ""), ("//", ""), ("/*", "*/"), ("{/*", "*/}"), ("<!--", "-->"))


@dataclass(frozen=True)
class Markers:
    """How the lines are recognised that belong to a part."""

    line: re.Pattern[str]
    opens: re.Pattern[str]
    closes: re.Pattern[str]


def markers_for(part: str) -> Markers:
    """Return the marks of a part.

    Args:
        part: Its name, such as `billing`.
    """
    name = re.escape(part)
    return Markers(
        re.compile(rf"(.*\s)?{_comment(name)}"),
        re.compile(rf"\s*{_comment(f'{name}:')}"),
        re.compile(rf"\s*{_comment(f':{name}')}"),
    )


def strip_feature(text: str, part: str) -> str:
    """Return a text without the lines of a part.

    Args:
        text: Of a file whose marks have no faults.
        part: What is to go.
    """
    known, inside, kept = markers_for(part), False, []
    for line in text.splitlines(keepends=True):
        bare = line.rstrip()
        inside = inside or bool(known.opens.fullmatch(bare))
        if not inside and not known.line.fullmatch(bare):
            kept.append(line)
        inside = inside and not known.closes.fullmatch(bare)
    return "".join(kept)


def marker_errors(text: str, part: str) -> Iterator[str]:
    """Yield what is wrong with the marks of a part, each with its line.

    Args:
        text: Of a file.
        part: Whose marks.
    """
    known, opened = markers_for(part), 0
    for number, line in enumerate(map(str.rstrip, text.splitlines()), start=1):
        if known.opens.fullmatch(line):
            if opened:
                yield f"{number}: `{part}:` within that of line {opened}"
            opened = number
        elif known.closes.fullmatch(line):
            if not opened:
                yield f"{number}: `:{part}` closes nothing"
            opened = 0
    if opened:
        yield f"{opened}: `{part}:` is never closed"


def _comment(said: str) -> str:
    forms = (f"{re.escape(start)} ?{said} ?{re.escape(end)}" for start, end in COMMENTS)
    return f"({'|'.join(forms)})"
