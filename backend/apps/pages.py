"""Cursor pagination: pages are limited, and late pages cost as little as early ones."""

from typing import Annotated, TypeVar

from django.db.models import Model, QuerySet
from ninja import Schema
from pydantic import Field

LARGEST_ID = 2**63 - 1

Row = TypeVar("Row", bound=Model)


class PageIn(Schema):
    limit: Annotated[int, Field(ge=1, le=100, description="Maximum number of items")] = 20
    before: Annotated[
        int | None, Field(ge=1, le=LARGEST_ID, description="`next` of the previous page")
    ] = None


Next = Annotated[int | None, Field(description="`before` of the next page; null on the last page")]


def page_of(rows: QuerySet[Row], *, limit: int, before: int | None) -> tuple[list[Row], int | None]:
    """List rows, newest first.

    A page starts after the last row of the previous page. So rows that are added or deleted between
    two requests do not repeat or hide other rows.

    Returns:
        At most `limit` rows, and `before` of the next page or None.
    """
    rows = rows.order_by("-id")
    if before is not None:
        rows = rows.filter(id__lt=before)
    page = list(rows[: limit + 1])
    return page[:limit], page[limit - 1].pk if len(page) > limit else None
