"""How GitHub compares values in an expression: loosely, and without the case of letters.

https://docs.github.com/en/actions/reference/workflows-and-actions/expressions#operators
"""

import math
import re
from typing import TypeAlias

Scalar: TypeAlias = str | float | bool | None

DECIMAL = re.compile(r"[+-]?(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|Infinity)")
HEX_OR_OCTAL = re.compile(r"0(?:x[0-9a-fA-F]+|o[0-7]+)")


def loosely_equal(found: Scalar, wanted: Scalar) -> bool:
    """Say whether two values are equal to GitHub: text by its letters, all else as numbers."""
    if isinstance(found, str) and isinstance(wanted, str):
        return fold_case(found) == fold_case(wanted)
    return to_number(found) == to_number(wanted)


def to_number(value: Scalar) -> float:
    """Return the number that a value stands for to GitHub; NaN for text that is none."""
    if isinstance(value, str):
        return _parsed(value.strip())
    number = value or 0
    try:
        return float(number)
    except OverflowError:
        return math.inf if number > 0 else -math.inf


def _parsed(text: str) -> float:
    if DECIMAL.fullmatch(text):
        return float(text)
    if HEX_OR_OCTAL.fullmatch(text):
        number = int(text, 0)
        # GitHub reads these into 32 bits with a sign
        return float(number) if number < 2**31 else math.nan
    return math.nan if text else 0.0


def fold_case(text: str) -> str:
    """Return a text without the case of its letters, one by one and never across alphabets."""
    return "".join(map(_upper, text))


def _upper(letter: str) -> str:
    # ordinal: a letter stays one letter, and none from abroad becomes one of ASCII
    upper = letter.upper()
    return upper if len(upper) == 1 and upper.isascii() == letter.isascii() else letter
