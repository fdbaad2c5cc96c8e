"""Lists in pages: bounded, and as cheap at their end as at their beginning."""

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

    A page begins behind the last row of the page before it, so a row that comes or goes meanwhile
    neither repeats nor hides another, and the last page costs no more than the first.

    Returns:
        At most `limit` rows, and what `before` is for the next page if there is one.
    """
    rows = rows.order_by("-id")
    if before is not None:
        rows = rows.filter(id__lt=before)
    page = list(rows[: limit + 1])
    return page[:limit], page[limit - 1].pk if len(page) > limit else None
