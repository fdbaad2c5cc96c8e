"""How GitHub compares values in an expression: loosely, and ignoring case.

https://docs.github.com/en/actions/reference/workflows-and-actions/expressions#operators
"""

import math
import re
from typing import TypeAlias

Scalar: TypeAlias = str | float | bool | None

_DECIMAL = re.compile(r"[+-]?(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|Infinity)")
_HEX_OR_OCTAL = re.compile(r"0(?:x[0-9a-fA-F]+|o[0-7]+)")


def loosely_equal(found: Scalar, wanted: Scalar) -> bool:
    """Return whether two values are equal to GitHub: two texts by letters, others as numbers."""
    if isinstance(found, str) and isinstance(wanted, str):
        return fold_case(found) == fold_case(wanted)
    return to_number(found) == to_number(wanted)


def to_number(value: Scalar) -> float:
    """Return the number that GitHub converts a value to; NaN for text that is not a number."""
    if isinstance(value, str):
        return _parsed(value.strip())
    number = value or 0
    try:
        return float(number)
    except OverflowError:
        return math.inf if number > 0 else -math.inf


def _parsed(text: str) -> float:
    if _DECIMAL.fullmatch(text):
        return float(text)
    if _HEX_OR_OCTAL.fullmatch(text):
        number = int(text, 0)
        # GitHub parses these as signed 32-bit integers
        return float(number) if number < 2**31 else math.nan
    return math.nan if text else 0.0


def fold_case(text: str) -> str:
    """Return a text in upper case, letter by letter; a letter outside ASCII stays outside."""
    return "".join(map(_upper, text))


def _upper(letter: str) -> str:
    # ordinal comparison: a letter stays one letter, and others do not become ASCII
    upper = letter.upper()
    return upper if len(upper) == 1 and upper.isascii() == letter.isascii() else letter
