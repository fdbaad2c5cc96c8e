from datetime import datetime
from typing import Annotated

from ninja import Schema
from pydantic import Field, StringConstraints

LARGEST_ID = 2**63 - 1

# PostgreSQL cannot store a text with a NUL in it.
Name = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=100, pattern=r"^[^\x00]*$"),
]


class ProjectIn(Schema):
    name: Name


class ProjectOut(Schema):
    id: int
    name: str
    created: datetime


class PageIn(Schema):
    limit: Annotated[int, Field(ge=1, le=100, description="How many projects to list")] = 20
    before: Annotated[
        int | None, Field(ge=1, le=LARGEST_ID, description="`next` of the page before this one")
    ] = None


class PageOut(Schema):
    items: list[ProjectOut]
    next: Annotated[int | None, Field(description="Where the next page begins, if there is one")]
