from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest

from apps.accounts.models import User
from apps.accounts.throttling import LOGINS, count_attempt, uncount_attempt


class ThrottledBackend(ModelBackend):
    """Check passwords with rate limits, for the API and the admin site."""

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **credentials: object,
    ) -> User | None:
        """Return the active user with this email address and password.

        Raises:
            ThrottledError: There were too many failed attempts.
        """
        email = User.objects.normalize_email(str(credentials.get("email", username)))
        if request is None:  # called by a program, not by a client over the network
            return self.check(request, email, password)
        counters = count_attempt(request, email, LOGINS)
        user = self.check(request, email, password)
        if user is not None:
            uncount_attempt(counters)
        return user

    def user_can_authenticate(self, user: User | AnonymousUser | None) -> bool:
        """Return whether a user may log in and keep a session: active and verified users may."""
        return super().user_can_authenticate(user) and getattr(user, "email_verified", False)

    def check(self, request: HttpRequest | None, email: str, password: str | None) -> User | None:
        """Return the active user with this email address and password, without rate limits."""
        user = super().authenticate(request, username=email, password=password)
        return user if isinstance(user, User) else None
