from django.conf import settings
from django.http import HttpRequest
from ninja.security import APIKeyCookie

from apps.accounts.models import User


class UserRequest(HttpRequest):
    user: User


class CsrfProtected(APIKeyCookie):
    """Allow anonymous calls with a valid CSRF token: login requests can be forged like any post."""

    param_name = settings.CSRF_COOKIE_NAME
    openapi_description = "Send the value of this cookie in the header X-CSRFToken."

    def authenticate(self, request: HttpRequest, key: str | None) -> bool:  # noqa: ARG002
        """Accept the request: the base class has already checked the CSRF token."""
        return True
