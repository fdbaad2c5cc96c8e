from datetime import datetime
from typing import Annotated

from ninja import Schema
from pydantic import Field, StringConstraints

from apps.pages import Next

# PostgreSQL rejects queries for texts with a NUL character.
Email = Annotated[str, Field(max_length=254, pattern=r"^[^\s@\x00]+@[^\s@\x00]+$")]
Password = Annotated[str, Field(min_length=1, max_length=4096)]
Token = Annotated[str, Field(min_length=1, max_length=200)]
Name = Annotated[
    str, StringConstraints(strip_whitespace=True, max_length=150, pattern=r"^[^\x00]*$")
]
Phone = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^\+?[0-9 ()./-]{3,30}$")]


class CredentialsIn(Schema):
    email: Email
    password: Password


class RegistrationIn(Schema):
    email: Email
    password: Password
    # With a plain default, the generated client would treat the field as required.
    first_name: Annotated[Name, Field(default_factory=str)]
    last_name: Annotated[Name, Field(default_factory=str)]


class EmailIn(Schema):
    email: Email


class TokenIn(Schema):
    token: Token


class PasswordResetIn(Schema):
    token: Token
    password: Password


class PasswordChangeIn(Schema):
    current_password: Password
    new_password: Password


class UserOut(Schema):
    id: int
    email: str
    first_name: str
    last_name: str
    phone: str | None


class UserIn(Schema):
    """Changes to a profile. Omitted fields stay unchanged."""

    first_name: Annotated[Name, Field(default_factory=str)]
    last_name: Annotated[Name, Field(default_factory=str)]
    phone: Annotated[Phone | None, Field(default_factory=lambda: None)]


class SessionOut(Schema):
    id: int
    user_agent: Annotated[str, Field(description="User-Agent header of the browser")]
    created: datetime
    last_seen: Annotated[datetime, Field(description="Accurate to five minutes")]
    current: Annotated[bool, Field(description="Whether this request uses the session")]


class SessionPageOut(Schema):
    items: list[SessionOut]
    next: Next
