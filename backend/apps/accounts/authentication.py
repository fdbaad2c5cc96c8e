from django.conf import settings
from django.http import HttpRequest
from ninja.security import APIKeyCookie

from apps.accounts.models import User


class UserRequest(HttpRequest):
    user: User


class CsrfProtected(APIKeyCookie):
    """Let anyone call, but only with a CSRF token: a login can be forged like any other post."""

    param_name = settings.CSRF_COOKIE_NAME
    openapi_description = "Send the value of this cookie in the header X-CSRFToken."

    def authenticate(self, request: HttpRequest, key: str | None) -> bool:  # noqa: ARG002
        """Admit every request whose token the base class has found to be right."""
        return True
