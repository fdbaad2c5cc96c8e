"""A user's sessions: record their use, list them and end them."""

from importlib import import_module

from django.conf import settings
from django.core.cache import cache
from django.utils import timezone

from apps.accounts.models import User, UserSession
from apps.pages import page_of

SEEN_SECONDS = 300
"""Accuracy of `last_seen`: an active session costs one write per this many seconds."""


def session_seen(*, key: str, user_id: int, user_agent: str) -> None:
    """Record the use of a session now, and its browser."""
    if not cache.add(f"seen:{key}", 1, timeout=SEEN_SECONDS):
        return
    longest = UserSession.USER_AGENT_LENGTH
    agent = "".join(letter for letter in user_agent if letter.isprintable())[:longest]
    seen = UserSession(session_id=key, user_id=user_id, user_agent=agent, last_seen=timezone.now())
    UserSession.objects.bulk_create(
        [seen],
        update_conflicts=True,
        unique_fields=["session"],
        update_fields=["user_agent", "last_seen"],
    )


def session_page(
    *, user: User, limit: int, before: int | None
) -> tuple[list[UserSession], int | None]:
    """List the active sessions of a user, newest first.

    Returns:
        At most `limit` sessions, and `before` of the next page or None.
    """
    # The join omits sessions that were deleted without their UserSession.
    active = UserSession.objects.filter(user=user, session__expire_date__gt=timezone.now())
    return page_of(active, limit=limit, before=before)


def session_end(*, user: User, session_id: int) -> None:
    """End one session of this user.

    Raises:
        UserSession.DoesNotExist: The user has no such session.
    """
    end(UserSession.objects.get(user=user, id=session_id).session_id)


def sessions_end(*, user: User, keep: str | None = None) -> None:
    """End all sessions of a user, except the one with the key `keep`."""
    keys = UserSession.objects.filter(user=user).exclude(session_id=keep)
    for key in keys.values_list("session_id", flat=True):
        end(key)


def end(key: str) -> None:
    """Delete a session from the session engine, and its UserSession."""
    import_module(settings.SESSION_ENGINE).SessionStore(key).delete()
    UserSession.objects.filter(session_id=key).delete()
