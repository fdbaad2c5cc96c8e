from collections.abc import Callable

from django.contrib.auth import SESSION_KEY
from django.http import HttpRequest, HttpResponse

from apps.accounts.sessions import session_seen


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
