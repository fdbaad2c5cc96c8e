"""The shapes of the API's errors, so that its schema can tell the truth about them."""

from ninja import Schema


class ErrorOut(Schema):
    detail: str


class InvalidFieldOut(Schema):
    type: str
    loc: list[str | int]
    msg: str


class InvalidInputOut(Schema):
    detail: list[InvalidFieldOut]


# Python 3.13 renamed two of these statuses, and the schema must not depend on who exports it.
TOO_LARGE = {413: {"description": "Content Too Large"}}
INVALID_INPUT = {422: {"description": "Unprocessable Content"}}
RETRY_AFTER = {"description": "Seconds to wait", "required": True, "schema": {"type": "integer"}}
TOO_MANY = {429: {"description": "Too Many Requests", "headers": {"Retry-After": RETRY_AFTER}}}
