from django.contrib.auth.backends import ModelBackend
from django.http import HttpRequest

from apps.accounts.models import User
from apps.accounts.throttling import count_attempt, forgive_attempt


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
        counters = count_attempt(request, email)
        user = self.check(request, email, password)
        if user is not None:
            forgive_attempt(counters)
        return user

    def check(self, request: HttpRequest | None, email: str, password: str | None) -> User | None:
        """Return the active user with this address and password, however often it was tried."""
        user = super().authenticate(request, username=email, password=password)
        return user if isinstance(user, User) else None
