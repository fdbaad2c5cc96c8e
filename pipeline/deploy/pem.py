r"""Keys and certificates as text: PEM, whatever a form, a shell or a file made of its line ends."""

import re

BLOCK = re.compile(
    r"(?P<first>-----BEGIN (?P<kind>[A-Z0-9 ]+)-----)(?P<body>[A-Za-z0-9+/=\s]+)"
    r"(?P<last>-----END (?P=kind)-----)"
)
OPENED = re.compile(r"-----BEGIN (?P<kind>[A-Z0-9 ]+)-----")
MAX_LINE_LENGTH = 76
"""The characters that every program takes in one line."""


def normalize_pem(text: str) -> str:
    r"""Return the blocks of a text with line ends that every reader of PEM takes.

    Args:
        text: Its blocks may have CRLF, a literal `\n`, spaces or nothing for line ends. A text
            without any comes back as it is.
    """
    plain = text.replace("\\r", "").replace("\\n", "\n")
    return "".join(map(_block, BLOCK.finditer(plain))) or text


def kinds(text: str) -> list[str]:
    """Return what the blocks of a text are, as `CERTIFICATE`."""
    return [found["kind"] for found in OPENED.finditer(text)]


def _block(found: re.Match[str]) -> str:
    words = found["body"].split()
    lines = [
        word[at : at + MAX_LINE_LENGTH]
        for word in words
        for at in range(0, len(word), MAX_LINE_LENGTH)
    ]
    return "\n".join([found["first"], *lines, found["last"], ""])
