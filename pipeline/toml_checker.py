"""Check the content of a TOML file against its schema, and report all errors at once."""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, TypeVar, get_args, get_origin

from pipeline.toml import Fault, Place, faults_error, parse_document, quote
from pipeline.toml_schema import KINDS, Constraint, Kind, Rule, Table, UnsetError, Value

_TYPES: dict[object, tuple[type, ...]] = {float: (int, float), tuple: (list,), Mapping: (dict,)}
_NONE_TYPE = type(None)
_INVALID = object()
_T = TypeVar("_T", bound=Table)


def read_file(
    kind: type[_T], file: Path, text: str, *, hint: str, rules: Sequence[Rule] = ()
) -> _T:
    """Parse and check a TOML file.

    Args:
        kind: Its schema.
        file: Its name.
        text: Its text.
        hint: Where the keys are documented.
        rules: Rules to check in addition to those of the schema.

    Raises:
        InputError: Names every error, each with its line.
    """
    checker = Checker()
    table = checker.table(kind, parse_document(file, text), ())
    checker.check_rules(table, rules, ())
    if checker.faults:
        raise faults_error(file, text, checker.faults, hint)
    return table


def _suggest(word: str, known: Collection[str]) -> str:
    """Return "did you mean" with the nearest known word, or else all known words."""
    from difflib import get_close_matches  # noqa: PLC0415 - slow to import, and only errors need it

    lower = {each.lower(): each for each in known}
    if found := get_close_matches(word.lower(), lower, n=1):
        return _suggestion(lower[found[0]])
    return f"; known: {', '.join(sorted(known)) or 'none'}"


def unknown_name_faults(
    what: str, name: str, known: Collection[str], place: Place
) -> Iterator[Fault]:
    """Yield an error, if a name is not known."""
    if name not in known:
        yield Fault(place, f"there is no {what} `{name}`{_suggest(name, known)}")


class _Parts(NamedTuple):
    """The parts of a type annotation."""

    types: tuple[type, ...]
    """The types of tomllib that fit; a boolean is not a number."""
    table: type[Table] | None
    inner: Sequence[Kind]
    must: Constraint


@cache
def type_parts(kind: Kind) -> _Parts:
    """Return the parts of a type annotation; TOML has no None."""
    if _NONE_TYPE in get_args(kind):
        return type_parts(get_args(kind)[0])
    annotated, *constraints = get_args(kind) if hasattr(kind, "__metadata__") else [kind]
    origin: Any = get_origin(annotated) or annotated
    table = origin if issubclass(origin, Table) else None
    types = (dict,) if table else _TYPES.get(origin, (origin,))
    must = constraints[0] if constraints else Constraint(KINDS.get(origin, "a table"))
    return _Parts(types, table, get_args(annotated), must)


class Checker:
    """Converts parsed TOML into tables, and collects errors."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []

    def table(self, kind: type[_T], given: Mapping[str, Value], place: Place) -> _T:
        """Return a table without its invalid values."""
        given = kind.complete(given)
        self._compare(kind, given, place)
        values = {**kind.DEFAULTS}
        for key, inner in kind.KEYS.items():
            if key in given:
                values[key] = self.value(inner, given[key], (*place, key))
        if kind.REST:
            rest = {key: value for key, value in given.items() if key not in kind.KEYS}
            values["rest"] = dict(self._entries(str, kind.REST, rest, place))
        table = kind.__new__(kind)
        vars(table).update({key: value for key, value in values.items() if value is not _INVALID})
        self.check_rules(table, kind.RULES, place)
        return table

    def check_rules(self, table: Table, rules: Sequence[Rule], place: Place) -> None:
        """Check rules of a table; a rule that reads an unset value is skipped."""
        for rule in rules:
            with suppress(UnsetError):
                for fault in rule(table):
                    self.faults.append(Fault((*place, *fault.place), fault.message))

    def value(self, kind: Kind, given: Value, place: Place) -> Value:
        """Return a value, or INVALID; a table in any case, so that its other values are checked."""
        types, table, inner, must = type_parts(kind)
        known, fits = len(self.faults), type(given) in types
        if table and fits:
            return self.table(table, given, place)
        value = self._inside(inner, given, place, repeats=must.repeats) if fits else _INVALID
        if len(self.faults) == known and not (fits and must.is_valid(value)):
            shown = "" if fits and inner else _but_got(must, given)
            self.faults.append(Fault(place, f"it must be {must.description}{shown}"))
            return table.__new__(table) if table else _INVALID
        return value

    def _inside(self, kinds: Sequence[Kind], given: Value, place: Place, *, repeats: bool) -> Value:
        if isinstance(given, list):
            return tuple(self._items(kinds[0], given, place, repeats=repeats))
        if isinstance(given, dict):
            return dict(self._entries(kinds[0], kinds[1], given, place))
        return given

    def _items(
        self, kind: Kind, given: Sequence[Value], place: Place, *, repeats: bool
    ) -> Iterator[Value]:
        for index, item in enumerate(given):
            if item in given[:index] and not repeats:
                self.faults.append(Fault((*place, index), "it is in the list twice"))
            elif (value := self.value(kind, item, (*place, index))) is not _INVALID:
                yield value
            elif type(item) in type_parts(kind).types:
                yield item  # so that rules see it

    def _entries(
        self, name: Kind, kind: Kind, given: Mapping[str, Value], place: Place
    ) -> Iterator[tuple[str, Value]]:
        must = type_parts(name).must
        for key, inner in given.items():
            if not must.is_valid(key):
                self.faults.append(Fault((*place, key), f"its name must be {must.description}"))
            value = self.value(kind, inner, (*place, key))
            yield key, () if value is _INVALID else value  # so that rules see the name

    def _compare(self, kind: type[Table], given: Mapping[str, object], place: Place) -> None:
        """Report unknown and missing keys.

        A missing key that an unknown one suggests is not reported.
        """
        others = () if kind.REST else given
        known = kind.KEYS.keys() - {*kind.DERIVED}
        meant = {key: _suggest(key, known) for key in others if key not in kind.KEYS}
        for key, near in meant.items():
            self.faults.append(Fault((*place, key), f"there is no such key{near}"))
        for key, inner in kind.KEYS.items():
            if key not in {*given, *kind.DEFAULTS} and _suggestion(key) not in meant.values():
                wanted = type_parts(inner).must.description
                self.faults.append(Fault(place, f"`{key}` is missing; it must be {wanted}"))


def _suggestion(key: str) -> str:
    return f"; did you mean `{key}`?"


def _but_got(must: Constraint, given: object) -> str:
    """Return the value for the end of a message, unless it may be a secret."""
    if isinstance(given, dict | list):
        return ", not a table" if isinstance(given, dict) else ", not a list"
    if isinstance(given, str):
        return f", not {quote(given)}" if must.show_value else ""
    return f", not {json.dumps(given) if isinstance(given, bool) else given}"
