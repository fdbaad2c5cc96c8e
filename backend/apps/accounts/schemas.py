from typing import Annotated

from ninja import Schema
from pydantic import Field


class CredentialsIn(Schema):
    # PostgreSQL cannot even look for a text with a NUL in it.
    email: Annotated[str, Field(max_length=254, pattern=r"^[^\s@\x00]+@[^\s@\x00]+$")]
    password: Annotated[str, Field(min_length=1, max_length=4096)]


class UserOut(Schema):
    id: int
    email: str
    first_name: str
    last_name: str
