"""Tokens of links in mails: they confirm access to a user's mailbox, once, for 24 hours."""

from django.contrib.auth.tokens import PasswordResetTokenGenerator

from apps.accounts.models import User


class InvalidTokenError(Exception):
    pass


class VerificationTokenGenerator(PasswordResetTokenGenerator):
    """Tokens that become invalid when the address is verified or the password changes."""

    key_salt = "apps.accounts.tokens.VerificationTokenGenerator"

    def _make_hash_value(self, user: User, timestamp: int) -> str:
        return f"{super()._make_hash_value(user, timestamp)}{user.email_verified}"


VERIFICATION = VerificationTokenGenerator()
PASSWORD_RESET = PasswordResetTokenGenerator()


def token_of(user: User, generator: PasswordResetTokenGenerator) -> str:
    """Return a token with the id of its user."""
    return f"{user.pk}-{generator.make_token(user)}"


def user_of(token: str, generator: PasswordResetTokenGenerator) -> User:
    """Return the active user of a token, locked until the transaction ends.

    Raises:
        InvalidTokenError: The token is forged, expired or used.
    """
    number, _, signature = token.partition("-")
    if number.isascii() and number.isdigit() and len(number) < len(str(2**63)):
        user = User.objects.select_for_update().filter(pk=number, is_active=True).first()
        if user is not None and generator.check_token(user, signature):
            return user
    raise InvalidTokenError
