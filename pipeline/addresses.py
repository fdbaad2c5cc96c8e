"""Addresses that people write, each kind read in one place: of a site, and of an SSH host.

What is wrong is a ValueError whose words never repeat the address: it may hold a password.
"""

import re
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import unquote

HOST_PATTERN = r"(?P<host>\w[\w-]*(\.\w[\w-]*)*|\[[\da-fA-F:.]+\])(:(?P<port>\d+))?"
ORIGIN_PATTERN = re.compile(rf"(?P<scheme>https?)://{HOST_PATTERN}", re.ASCII)
SSH_PATTERN = re.compile(rf"ssh://((?P<user>[^\s/?#@:]+)@)?{HOST_PATTERN}", re.ASCII)
USER_PATTERN = re.compile(r"[^-\s'\"`;&<>|(){}\\][^\s'\"`;&<>|(){}\\]*")
"""What ssh itself takes for the name of a user; with a dash first it would be an option."""
PORTS = range(1, 65536)


@dataclass(frozen=True)
class Origin:
    """Where a site is: its scheme, host and port."""

    scheme: str
    host: str
    port: int


@dataclass(frozen=True)
class SshHost:
    """Where an SSH server is, and the user to log in as; ssh chooses one, if that is empty."""

    user: str
    host: str
    port: int


def parse_origin(url: str) -> Origin:
    """Read the origin of a site, such as https://www.example.com:8443.

    Raises:
        ValueError: It is none, or more than that.
    """
    if not (found := ORIGIN_PATTERN.fullmatch(url)):
        raise ValueError(
            "only a scheme, a host and a port may be in it, as in https://shop.example:8443"
        )
    usual = {"http": 80, "https": 443}[found["scheme"]]
    return Origin(found["scheme"], _parse_host(found), _parse_port(found, usual))


def parse_ssh_host(url: str) -> SshHost:
    """Read the address of an SSH server, such as ssh://deploy@example.com:22.

    Raises:
        ValueError: It is none, or more than that.
    """
    if not (found := SSH_PATTERN.fullmatch(url)):
        raise ValueError(
            "only a user, a host and a port may be in it, as in ssh://deploy@shop.example:22"
        )
    user = unquote(found["user"] or "")
    if user and not USER_PATTERN.fullmatch(user):
        raise ValueError("the user begins with a dash, or has a sign that ssh does not take")
    return SshHost(user, _parse_host(found), _parse_port(found, 22))


def is_loopback(host: str) -> bool:
    """Say whether a host is this machine, by its name or by its IP address."""
    return host == "localhost" or (is_ip(host) and ip_address(host).is_loopback)


def is_ip(host: str) -> bool:
    """Say whether a host is an IP address, which certificates name in another way than a name."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _parse_host(found: re.Match[str]) -> str:
    host = found["host"].strip("[]")
    if host != found["host"] and not (":" in host and is_ip(host)):
        raise ValueError("what stands in brackets is no IPv6 address")
    return host


def _parse_port(found: re.Match[str], usual: int) -> int:
    port = int(found["port"] or usual)
    if port not in PORTS:
        raise ValueError(f"there is no port {port}")
    return port
