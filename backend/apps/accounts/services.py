from typing import Literal

from django.contrib.auth import authenticate, login, logout, update_session_auth_hash
from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.http import HttpRequest

from apps.accounts import mails
from apps.accounts.models import User
from apps.accounts.sessions import sessions_end
from apps.accounts.tokens import PASSWORD_RESET, VERIFICATION, user_of


class InvalidCredentialsError(Exception):
    pass


class PrivilegedUserError(Exception):
    pass


def session_open(*, request: HttpRequest, email: str, password: str) -> User:
    """Log a user in and give the session a new key.

    Raises:
        InvalidCredentialsError: Nobody active and verified has this e-mail address and password.
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


def user_register(*, email: str, password: str, first_name: str = "", last_name: str = "") -> None:
    """Create a user who may log in once the address is verified, and write to that address.

    Whether somebody has the address already, only its mail tells. Until it is verified, whoever
    registers last decides about the account, and links in earlier mails are void.

    Raises:
        ValidationError: The address is none, or the password is too weak.
    """
    email = User.objects.normalize_email(email)
    person = User(email=email, first_name=first_name, last_name=last_name)
    require_email(email)
    require_password(password, person)
    fields = {"first_name": first_name, "last_name": last_name, "password": make_password(password)}
    user, _ = User.objects.get_or_create(email=email, defaults=fields | {"email_verified": False})
    # The condition is the database's: the address may be verified just now.
    unproved = User.objects.filter(pk=user.pk, email_verified=False, is_active=True)
    if unproved.update(**fields):
        user.refresh_from_db()
        mails.send_verification(user)
    elif user.is_active:
        mails.send_account_exists(user)


def verification_request(*, email: str) -> None:
    """Write to a user whose address is not verified yet, if there is one."""
    email = User.objects.normalize_email(email)
    user = User.objects.filter(email=email, email_verified=False, is_active=True).first()
    if user is not None:
        mails.send_verification(user)


@transaction.atomic
def email_verify(*, token: str) -> None:
    """Take the address of the user to whom the token was sent for verified.

    Raises:
        InvalidTokenError: The token is made up, too old, or was used.
    """
    user = user_of(token, VERIFICATION)
    user.email_verified = True
    user.save(update_fields=["email_verified"])


def password_reset_request(*, email: str) -> None:
    """Write to the active user with this address, if there is one."""
    email = User.objects.normalize_email(email)
    user = User.objects.filter(email=email, is_active=True).first()
    if user is not None:
        mails.send_password_reset(user)


def password_reset(*, token: str, password: str) -> None:
    """Set another password, and end every session. Who could do it does read mail at the address.

    Raises:
        InvalidTokenError: The token is made up, too old, or was used.
        ValidationError: The password is too weak.
    """
    with transaction.atomic():
        user = user_of(token, PASSWORD_RESET)
        require_password(password, user)
        user.email_verified = True
        user.set_password(password)
        user.save(update_fields=["email_verified", "password"])
    sessions_end(user=user)
    mails.send_password_changed(user)


def password_change(*, request: HttpRequest, user: User, current: str, new: str) -> None:
    """Set another password, and end every session but this one, which gets a new key.

    Raises:
        InvalidCredentialsError: The current password is another one.
        ThrottledError: There were too many wrong attempts.
        ValidationError: The new password is too weak.
    """
    if authenticate(request, email=user.email, password=current) is None:
        raise InvalidCredentialsError
    require_password(new, user, field="new_password")
    user.set_password(new)
    user.save(update_fields=["password"])
    update_session_auth_hash(request, user)
    sessions_end(user=user, keep=request.session.session_key)
    mails.send_password_changed(user)


def user_update(*, user: User, **changes: str | None) -> User:
    """Change what a user says about themselves."""
    for name, value in changes.items():
        setattr(user, name, value)
    user.save(update_fields=list(changes))
    return user


@transaction.atomic
def user_ensure(*, email: str, password: str) -> Literal["created", "updated", "unchanged"]:
    """See to it that an ordinary user has this e-mail address and password, and may log in.

    Raises:
        ValidationError: The address is none, or the password is too weak.
        PrivilegedUserError: The address belongs to somebody who administers something.
    """
    email = User.objects.normalize_email(email)
    require_email(email)
    require_password(password, User(email=email))
    user, is_new = User.objects.get_or_create(email=email)
    if user.is_staff or user.is_superuser:
        raise PrivilegedUserError
    if user.is_active and user.email_verified and user.check_password(password):
        return "unchanged"  # a new hash of the same password would end the user's sessions
    user.is_active = user.email_verified = True
    user.set_password(password)
    user.save(update_fields=["is_active", "email_verified", "password"])
    return "created" if is_new else "updated"


def require_email(email: str) -> None:
    """Refuse what is no e-mail address.

    Raises:
        ValidationError: Names the field.
    """
    try:
        validate_email(email)
    except ValidationError as error:
        raise ValidationError({"email": error}) from None


def require_password(password: str, user: User, *, field: str = "password") -> None:
    """Refuse a password that is easy to guess.

    Raises:
        ValidationError: Names the field, and all that is wrong with the password.
    """
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise ValidationError({field: error}) from None
