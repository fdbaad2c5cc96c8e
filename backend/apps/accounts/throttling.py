"""How often something may be tried, counted in the cache that all processes share."""

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
    """How often something may be tried in a period, which is in seconds.

    An account is an e-mail address, whether anybody has it or not.
    """

    action: str
    period: int
    per_client: int
    per_account: int
    per_client_and_account: int


# An account bears more from all clients together than from one, or anybody could lock it.
LOGINS = Limits(
    action="login", period=300, per_client=100, per_account=200, per_client_and_account=10
)
# Nobody's letter box is to be filled, and nobody is to fill many.
MAILS = Limits(action="mail", period=3600, per_client=60, per_account=5, per_client_and_account=5)


class ThrottledError(Exception):
    def __init__(self, retry_after: int) -> None:
        super().__init__(f"too many attempts: try again in {retry_after} seconds")
        self.retry_after = retry_after


def count_attempt(request: HttpRequest, email: str, limits: Limits) -> list[str]:
    """Count an attempt before it is judged, so that many at once cannot slip through.

    Returns:
        The counters that have counted it.

    Raises:
        ThrottledError: This client, or any client with this address, has tried too often.
    """
    client, now = client_of(request), int(time.time())
    counters = {
        counter(limits, now, f"{client}"): limits.per_client,
        counter(limits, now, f"{client} {email}"): limits.per_client_and_account,
        counter(limits, now, f" {email}"): limits.per_account,
    }
    for key, limit in counters.items():
        if counted(key, seconds=2 * limits.period) > limit:
            raise ThrottledError(retry_after=limits.period - now % limits.period)
    return list(counters)


def client_of(request: HttpRequest) -> str:
    """Return where a request comes from, as far as it counts: of IPv6 the network, not the address.

    A customer of a provider has such a network alone, and more addresses in it than can be counted.
    Some proxies name the port too, which is another one with each connection.
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


def counted(key: str, seconds: int) -> int:
    """Count once more, and return how far that is; what the cache drops meanwhile begins anew."""
    cache.add(key, 0, timeout=seconds)
    try:
        return cache.incr(key)
    except ValueError:
        cache.add(key, 1, timeout=seconds)
        return 1


def forgive_attempt(counters: list[str]) -> None:
    """Take a counted attempt back, because it was right."""
    for key in counters:
        with suppress(ValueError):  # the cache may have dropped the counter meanwhile
            cache.decr(key)


def counter(limits: Limits, now: int, who: str) -> str:
    """Name a counter; hashed, because whoever reads the cache need not learn who tried."""
    period = now // limits.period
    return f"{limits.action}:{period}:{hashlib.sha256(who.encode()).hexdigest()}"
