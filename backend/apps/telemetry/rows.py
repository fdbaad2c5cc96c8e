"""What an error tells of a row is what a person sent: it goes to no log and to no report.

PostgreSQL shows the row that breaks a constraint: `Failing row contains (1, ada@…, argon2$…)`.
"""

from collections.abc import Iterator
from typing import TypeVar

REDACTED = "(redacted)"

Value = TypeVar("Value")


def without_rows(value: Value, error: BaseException | None) -> Value:
    """Return a text, or what is made of texts, without what an error tells of rows.

    Args:
        value: Of which the error is a part.
        error: With all that it came from.
    """
    for detail in {*details(error)}:
        value = _replaced(value, detail)
    return value


def details(error: BaseException | None) -> Iterator[str]:
    """Yield what an error and those that it came from tell of rows."""
    if error is not None:
        told = getattr(getattr(error, "diag", None), "message_detail", None)
        yield from [told] if told else []
        yield from details(error.__cause__ or error.__context__)


def _replaced(value: Value, detail: str) -> Value:
    found: object = value
    if isinstance(value, str):
        found = value.replace(detail, REDACTED)
    elif isinstance(value, dict):
        found = {key: _replaced(each, detail) for key, each in value.items()}
    elif isinstance(value, list):
        found = [_replaced(each, detail) for each in value]
    return found  # type: ignore[return-value]  # of the same shape
