from typing import Literal

from django.contrib.auth import authenticate, login, logout
from django.contrib.auth.password_validation import validate_password
from django.core.validators import validate_email
from django.db import transaction
from django.http import HttpRequest

from apps.accounts.models import User


class InvalidCredentialsError(Exception):
    pass


class PrivilegedUserError(Exception):
    pass


def session_open(*, request: HttpRequest, email: str, password: str) -> User:
    """Log a user in and give the session a new key.

    Raises:
        InvalidCredentialsError: Nobody active has this e-mail address and password.
        ThrottledError: There were too many wrong attempts.
    """
    user = authenticate(request, email=email, password=password)
    if user is None:
        raise InvalidCredentialsError
    login(request, user)
    return user


def session_close(*, request: HttpRequest) -> None:
    """Log whoever it is out and forget the session."""
    logout(request)


@transaction.atomic
def user_ensure(*, email: str, password: str) -> Literal["created", "updated", "unchanged"]:
    """See to it that an ordinary, active user has this e-mail address and password.

    Raises:
        ValidationError: The address is none, or the password is too weak.
        PrivilegedUserError: The address belongs to somebody who administers something.
    """
    email = User.objects.normalize_email(email)
    validate_email(email)
    validate_password(password, User(email=email))
    user, is_new = User.objects.get_or_create(email=email)
    if user.is_staff or user.is_superuser:
        raise PrivilegedUserError
    if user.is_active and user.check_password(password):
        return "unchanged"  # a new hash of the same password would end the user's sessions
    user.is_active = True
    user.set_password(password)
    user.save(update_fields=["is_active", "password"])
    return "created" if is_new else "updated"
