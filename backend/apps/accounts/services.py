from typing import Literal

from django.contrib.auth import authenticate, login, logout, update_session_auth_hash
from django.contrib.auth.hashers import check_password, make_password
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
        InvalidCredentialsError: No active, verified user has this email address and password.
        ThrottledError: There were too many failed attempts.
    """
    user = authenticate(request, email=email, password=password)
    if user is None:
        raise InvalidCredentialsError
    login(request, user)
    return user


def session_close(*, request: HttpRequest) -> None:
    """Log the user out, if there is one, and delete the session."""
    logout(request)


def user_register(*, email: str, password: str, first_name: str = "", last_name: str = "") -> None:
    """Create a user who can log in after verifying the address, and send the verification mail.

    If the address has an account already, only the email states it. Until the address is verified,
    a new registration replaces the previous one and invalidates the links in its mails.

    Raises:
        ValidationError: The email address is invalid, or the password is too weak.
    """
    email = User.objects.normalize_email(email)
    require_email(email)
    require_password(password, User(email=email, first_name=first_name, last_name=last_name))
    fields = {"first_name": first_name, "last_name": last_name, "password": make_password(password)}
    user, _ = User.objects.get_or_create(email=email, defaults=fields | {"email_verified": False})
    # The database checks the condition, as a parallel request may verify the address.
    unverified = User.objects.filter(pk=user.pk, email_verified=False, is_active=True)
    if unverified.update(**fields):
        user.refresh_from_db()
        mails.send_verification(user)
    elif user.is_active:
        mails.send_account_exists(user)


def verification_request(*, email: str) -> None:
    """Send the verification mail again, if there is an active user with this unverified address."""
    email = User.objects.normalize_email(email)
    user = User.objects.filter(email=email, email_verified=False, is_active=True).first()
    if user is not None:
        mails.send_verification(user)


@transaction.atomic
def email_verify(*, token: str) -> None:
    """Mark the address of the token's user as verified.

    Raises:
        InvalidTokenError: The token is forged, expired or used.
    """
    user = user_of(token, VERIFICATION)
    user.email_verified = True
    user.save(update_fields=["email_verified"])


def password_reset_request(*, email: str) -> None:
    """Send the password reset mail, if there is an active user with this address."""
    email = User.objects.normalize_email(email)
    user = User.objects.filter(email=email, is_active=True).first()
    if user is not None:
        mails.send_password_reset(user)


def password_reset(*, token: str, password: str) -> None:
    """Set a new password, end every session and mark the address as verified.

    The token shows that the user receives email at the address.

    Raises:
        InvalidTokenError: The token is forged, expired or used.
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
    """Set a new password and end all other sessions. The current session gets a new key.

    Raises:
        InvalidCredentialsError: The current password is wrong.
        ThrottledError: There were too many failed attempts.
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
    """Update the given fields of a user's profile."""
    for name, value in changes.items():
        setattr(user, name, value)
    user.save(update_fields=list(changes))
    return user


@transaction.atomic
def user_ensure(*, email: str, password: str) -> Literal["created", "updated", "unchanged"]:
    """Ensure that an ordinary user with this email address and password exists and can log in.

    Raises:
        ValidationError: The email address is invalid, or the password is too weak.
        PrivilegedUserError: The user is an administrator.
    """
    email = User.objects.normalize_email(email)
    require_email(email)
    require_password(password, User(email=email))
    user, is_new = User.objects.get_or_create(email=email)
    if user.is_staff or user.is_superuser:
        raise PrivilegedUserError
    if user.is_active and user.email_verified and user.check_password(password):
        return "unchanged"  # a new hash would end the user's sessions
    user.is_active = user.email_verified = True
    user.set_password(password)
    user.save(update_fields=["is_active", "email_verified", "password"])
    return "created" if is_new else "updated"


def user_is_ensured(*, email: str, password: str) -> bool:
    """Say whether `user_ensure` would find all as it should be; nothing is changed."""
    email = User.objects.normalize_email(email)
    try:
        require_email(email)
        require_password(password, User(email=email))
    except ValidationError:
        return False
    user = User.objects.filter(
        email=email, is_active=True, email_verified=True, is_staff=False, is_superuser=False
    ).first()
    return user is not None and check_password(password, user.password)


def require_email(email: str) -> None:
    """Validate an email address.

    Raises:
        ValidationError: The address is invalid; the error names the field.
    """
    try:
        validate_email(email)
    except ValidationError as error:
        raise ValidationError({"email": error}) from None


def require_password(password: str, user: User, *, field: str = "password") -> None:
    """Validate a password with Django's password validators.

    Raises:
        ValidationError: The password is too weak; the error names the field and all reasons.
    """
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise ValidationError({field: error}) from None
