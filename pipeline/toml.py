"""The text of a TOML file: what it holds, and the line of each fault, which tomllib does not tell.

Where something is wrong, the text is taken apart into statements, each the fewest lines that
tomllib reads by themselves: so there is no second grammar of TOML here.
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
"""The keys that lead to a value; in a list, its index."""
MAX_VALUE_SHOWN = 60  # characters of a value
MAX_ERRORS_SHOWN = 20  # statements that are named, where a file is no TOML at all
BARE = r"[A-Za-z0-9_-]+"
CREDENTIALS = r"(?<=//)[^/@\s]+(?=@)"
KEY = r"""(?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')"""
HEAD = rf"\s*{KEY}(?:\s*\.\s*{KEY})*\s*="
BEGINS = rf"{HEAD}|\s*\["
OPEN = "(at end of document)"  # tomllib's words, where more lines may make it whole
AT = r" \(at (?:line (\d+), column \d+|end of document)\)$"


class Fault(NamedTuple):
    """What is wrong with a value, and where that stands."""

    place: Place
    says: str


class Statement(NamedTuple):
    """A key with its value, the head of a table, or an empty line; or an error."""

    line: int
    lines: Sequence[str]
    content: Mapping[str, Any]
    error: str = ""


def parse_document(file: Path, text: str) -> dict[str, Any]:
    """Return what a text holds.

    Args:
        file: Where it is from.
        text: What is in it.

    Raises:
        InputError: It is no TOML: names every statement that is none, and every key that is twice.
    """
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        found = [*_syntax_errors(text), *_duplicate_keys(text)] or [
            (_line(error, 1), _cause(error))
        ]
        lines = [f"{file}:{line}: {said}" for line, said in sorted(found)[:MAX_ERRORS_SHOWN]]
        raise InputError("\n".join(lines), hint=f"correct {file}: https://toml.io") from None


def faults_error(file: Path, text: str, faults: Iterable[Fault], hint: str) -> InputError:
    """Return the error that names faults, each with its line.

    Args:
        file: Where they are.
        text: What is in it.
        faults: What is wrong.
        hint: What to do.
    """
    known = lines_of(text)
    found = [(line_of(place, known), format_place(place), said) for place, said in faults]
    lines = [f"{file}:{line}: {place}{place and ': '}{said}" for line, place, said in sorted(found)]
    return InputError("\n".join(lines), hint=hint)


def lines_of(text: str) -> dict[Place, int]:
    """Return the first line of every table, key and item of a list.

    Args:
        text: It is TOML.
    """
    known: dict[Place, int] = {}
    for place, statement in _statements_with_places(text):
        for end in range(1, len(place) + 1):
            known.setdefault(place[:end], statement.line)
        known |= {(*place, index): line for index, line in enumerate(_items(statement))}
    return known


def line_of(place: Place, known: Mapping[Place, int]) -> int:
    """Return the line of a value, or of the nearest table around it."""
    return next((known[place[:end]] for end in range(len(place), 0, -1) if place[:end] in known), 1)


def format_place(place: Place) -> str:
    """Return a place as TOML writes it, with the index of an item: `parity."a b"[0]`."""
    parts = [
        f"[{part}]"
        if isinstance(part, int)
        else f".{part if re.fullmatch(BARE, part) else quote(part)}"
        for part in place
    ]
    return "".join(parts).removeprefix(".")


def quote(text: str) -> str:
    """Return a text as TOML writes it: on one line, without passwords and what a terminal obeys."""
    shown = re.sub(CREDENTIALS, "…", text)
    shown = json.dumps(shown, ensure_ascii=not shown.isprintable())
    return shown if len(shown) <= MAX_VALUE_SHOWN else f"{shown[:MAX_VALUE_SHOWN]}…"


def _statements(text: str) -> Iterator[Statement]:
    lines, start = text.split("\n"), 0
    while start < len(lines):
        statement = _statement(lines, start)
        yield statement
        start += len(statement.lines)


def _statement(lines: Sequence[str], start: int) -> Statement:
    """Return the statement that begins in a line; one that is none ends where another begins."""
    for end in range(start + 1, len(lines) + 1):
        some = lines[start:end]
        try:
            return Statement(start + 1, some, tomllib.loads("\n".join(some)))
        except (ValueError, RecursionError) as error:
            said, line = _cause(error), _line(error, start + 1)
            if not str(error).endswith(OPEN):
                break
    after = (n for n in range(start + 1, len(lines)) if re.match(BEGINS, lines[n]))
    where = f" in line {line}" if line > start + 1 else ""
    return Statement(start + 1, lines[start : next(after, len(lines))], {}, f"{said}{where}")


def _syntax_errors(text: str) -> Iterator[tuple[int, str]]:
    return ((each.line, each.error) for each in _statements(text) if each.error)


def _duplicate_keys(text: str) -> Iterator[tuple[int, str]]:
    first: dict[Place, int] = {}
    for place, statement in _statements_with_places(text):
        if place in first:
            yield statement.line, f"{format_place(place)} is there already, in line {first[place]}"
        first.setdefault(place, statement.line)


def _statements_with_places(text: str) -> Iterator[tuple[Place, Statement]]:
    """Yield each statement that is one, with the place that it is about."""
    table: Place = ()
    counts: Counter[Place] = Counter()
    for statement in _statements(text):
        if statement.error:
            continue
        if head := re.match(HEAD, statement.lines[0]):
            yield (*table, *_chain(tomllib.loads(f"{head[0]}0"))), statement
        elif statement.content:
            table = _chain(statement.content)
            if statement.lines[0].lstrip().startswith("[["):
                counts[table] += 1
                table = (*table, counts[table] - 1)
            yield table, statement


def _chain(content: Any) -> tuple[str, ...]:  # noqa: ANN401 - of a statement: a key in a key
    """Return the keys of a statement without its value."""
    keys = []
    while isinstance(content, dict) and content:
        ((key, content),) = content.items()
        keys.append(key)
    return tuple(keys)


def _items(statement: Statement) -> Iterator[int]:
    """Yield the line of each item of a list, by closing it after every line."""
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
    found = re.search(AT, str(error))
    return first + int(found[1]) - 1 if found and found[1] else first


def _cause(error: Exception) -> str:
    said = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
    said = re.sub(AT, "", said)
    return said[:1].lower() + said[1:]
