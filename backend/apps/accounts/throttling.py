"""How often a login may be tried, counted in the cache that all processes share."""

import hashlib
import time
from contextlib import suppress

from django.core.cache import cache
from django.http import HttpRequest
from ninja.throttling import BaseThrottle

PERIOD = 300
ATTEMPTS_PER_ACCOUNT = 10
ATTEMPTS_PER_CLIENT = 100


class ThrottledError(Exception):
    def __init__(self, retry_after: int) -> None:
        super().__init__(f"too many attempts; the next is possible in {retry_after} seconds")
        self.retry_after = retry_after


def count_attempt(request: HttpRequest, email: str) -> list[str]:
    """Count an attempt before it is judged, so that many at once cannot slip through.

    Returns:
        The counters that have counted it.

    Raises:
        ThrottledError: This client, or this client with this address, has tried too often.
    """
    client, period = BaseThrottle().get_ident(request), int(time.time()) // PERIOD
    limits = {
        counter(period, f"{client}"): ATTEMPTS_PER_CLIENT,
        counter(period, f"{client} {email}"): ATTEMPTS_PER_ACCOUNT,
    }
    for key, limit in limits.items():
        cache.add(key, 0, timeout=2 * PERIOD)
        if cache.incr(key) > limit:
            raise ThrottledError(retry_after=PERIOD - int(time.time()) % PERIOD)
    return list(limits)


def forgive_attempt(counters: list[str]) -> None:
    """Take a counted attempt back, because it was right."""
    for key in counters:
        with suppress(ValueError):  # the cache may have dropped the counter meanwhile
            cache.decr(key)


def counter(period: int, who: str) -> str:
    """Name a counter; hashed, because whoever reads the cache need not learn who tried."""
    return f"login:{period}:{hashlib.sha256(who.encode()).hexdigest()}"
