from collections.abc import Callable

from django.contrib import auth
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.utils.functional import SimpleLazyObject

from apps.accounts.models import User
from apps.accounts.sessions import session_seen


class KeepSessionMiddleware(AuthenticationMiddleware):
    """Django's, but that a session which a former secret key verifies keeps its own key.

    Django gives it another key, and the browser another cookie: of two requests that the browser
    sends at once, the second would then come with a session that is gone, and be logged out.
    """

    def process_request(self, request: HttpRequest) -> None:
        """Have the user of the session, once it is asked for."""
        super().process_request(request)
        request.user = SimpleLazyObject(lambda: user_of(request))  # type: ignore[assignment]  # as Django does


def user_of(request: HttpRequest) -> User | AnonymousUser:
    """Return the user of a session; it is verified by the secret key of today from then on."""
    session = request.session
    # `auth.get_user` calls it for a former key alone
    session.cycle_key = lambda: None  # type: ignore[method-assign]
    try:
        return auth.get_user(request)
    finally:
        del session.cycle_key


class LastSeenMiddleware:
    """Note which sessions are used, so that their users can look over them."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Note a session that the request has asked for; no other request is made to cost one."""
        response = self.get_response(request)
        session = request.session
        if session.accessed and session.session_key and (user_id := session.get(SESSION_KEY)):
            agent = request.headers.get("User-Agent", "")
            session_seen(key=session.session_key, user_id=int(user_id), user_agent=agent)
        return response
