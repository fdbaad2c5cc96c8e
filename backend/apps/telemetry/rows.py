"""Remove values of database rows from errors, before they reach logs and error reports.

PostgreSQL shows the row that breaks a constraint: `Failing row contains (1, ada@…, argon2$…)`.
"""

from collections.abc import Iterator
from typing import TypeVar

REDACTED = "(redacted)"

Value = TypeVar("Value")


def without_rows(value: Value, error: BaseException | None) -> Value:
    """Replace the row details of an error in a text, or in all texts of a list or dictionary.

    Args:
        value: The text, list or dictionary.
        error: The error, including its causes.
    """
    for detail in {*details(error)}:
        value = _replaced(value, detail)
    return value


def details(error: BaseException | None) -> Iterator[str]:
    """Yield the row details of an error and its causes."""
    if error is not None:
        detail = getattr(getattr(error, "diag", None), "message_detail", None)
        yield from [detail] if detail else []
        yield from details(error.__cause__ or error.__context__)


def _replaced(value: Value, detail: str) -> Value:
    found: object = value
    if isinstance(value, str):
        found = value.replace(detail, REDACTED)
    elif isinstance(value, dict):
        found = {key: _replaced(each, detail) for key, each in value.items()}
    elif isinstance(value, list):
        found = [_replaced(each, detail) for each in value]
    return found  # type: ignore[return-value]  # of the same type
