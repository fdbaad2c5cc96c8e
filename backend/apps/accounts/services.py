from django.contrib.auth import authenticate, login, logout
from django.http import HttpRequest

from apps.accounts.models import User


class InvalidCredentialsError(Exception):
    pass


def session_open(*, request: HttpRequest, email: str, password: str) -> User:
    """Log a user in and give the session a new key.

    Raises:
        InvalidCredentialsError: Nobody active has this e-mail address and password.
    """
    user = authenticate(request, email=email, password=password)
    if user is None:
        raise InvalidCredentialsError
    login(request, user)
    return user


def session_close(*, request: HttpRequest) -> None:
    """Log whoever it is out and forget the session."""
    logout(request)
