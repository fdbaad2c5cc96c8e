"""Convert a mail URL to Django's settings."""

from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import django

from config.addresses import split

BACKENDS = {"smtp": "smtp", "console": "console", "file": "filebased", "memory": "locmem"}
PORTS = {"starttls": 587, "implicit": 465, "none": 25}
SECONDS = 10  # an unresponsive mail server must not block the mails in the queue

# Django 6.1 has one dictionary; earlier versions have a setting for each option.
SETTINGS = {
    "host": "EMAIL_HOST",
    "port": "EMAIL_PORT",
    "username": "EMAIL_HOST_USER",
    "password": "EMAIL_HOST_PASSWORD",
    "use_tls": "EMAIL_USE_TLS",
    "use_ssl": "EMAIL_USE_SSL",
    "timeout": "EMAIL_TIMEOUT",
    "file_path": "EMAIL_FILE_PATH",
}


def mail_settings(url: str) -> dict[str, Any]:
    """Return Django's settings for sending mail.

    Args:
        url: `smtp://user:password@host:port?tls=starttls`, where tls may also be `implicit` or
            `none`; `file:///folder`; `console:`, or `memory:`.

    Raises:
        ValueError: The URL is malformed or not supported.
    """
    scheme = urlsplit(url).scheme
    if scheme not in BACKENDS:
        raise ValueError
    backend = f"django.core.mail.backends.{BACKENDS[scheme]}.EmailBackend"
    options = OPTIONS[scheme](url) if scheme in OPTIONS else {}
    if django.VERSION >= (6, 1):
        return {"MAILERS": {"default": {"BACKEND": backend, "OPTIONS": options}}}
    return {"EMAIL_BACKEND": backend} | {SETTINGS[name]: options[name] for name in options}


def smtp_options(url: str) -> dict[str, Any]:
    """Return the options for an SMTP server. STARTTLS is the default.

    Raises:
        ValueError: The URL has no host, an unknown value of `tls`, or an unknown parameter.
    """
    parts = split(url)
    options = parse_qs(parts.query, keep_blank_values=True)
    (tls,) = options.pop("tls", ["starttls"])
    if not parts.hostname or tls not in PORTS or options or parts.path.strip("/"):
        raise ValueError
    return {
        "host": parts.hostname,
        "port": parts.port or PORTS[tls],
        "username": unquote(parts.username or ""),
        "password": unquote(parts.password or ""),
        "use_tls": tls == "starttls",
        "use_ssl": tls == "implicit",
        "timeout": SECONDS,
    }


def file_options(url: str) -> dict[str, Any]:
    """Return the options for a folder that mails are written to.

    Raises:
        ValueError: The URL has no path.
    """
    if not (folder := unquote(urlsplit(url).path)):
        raise ValueError
    return {"file_path": folder}


OPTIONS = {"smtp": smtp_options, "file": file_options}
