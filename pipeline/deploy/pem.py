r"""Repairs PEM keys and certificates whose line ends a web form, a shell or a file changed."""

import re

BLOCK = re.compile(
    r"(?P<first>-----BEGIN (?P<kind>[A-Z0-9 ]+)-----)(?P<body>[A-Za-z0-9+/=\s]+)"
    r"(?P<last>-----END (?P=kind)-----)"
)
_OPENED = re.compile(r"-----BEGIN (?P<kind>[A-Z0-9 ]+)-----")
_MAX_LINE_LENGTH = 76
"""Every program reads lines of this length."""


def normalize_pem(text: str) -> str:
    r"""Return the blocks of a text with plain line ends.

    Args:
        text: Its blocks may have CRLF, a literal `\n`, spaces or no line ends. A text without a
            block is returned unchanged.
    """
    plain = text.replace("\\r", "").replace("\\n", "\n")
    return "".join(map(_block, BLOCK.finditer(plain))) or text


def kinds(text: str) -> list[str]:
    """Return the kinds of the blocks of a text, such as `CERTIFICATE`."""
    return [found["kind"] for found in _OPENED.finditer(text)]


def _block(found: re.Match[str]) -> str:
    words = found["body"].split()
    lines = [
        word[at : at + _MAX_LINE_LENGTH]
        for word in words
        for at in range(0, len(word), _MAX_LINE_LENGTH)
    ]
    return "\n".join([found["first"], *lines, found["last"], ""])
