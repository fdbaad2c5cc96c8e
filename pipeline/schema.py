"""How a TOML file that people write is declared: its tables, their keys, and what a value may be.

A `Table` declares its keys as a dataclass does: name, type, a default if it may be left out, and
below it what it means. A type is `str`, `int`, `float`, `bool`, `date`, a table, or a tuple or a
mapping of these, `| None` if that is the default; `Annotated[…, Must(…)]` says what else a
value must be.

Classes are made without generating code, and of the standard library only: noxfile.py and the fast
path of `invoke ci` read pipeline.toml by them. Sixteen dataclasses would take 10 ms.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
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
"""A type as it is annotated."""
Value: TypeAlias = Any
Rule: TypeAlias = Callable[[Any], Iterator[Fault]]
"""What is wrong with a table, by the places in it."""


class Constraint(NamedTuple):
    """What a value must be, besides being of its type."""

    description: str
    is_valid: Callable[[Any], object] = lambda _: True
    show_value: bool = True
    """Whether a wrong value is repeated; not where a secret may stand by mistake."""
    repeats: bool = False
    """Whether a list may hold an item twice, as a command may."""


def matches_pattern(pattern: str, be: str, *, shown: bool = True) -> Constraint:
    """Return that a text must fit a regular expression, which is said in words."""
    return Constraint(be, lambda given: re.fullmatch(pattern, given, re.ASCII), shown)


def whole_number(least: int, most: int) -> Constraint:
    """Return that a whole number must be within bounds."""
    return Constraint(
        f"a whole number from {least} to {most}", lambda given: least <= given <= most
    )


def is_line(text: str) -> bool:
    """Say whether a text is a line that any page and terminal can show, and not blank."""
    return bool(text) and text.isprintable() and text == text.strip()


Text = Annotated[str, Constraint("a line of text without blanks around it", is_line)]


class UnsetError(AttributeError):
    """A value is missing or wrong, which is said already."""


@dataclass_transform(kw_only_default=True, frozen_default=True)
class Table:
    """A table of a file: each annotated name is a key, and one without a default must be there."""

    RULES: ClassVar[Sequence[Rule]] = ()
    """What is wrong with values beside each other; the places begin at this table."""
    REST: ClassVar[Kind] = None
    """The type of what stands under other keys, if there may be any."""
    rest: ClassVar[Mapping[str, Value]] = {}
    """That, by its keys."""
    KEYS: ClassVar[Mapping[str, Kind]] = {}
    DEFAULTS: ClassVar[Mapping[str, Value]] = {}

    def __init_subclass__(cls) -> None:
        own = {key: kind for key, kind in cls.__annotations__.items() if not key.isupper()}
        given = {key: vars(cls)[key] for key in own if key in vars(cls)}
        cls.KEYS, cls.DEFAULTS = {**cls.KEYS, **own}, {**cls.DEFAULTS, **given}
        for key in given:
            delattr(cls, key)  # a rule must not read the default of a value that is wrong

    @classmethod
    def complete(cls, given: Mapping[str, Value]) -> Mapping[str, Value]:
        """Return what was read with what follows from it, before it is checked."""
        return given

    def __init__(self, **values: Value) -> None:
        vars(self).update({**self.DEFAULTS, **values})

    def __setattr__(self, key: str, value: object) -> None:
        raise AttributeError(f"{key} cannot be set: a table stays as it was read")

    if not TYPE_CHECKING:  # for which there are no other keys than those that are declared

        def __getattr__(self, key: str) -> Value:
            raise UnsetError(key)

    @property
    def is_complete(self) -> bool:
        """Whether all is set, and nothing was wrong."""
        return self.KEYS.keys() <= vars(self).keys()

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and vars(self) == vars(other)

    __hash__ = None  # type: ignore[assignment]  # what it holds has none
