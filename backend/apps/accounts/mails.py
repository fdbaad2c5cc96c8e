"""The mails that users get, sent by a thread of its own.

An answer that waited for the mail server would tell by its time whether there was somebody to write
to. A process that is told to stop sends what is still waiting before it ends.
"""

import logging
from concurrent.futures import Future, ThreadPoolExecutor

from django.conf import settings
from django.core.mail import EmailMessage

from apps.accounts.models import User
from apps.accounts.tokens import PASSWORD_RESET, VERIFICATION, token_of

logger = logging.getLogger(__name__)
sender = ThreadPoolExecutor(max_workers=1, thread_name_prefix="mail")

NOT_ME = "If you did not ask for this, do nothing: nobody but you has got this mail."


def send_verification(user: User) -> None:
    """Ask a user to prove that the address is theirs."""
    text = "Please confirm your e-mail address, within a day:"
    address = link("verify-email", token_of(user, VERIFICATION))
    send(user, "Confirm your e-mail address", text, address)


def send_account_exists(user: User) -> None:
    """Tell a user what the page does not tell anybody: that there is an account already."""
    text = "You already have an account. If you forgot its password, choose another here:"
    send(user, "You already have an account", text, link("forgot-password"))


def send_password_reset(user: User) -> None:
    """Let a user choose another password."""
    text = "Choose a new password here, within a day:"
    address = link("reset-password", token_of(user, PASSWORD_RESET))
    send(user, "Choose a new password", text, address)


def send_password_changed(user: User) -> None:
    """Tell a user, who may not have done it."""
    text = "Your password was changed. If it was not you, choose another at once:"
    send(user, "Your password was changed", text, link("forgot-password"))


def link(page: str, token: str = "") -> str:
    """Return the address of a page; the token is in the fragment, which no server gets to see."""
    return f"{settings.PUBLIC_URL}/{page}" + (f"#token={token}" if token else "")


def send(user: User, subject: str, text: str, address: str) -> Future[None]:
    """Hand a mail over to the thread that sends it."""
    body = f"{text}\n\n{address}\n\n{NOT_ME}\n"
    return sender.submit(deliver, EmailMessage(subject, body, to=[user.email]))


def deliver(message: EmailMessage) -> None:
    """Send a mail, and log if that fails, without saying to whom."""
    try:
        message.send()
    except Exception as error:  # noqa: BLE001  # whatever it is, the next mail must be sent
        logger.error("a mail was not sent: %s", type(error).__name__)  # noqa: TRY400
