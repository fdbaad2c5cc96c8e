from datetime import datetime
from typing import Annotated

from ninja import Schema
from pydantic import StringConstraints

from apps.pages import Next

# PostgreSQL cannot store texts with a NUL character.
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


class ProjectPageOut(Schema):
    items: list[ProjectOut]
    next: Next
