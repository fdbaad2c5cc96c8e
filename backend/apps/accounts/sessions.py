"""Where somebody is logged in, and how to end it there."""

from importlib import import_module

from django.conf import settings
from django.core.cache import cache
from django.utils import timezone

from apps.accounts.models import User, UserSession
from apps.pages import page_of

SEEN_SECONDS = 300
"""How exact `last_seen` is: a session that is used all the time costs a write in this time."""


def session_seen(*, key: str, user_id: int, user_agent: str) -> None:
    """Note that a session was used just now, and by what."""
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
    """List the sessions in which a user is logged in, newest first.

    Returns:
        At most `limit` sessions, and what `before` is for the next page if there is one.
    """
    # The join leaves out what has ended in any other way.
    alive = UserSession.objects.filter(user=user, session__expire_date__gt=timezone.now())
    return page_of(alive, limit=limit, before=before)


def session_end(*, user: User, session_id: int) -> None:
    """End a session of this user at once.

    Raises:
        UserSession.DoesNotExist: The user has no such session.
    """
    end(UserSession.objects.get(user=user, id=session_id).session_id)


def sessions_end(*, user: User, keep: str | None = None) -> None:
    """End all sessions of a user at once, but for the one with this key."""
    keys = UserSession.objects.filter(user=user).exclude(session_id=keep)
    for key in keys.values_list("session_id", flat=True):
        end(key)


def end(key: str) -> None:
    """Delete a session from wherever this engine keeps it, and the note of it."""
    import_module(settings.SESSION_ENGINE).SessionStore(key).delete()
    UserSession.objects.filter(session_id=key).delete()
