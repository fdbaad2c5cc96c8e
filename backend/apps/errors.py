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


# Python 3.13 renamed this status, and the schema must not depend on who exports it.
INVALID_INPUT = {"responses": {422: {"description": "Unprocessable Content"}}}
