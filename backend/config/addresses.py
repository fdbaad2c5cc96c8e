"""Addresses that hold a secret: read in one way only, or refused."""

from urllib.parse import SplitResult, urlsplit


def split(url: str) -> SplitResult:
    """Split a URL, unless its user or password has cut it: by a / ? or # that is not escaped.

    Raises:
        ValueError: It has, or the URL has no host and port that could be read.
    """
    parts = urlsplit(url)
    if "@" in f"{parts.path}{parts.query}" or parts.fragment or parts.port == 0:
        raise ValueError
    return parts
