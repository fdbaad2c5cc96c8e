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
    """Django's middleware, without a new session key after a change of the secret key.

    Django cycles the key of a session that a fallback secret key verifies. Of two parallel requests
    with the old cookie, the second would then have no session and be logged out.
    """

    def process_request(self, request: HttpRequest) -> None:
        """Set `request.user` to the user of the session, loaded on first use."""
        super().process_request(request)
        request.user = SimpleLazyObject(lambda: user_of(request))  # type: ignore[assignment]  # as Django does


def user_of(request: HttpRequest) -> User | AnonymousUser:
    """Return the user of the session, and sign the session with the current secret key."""
    session = request.session
    # `auth.get_user` cycles the key only for a fallback secret key.
    session.cycle_key = lambda: None  # type: ignore[method-assign]
    try:
        return auth.get_user(request)
    finally:
        del session.cycle_key


class LastSeenMiddleware:
    """Record when and by which browser sessions are used, for the list of sessions."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Record the session if the request used it; otherwise do not load one."""
        response = self.get_response(request)
        session = request.session
        if session.accessed and session.session_key and (user_id := session.get(SESSION_KEY)):
            agent = request.headers.get("User-Agent", "")
            session_seen(key=session.session_key, user_id=int(user_id), user_agent=agent)
        return response
