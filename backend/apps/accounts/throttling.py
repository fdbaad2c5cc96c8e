"""Rate limits, counted in the cache that all processes share."""

import hashlib
import re
import time
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import IPv4Address, ip_address, ip_network

from django.core.cache import cache
from django.http import HttpRequest
from ninja.throttling import BaseThrottle

PORT = re.compile(r":\d+$")
NETWORK_BITS = 64  # https://www.rfc-editor.org/rfc/rfc6177


@dataclass(frozen=True, kw_only=True)
class Limits:
    """The maximum number of attempts per period, in seconds.

    An account is any email address, registered or not.
    """

    action: str
    period: int
    per_client: int
    per_account: int
    per_client_and_account: int


# The limit per account is higher than per client and account: one client must not lock an account.
LOGINS = Limits(
    action="login", period=300, per_client=100, per_account=200, per_client_and_account=10
)
# Prevents flooding of one mailbox, and of many mailboxes by one client.
MAILS = Limits(action="mail", period=3600, per_client=60, per_account=5, per_client_and_account=5)


class ThrottledError(Exception):
    def __init__(self, retry_after: int) -> None:
        super().__init__(f"too many attempts: try again in {retry_after} seconds")
        self.retry_after = retry_after


def count_attempt(request: HttpRequest, email: str, limits: Limits) -> list[str]:
    """Count an attempt before it is checked, so that parallel attempts cannot bypass the limit.

    Returns:
        The cache keys of the counters.

    Raises:
        ThrottledError: A limit of this client or account is exceeded.
    """
    client, now = client_of(request), int(time.time())
    counters = {
        counter_key(limits, now, f"{client}"): limits.per_client,
        counter_key(limits, now, f"{client} {email}"): limits.per_client_and_account,
        counter_key(limits, now, f" {email}"): limits.per_account,
    }
    for key, limit in counters.items():
        if increment(key, seconds=2 * limits.period) > limit:
            raise ThrottledError(retry_after=limits.period - now % limits.period)
    return list(counters)


def client_of(request: HttpRequest) -> str:
    """Return the IPv4 address or IPv6 network of a client.

    A provider assigns a whole IPv6 network to one customer, who can use any address in it. Some
    proxies append the port, which changes with each connection, so it is removed.
    """
    given = BaseThrottle().get_ident(request) or ""
    with_port = PORT.search(given) if given.count(":") == 1 or given.startswith("[") else None
    host = given[: with_port.start()] if with_port else given
    try:
        address = ip_address(host.strip("[]"))
    except ValueError:
        return given
    if isinstance(address, IPv4Address):
        return f"{address}"
    return f"{address.ipv4_mapped or ip_network((address, NETWORK_BITS), strict=False)}"


def increment(key: str, seconds: int) -> int:
    """Increment a counter and return it. A counter that the cache has dropped starts at 1."""
    cache.add(key, 0, timeout=seconds)
    try:
        return cache.incr(key)
    except ValueError:
        cache.add(key, 1, timeout=seconds)
        return 1


def uncount_attempt(counters: list[str]) -> None:
    """Undo `count_attempt` after a successful attempt."""
    for key in counters:
        with suppress(ValueError):  # the cache may have dropped the counter
            cache.decr(key)


def counter_key(limits: Limits, now: int, source: str) -> str:
    """Return the cache key of a counter. The hash keeps addresses out of the cache."""
    period = now // limits.period
    return f"{limits.action}:{period}:{hashlib.sha256(source.encode()).hexdigest()}"
