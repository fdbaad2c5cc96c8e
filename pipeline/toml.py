"""The text of a TOML file: its content, and the line of each error, which tomllib does not return.

To find the lines, the text is split into statements, each the fewest lines that tomllib parses by
themselves; so there is no second TOML grammar here.
"""

import json
import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from pipeline.errors import InputError

Place = tuple[str | int, ...]
"""The keys that lead to a value; for an item of a list, its index."""
_MAX_VALUE_SHOWN = 60  # characters
_MAX_ERRORS_SHOWN = 20  # of a file that is not TOML
_BARE = r"[A-Za-z0-9_-]+"
_CREDENTIALS = r"(?<=//)[^/@\s]+(?=@)"
_KEY = r"""(?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')"""
_HEAD = rf"\s*{_KEY}(?:\s*\.\s*{_KEY})*\s*="
_BEGINS = rf"{_HEAD}|\s*\["
_OPEN = "(at end of document)"  # in tomllib's messages for incomplete text
_AT = r" \(at (?:line (\d+), column \d+|end of document)\)$"


class Fault(NamedTuple):
    """An error of a value, with its place."""

    place: Place
    message: str


class _Statement(NamedTuple):
    """A key with its value, a table header, an empty line, or an error."""

    line: int
    lines: Sequence[str]
    content: Mapping[str, Any]
    error: str = ""


def parse_document(file: Path, text: str) -> dict[str, Any]:
    """Parse a text.

    Args:
        file: The file that it comes from.
        text: The text.

    Raises:
        InputError: It is not TOML: names every invalid statement and every duplicate key.
    """
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        found = [*_syntax_errors(text), *_duplicate_keys(text)] or [
            (_line(error, 1), _cause(error))
        ]
        lines = [f"{file}:{line}: {message}" for line, message in sorted(found)[:_MAX_ERRORS_SHOWN]]
        raise InputError("\n".join(lines), hint=f"correct {file}: https://toml.io") from None


def faults_error(file: Path, text: str, faults: Iterable[Fault], hint: str) -> InputError:
    """Return an error that names faults, each with its line.

    Args:
        file: The file.
        text: Its text.
        faults: The faults.
        hint: The next step.
    """
    known = lines_of(text)
    found = [(line_of(place, known), format_place(place), message) for place, message in faults]
    lines = [
        f"{file}:{line}: {place}{place and ': '}{message}" for line, place, message in sorted(found)
    ]
    return InputError("\n".join(lines), hint=hint)


def lines_of(text: str) -> dict[Place, int]:
    """Return the first line of every table, key and item of a list.

    Args:
        text: Valid TOML.
    """
    known: dict[Place, int] = {}
    for place, statement in _statements_with_places(text):
        for end in range(1, len(place) + 1):
            known.setdefault(place[:end], statement.line)
        known |= {(*place, index): line for index, line in enumerate(_items(statement))}
    return known


def line_of(place: Place, known: Mapping[Place, int]) -> int:
    """Return the line of a value, or of the nearest enclosing table."""
    return next((known[place[:end]] for end in range(len(place), 0, -1) if place[:end] in known), 1)


def format_place(place: Place) -> str:
    """Return a place as in TOML, with the index of an item: `parity."a b"[0]`."""
    parts = [
        f"[{part}]"
        if isinstance(part, int)
        else f".{part if re.fullmatch(_BARE, part) else quote(part)}"
        for part in place
    ]
    return "".join(parts).removeprefix(".")


def quote(text: str) -> str:
    """Return a text as a TOML string on one line, without passwords and control characters."""
    shown = re.sub(_CREDENTIALS, "…", text)
    shown = json.dumps(shown, ensure_ascii=not shown.isprintable())
    return shown if len(shown) <= _MAX_VALUE_SHOWN else f"{shown[:_MAX_VALUE_SHOWN]}…"


def _statements(text: str) -> Iterator[_Statement]:
    lines, start = text.split("\n"), 0
    while start < len(lines):
        statement = _statement(lines, start)
        yield statement
        start += len(statement.lines)


def _statement(lines: Sequence[str], start: int) -> _Statement:
    """Return the statement that begins in a line; an invalid one ends where another begins."""
    for end in range(start + 1, len(lines) + 1):
        some = lines[start:end]
        try:
            return _Statement(start + 1, some, tomllib.loads("\n".join(some)))
        except (ValueError, RecursionError) as error:
            message, line = _cause(error), _line(error, start + 1)
            if not str(error).endswith(_OPEN):
                break
    after = (n for n in range(start + 1, len(lines)) if re.match(_BEGINS, lines[n]))
    where = f" in line {line}" if line > start + 1 else ""
    return _Statement(start + 1, lines[start : next(after, len(lines))], {}, f"{message}{where}")


def _syntax_errors(text: str) -> Iterator[tuple[int, str]]:
    return ((each.line, each.error) for each in _statements(text) if each.error)


def _duplicate_keys(text: str) -> Iterator[tuple[int, str]]:
    first: dict[Place, int] = {}
    for place, statement in _statements_with_places(text):
        if place in first:
            yield (
                statement.line,
                f"{format_place(place)} is defined already, in line {first[place]}",
            )
        first.setdefault(place, statement.line)


def _statements_with_places(text: str) -> Iterator[tuple[Place, _Statement]]:
    """Yield each valid statement with its place."""
    table: Place = ()
    counts: Counter[Place] = Counter()
    for statement in _statements(text):
        if statement.error:
            continue
        if head := re.match(_HEAD, statement.lines[0]):
            yield (*table, *_chain(tomllib.loads(f"{head[0]}0"))), statement
        elif statement.content:
            table = _chain(statement.content)
            if statement.lines[0].lstrip().startswith("[["):
                counts[table] += 1
                table = (*table, counts[table] - 1)
            yield table, statement


def _chain(content: Any) -> tuple[str, ...]:  # noqa: ANN401 - nested keys
    """Return the keys of a statement without its value."""
    keys = []
    while isinstance(content, dict) and content:
        ((key, content),) = content.items()
        keys.append(key)
    return tuple(keys)


def _items(statement: _Statement) -> Iterator[int]:
    """Yield the line of each item of a list, by closing the list after every line."""
    done = 0
    for end in range(1, len(statement.lines) + 1):
        closed = ["]"] if end < len(statement.lines) else []
        try:
            value: Any = tomllib.loads("\n".join([*statement.lines[:end], *closed]))
        except ValueError:
            continue
        while isinstance(value, dict) and len(value) == 1:
            (value,) = value.values()
        count = len(value) if isinstance(value, list) else 0
        yield from [statement.line + end - 1] * (count - done)
        done = max(done, count)


def _line(error: Exception, first: int) -> int:
    """Return the line of an error, in a text that begins in the first one."""
    found = re.search(_AT, str(error))
    return first + int(found[1]) - 1 if found and found[1] else first


def _cause(error: Exception) -> str:
    message = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
    message = re.sub(_AT, "", message)
    return message[:1].lower() + message[1:]
