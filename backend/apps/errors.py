"""API errors as problem details (RFC 9457)."""

from http import HTTPStatus

from django.http import JsonResponse
from ninja import Schema

MEDIA_TYPE = "application/problem+json"

# Python 3.13 renamed two titles. Responses must not depend on the Python version.
TITLES = {status.value: status.phrase for status in HTTPStatus} | {
    413: "Content Too Large",
    422: "Unprocessable Content",
}


class ProblemOut(Schema):
    """Problem details (RFC 9457). The type `about:blank` refers to the meaning of the status."""

    type: str
    title: str
    status: int
    detail: str


class InvalidFieldOut(Schema):
    type: str
    loc: list[str | int]
    msg: str


class InvalidInputOut(ProblemOut):
    errors: list[InvalidFieldOut]


def problems(*statuses: int) -> dict[int, type[ProblemOut]]:
    """Return the response schemas of problems, by status."""
    return {status: InvalidInputOut if status == 422 else ProblemOut for status in statuses}  # noqa: PLR2004


def problem(
    status: int, detail: str, *, headers: dict[str, str] | None = None, **members: object
) -> JsonResponse:
    """Return the response for a problem.

    Args:
        status: HTTP status code.
        detail: A sentence for the user.
        headers: Additional headers, such as Retry-After.
        **members: Additional members of the JSON object.
    """
    body = ProblemOut(type="about:blank", title=TITLES[status], status=status, detail=detail)
    return JsonResponse(
        body.dict() | members, status=status, content_type=MEDIA_TYPE, headers=headers
    )
