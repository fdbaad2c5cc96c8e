from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest

from apps.accounts.models import User
from apps.accounts.throttling import LOGINS, count_attempt, forgive_attempt


class ThrottledBackend(ModelBackend):
    """Check passwords, but not any number of them: for the API and the admin site alike."""

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **credentials: object,
    ) -> User | None:
        """Return the active user with this address and password.

        Raises:
            ThrottledError: There were too many wrong attempts.
        """
        email = User.objects.normalize_email(str(credentials.get("email", username)))
        if request is None:  # a program asks, not a client over the network
            return self.check(request, email, password)
        counters = count_attempt(request, email, LOGINS)
        user = self.check(request, email, password)
        if user is not None:
            forgive_attempt(counters)
        return user

    def user_can_authenticate(self, user: User | AnonymousUser | None) -> bool:
        """Tell whether a user who knows the password may come in, and may stay."""
        return super().user_can_authenticate(user) and getattr(user, "email_verified", False)

    def check(self, request: HttpRequest | None, email: str, password: str | None) -> User | None:
        """Return the active user with this address and password, however often it was tried."""
        user = super().authenticate(request, username=email, password=password)
        return user if isinstance(user, User) else None
