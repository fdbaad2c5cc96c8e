"""Mails to users, sent by a background thread.

A response that waited for the mail server would reveal by its duration whether an account exists.
On shutdown, the process sends the queued mails before it exits.
"""

import logging
from concurrent.futures import Future, ThreadPoolExecutor

from django.conf import settings
from django.core.mail import EmailMessage

from apps.accounts.models import User
from apps.accounts.tokens import PASSWORD_RESET, VERIFICATION, token_of

logger = logging.getLogger(__name__)
sender = ThreadPoolExecutor(max_workers=1, thread_name_prefix="mail")

NOT_REQUESTED = "If you did not request this, you can ignore this email."


def send_verification(user: User) -> None:
    """Send the link that verifies the user's address."""
    text = "Confirm your email address to activate your account. This link expires in 24 hours:"
    url = link("verify-email", token_of(user, VERIFICATION))
    send(user, "Confirm your email address", text, url, NOT_REQUESTED)


def send_account_exists(user: User) -> None:
    """Answer a registration for an address that has an account: the page must not reveal it."""
    text = "You already have an account with this email address. Forgot your password? Reset it:"
    send(user, "You already have an account", text, link("forgot-password"), NOT_REQUESTED)


def send_password_reset(user: User) -> None:
    """Send the link that resets the user's password."""
    text = "Choose a new password. This link expires in 24 hours:"
    url = link("reset-password", token_of(user, PASSWORD_RESET))
    send(user, "Reset your password", text, url, NOT_REQUESTED)


def send_password_changed(user: User) -> None:
    """Report the change to the user, in case another person made it."""
    text = "Your password was changed. If this was not you, reset it now:"
    send(user, "Your password was changed", text, link("forgot-password"))


def link(page: str, token: str = "") -> str:
    """Return the URL of a page, with the token in the fragment, which browsers do not send."""
    return f"{settings.PUBLIC_URL}/{page}" + (f"#token={token}" if token else "")


def send(user: User, subject: str, *paragraphs: str) -> Future[None]:
    """Queue a mail for the sender thread."""
    body = "\n\n".join(paragraphs) + "\n"
    return sender.submit(deliver, EmailMessage(subject, body, to=[user.email]))


def deliver(message: EmailMessage) -> None:
    """Send a mail; log a failure without the recipient."""
    try:
        message.send()
    except Exception as error:  # noqa: BLE001  # the thread must survive any error
        logger.error("mail not sent: %s", type(error).__name__)  # noqa: TRY400
