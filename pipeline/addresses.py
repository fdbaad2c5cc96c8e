"""Parse the addresses of sites and of SSH hosts.

The message of a ValueError does not contain the address, as it may contain a password.
"""

import re
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import unquote

_HOST_PATTERN = r"(?P<host>\w[\w-]*(\.\w[\w-]*)*|\[[\da-fA-F:.]+\])(:(?P<port>\d+))?"
_ORIGIN_PATTERN = re.compile(rf"(?P<scheme>https?)://{_HOST_PATTERN}", re.ASCII)
_SSH_PATTERN = re.compile(rf"ssh://((?P<user>[^\s/?#@:]+)@)?{_HOST_PATTERN}", re.ASCII)
_USER_PATTERN = re.compile(r"[^-\s'\"`;&<>|(){}\\][^\s'\"`;&<>|(){}\\]*")
"""User names that ssh accepts; one that begins with a dash would be an option."""
_PORTS = range(1, 65536)


@dataclass(frozen=True)
class Origin:
    """The origin of a site: scheme, host and port."""

    scheme: str
    host: str
    port: int


@dataclass(frozen=True)
class SshHost:
    """The address of an SSH server, and the user; if empty, ssh chooses the user."""

    user: str
    host: str
    port: int


def parse_origin(url: str) -> Origin:
    """Parse the origin of a site, such as https://www.example.com:8443.

    Raises:
        ValueError: It is not an origin.
    """
    if not (found := _ORIGIN_PATTERN.fullmatch(url)):
        raise ValueError(
            "it must be a scheme, a host and a port only, as in https://shop.example:8443"
        )
    default = {"http": 80, "https": 443}[found["scheme"]]
    return Origin(found["scheme"], _parse_host(found), _parse_port(found, default))


def parse_ssh_host(url: str) -> SshHost:
    """Parse the address of an SSH server, such as ssh://deploy@example.com:22.

    Raises:
        ValueError: It is not such an address.
    """
    if not (found := _SSH_PATTERN.fullmatch(url)):
        raise ValueError(
            "it must be a user, a host and a port only, as in ssh://deploy@shop.example:22"
        )
    user = unquote(found["user"] or "")
    if user and not _USER_PATTERN.fullmatch(user):
        raise ValueError(
            "the user begins with a dash, or contains a character that ssh does not accept"
        )
    return SshHost(user, _parse_host(found), _parse_port(found, 22))


def is_loopback(host: str) -> bool:
    """Return whether a host is this machine, by name or by IP address."""
    return host == "localhost" or (is_ip(host) and ip_address(host).is_loopback)


def is_ip(host: str) -> bool:
    """Return whether a host is an IP address."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _parse_host(found: re.Match[str]) -> str:
    host = found["host"].strip("[]")
    if host != found["host"] and not (":" in host and is_ip(host)):
        raise ValueError("the text in brackets is not an IPv6 address")
    return host


def _parse_port(found: re.Match[str], default: int) -> int:
    port = int(found["port"] or default)
    if port not in _PORTS:
        raise ValueError(f"{port} is not a port number")
    return port
