"""The schema of TOML files that people write: tables, keys, and types of values.

A `Table` declares its keys like a dataclass: name, type, a default if the key is optional, and a
docstring below. A type is `str`, `int`, `float`, `bool`, `date`, a table, or a tuple or a mapping
of these, `| None` if that is the default; `Annotated[…, Constraint(…)]` adds a constraint.

Classes are made without code generation and with the standard library only, as noxfile.py and the
fast path of `invoke ci` read pipeline.toml with them. Sixteen dataclasses would take 10 ms.
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import date
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    ClassVar,
    NamedTuple,
    TypeAlias,
    dataclass_transform,
)

from pipeline.toml import Fault

KINDS = {
    str: "text in quotes",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    date: "a date such as 2027-10-31",
    tuple: "a list in square brackets",
}
Kind: TypeAlias = Any
"""A type annotation."""
Value: TypeAlias = Any
Rule: TypeAlias = Callable[[Any], Iterator[Fault]]
"""Yields the errors of a table; their places begin at the table."""


class Constraint(NamedTuple):
    """What a value must be in addition to its type."""

    description: str
    is_valid: Callable[[Any], object] = lambda _: True
    show_value: bool = True
    """Whether error messages contain the value; False, if it may be a secret."""
    repeats: bool = False
    """Whether a list may contain an item twice, as a command may."""
    json_schema: tuple[tuple[str, object], ...] = ()
    """The constraint as keywords of JSON schema with their values, if they can express it."""


def matches_pattern(pattern: str, be: str, *, shown: bool = True) -> Constraint:
    """Return the constraint that a text matches a regular expression, described in words."""
    keywords = (("pattern", f"^(?:{pattern})$"),)
    return Constraint(
        be, lambda given: re.fullmatch(pattern, given, re.ASCII), shown, json_schema=keywords
    )


def whole_number(least: int, most: int) -> Constraint:
    """Return the constraint that a whole number is within bounds."""
    return Constraint(
        f"a whole number from {least} to {most}",
        lambda given: least <= given <= most,
        json_schema=(("minimum", least), ("maximum", most)),
    )


def _is_line(text: str) -> bool:
    """Return whether a text is one printable line without blanks around it."""
    return bool(text) and text.isprintable() and text == text.strip()


Text = Annotated[str, Constraint("a line of text without blanks around it", _is_line)]


class UnsetError(AttributeError):
    """A value is missing or invalid, which is reported already."""


@dataclass_transform(kw_only_default=True, frozen_default=True)
class Table:
    """A table of a file: each annotated name is a key; one without a default is required."""

    RULES: ClassVar[Sequence[Rule]] = ()
    """Rules across several values; places begin at this table."""
    REST: ClassVar[Kind] = None
    """The type of values under other keys, if any are allowed."""
    rest: ClassVar[Mapping[str, Value]] = {}
    """These values, by their keys."""
    DERIVED: ClassVar[Collection[str]] = ()
    """Keys that `complete` sets, which the file does not have."""
    KEYS: ClassVar[Mapping[str, Kind]] = {}
    DEFAULTS: ClassVar[Mapping[str, Value]] = {}

    def __init_subclass__(cls) -> None:
        own = {key: kind for key, kind in cls.__annotations__.items() if not key.isupper()}
        given = {key: vars(cls)[key] for key in own if key in vars(cls)}
        cls.KEYS, cls.DEFAULTS = {**cls.KEYS, **own}, {**cls.DEFAULTS, **given}
        for key in given:
            delattr(cls, key)  # so that a rule cannot read the default of an invalid value

    @classmethod
    def complete(cls, given: Mapping[str, Value]) -> Mapping[str, Value]:
        """Return the parsed values with derived ones, before the check."""
        return given

    def __init__(self, **values: Value) -> None:
        vars(self).update({**self.DEFAULTS, **values})

    def __setattr__(self, key: str, value: object) -> None:
        raise AttributeError(f"{key} cannot be set: tables are read-only")

    if not TYPE_CHECKING:  # type checkers know the declared keys only

        def __getattr__(self, key: str) -> Value:
            raise UnsetError(key)

    @property
    def is_complete(self) -> bool:
        """Whether all keys are set and valid."""
        return self.KEYS.keys() <= vars(self).keys()

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and vars(self) == vars(other)

    __hash__ = None  # type: ignore[assignment]  # its values have none
