"""Registration, email verification and password reset, without revealing who has an account.

Each request for a mail gets the same response in the same time, with or without an account.
"""

from django.http import HttpRequest
from ninja import Router, Status
from ninja.errors import HttpError

from apps.accounts.authentication import CsrfProtected
from apps.accounts.models import User
from apps.accounts.schemas import EmailIn, PasswordResetIn, RegistrationIn, TokenIn
from apps.accounts.services import (
    email_verify,
    password_reset,
    password_reset_request,
    user_register,
    verification_request,
)
from apps.accounts.throttling import MAILS, count_attempt
from apps.accounts.tokens import InvalidTokenError
from apps.errors import problems

router = Router(auth=CsrfProtected())

MAIL_RESPONSES = {204: None} | problems(429)
TOKEN_RESPONSES = {204: None} | problems(400)


@router.post("/register/", operation_id="register", response=MAIL_RESPONSES)
def register(request: HttpRequest, registration: RegistrationIn) -> Status[None]:
    """Create an account. Sends an email with a link that verifies the address."""
    throttle(request, registration.email)
    user_register(**registration.dict())
    return Status(204, None)


@router.post("/verification/", operation_id="requestVerification", response=MAIL_RESPONSES)
def request_verification(request: HttpRequest, who: EmailIn) -> Status[None]:
    """Send another email with a link that verifies the address."""
    throttle(request, who.email)
    verification_request(email=who.email)
    return Status(204, None)


@router.post("/verification/confirm/", operation_id="verifyEmail", response=TOKEN_RESPONSES)
def verify_email(request: HttpRequest, data: TokenIn) -> Status[None]:  # noqa: ARG001
    """Verify an email address with the token from the link. The user can then log in."""
    try:
        email_verify(token=data.token)
    except InvalidTokenError:
        raise invalid_link() from None
    return Status(204, None)


@router.post("/password-reset/", operation_id="requestPasswordReset", response=MAIL_RESPONSES)
def request_password_reset(request: HttpRequest, who: EmailIn) -> Status[None]:
    """Send an email with a link that resets the password."""
    throttle(request, who.email)
    password_reset_request(email=who.email)
    return Status(204, None)


@router.post("/password-reset/confirm/", operation_id="resetPassword", response=TOKEN_RESPONSES)
def reset_password(request: HttpRequest, reset: PasswordResetIn) -> Status[None]:  # noqa: ARG001
    """Set a new password with the token from the link. Ends all sessions of the user."""
    try:
        password_reset(token=reset.token, password=reset.password)
    except InvalidTokenError:
        raise invalid_link() from None
    return Status(204, None)


def throttle(request: HttpRequest, email: str) -> None:
    """Count a request for a mail to an address, with or without an account.

    Raises:
        ThrottledError: There were too many requests.
    """
    count_attempt(request, User.objects.normalize_email(email), MAILS)


def invalid_link() -> HttpError:
    """Return the one error for all invalid tokens: details would help to guess tokens."""
    return HttpError(400, "This link has expired. Request a new one.")
