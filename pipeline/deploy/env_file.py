r"""The reader and the writer of `.env.<name>`: lines of NAME=value.

Docker Compose, python-dotenv and Node read these forms equally. Forms that they, django-environ or
`docker run --env-file` read differently, such as a comment after a value, are refused by name:

NAME=value     no # and no $ in it, and no comment after it
NAME='value'   literal, but without two backslashes, or one at its end
NAME="value"   \n ends a line; no $ and no other backslash in it

A quoted value may have several lines, such as a PEM. No message contains a value.
https://docs.docker.com/compose/how-tos/environment-variables/variable-interpolation/
"""

import re
from pathlib import Path

from pipeline.errors import InputError

_BLANK_PATTERN = r"[^\S\n]"
_ASSIGNMENT = rf"{_BLANK_PATTERN}*(?:export{_BLANK_PATTERN}+)?[A-Z][A-Z0-9_]*="
_DOTENV_LINE = re.compile(
    rf"""^{_BLANK_PATTERN}*(?:export{_BLANK_PATTERN}+)?(?P<name>[A-Z][A-Z0-9_]*)
        (?:=(?P<pem>-----BEGIN\ (?P<kind>[A-Z ]+)-----\n(?:.*\n)*?-----END\ (?P=kind)-----.*)
          |=(?:'(?P<single>(?:(?!\n{_ASSIGNMENT}[^=\s])[^'])*)'
              |"(?P<double>(?:(?!\n{_ASSIGNMENT}[^=\s])[^"])*)"
              |(?P<plain>(?:[^'"`\s].*?)?)
            ){_BLANK_PATTERN}*
          |(?P<apart>{_BLANK_PATTERN}+=|={_BLANK_PATTERN}).*
          |(?P<open>=).*
        )$
      |^(?P<nothing>{_BLANK_PATTERN}*(?:\#.*)?)$
      |^(?P<other>.*)$""",
    re.MULTILINE | re.VERBOSE,
)
"""One line, or several up to the closing quote, unless another name is set between them."""
_FAULTS = {
    "pem": (re.compile(""), "a PEM belongs in quotes, from its first line to its last"),
    "single": (re.compile(r"\\(\\|\Z)"), "two backslashes, or one at the end, in single quotes"),
    "double": (re.compile(r"\$|\\(?!n)"), "a $, or a backslash without n, in double quotes"),
    "plain": (re.compile(r"[#$]"), "a # or $ outside of quotes"),
    "apart": (re.compile(""), "a blank next to the ="),
    "open": (re.compile(""), "quotes that are not closed, or text after them"),
    "other": (re.compile(""), "no NAME=value with a name in capital letters"),
}
"""The fault of a line, by its form and the characters that it must not contain."""
_HINT = (
    "put values with # or $ into single quotes, and comments on lines of their own; "
    "set a value that no quotes can hold as a variable"
)


def parse(name: Path | str, text: str) -> dict[str, str]:
    """Return the values of a text.

    Args:
        name: Name of its file.
        text: Its content.

    Raises:
        InputError: Lists each line that is invalid, or that other readers interpret differently.
    """
    found, faults = _read(text)
    if faults:
        raise InputError("\n".join(f"{name}:{line}: {fault}" for line, fault in faults), hint=_HINT)
    return found


def format_line(name: str, value: str) -> str:
    """Return a line that sets a name to a value.

    Raises:
        InputError: The value needs quotes, and contains characters that quotes cannot hold.
    """
    escaped = value.replace("\n", "\\n")
    for written in (f'"{escaped}"', f"'{value}'", value):
        line = f"{name}={written}\n"
        if _read(line) == ({name: value}, []):
            return line
    raise InputError(f"no line can hold the value of {name}", hint=f"set {name} as a variable")


def _read(text: str) -> tuple[dict[str, str], list[tuple[int, str]]]:
    """Return the values of a text, and its faults by line."""
    found: dict[str, str] = {}
    faults: list[tuple[int, str]] = []
    for line in _DOTENV_LINE.finditer(text):
        if fault := _fault(line, found):
            faults.append((text.count("\n", 0, line.start()) + 1, fault))
        elif line["name"]:
            found[line["name"]] = _value(line)
    return found, faults


def _fault(line: re.Match[str], known: dict[str, str]) -> str:
    sentences = [
        sentence
        for kind, (sign, sentence) in _FAULTS.items()
        if line[kind] is not None and sign.search(line[kind])
    ]
    if known.get(line["name"]):
        sentences.append("it is set in an earlier line")
    return ": ".join(filter(None, [line["name"], ", ".join(sentences)])) if sentences else ""


def _value(line: re.Match[str]) -> str:
    if line["double"] is not None:
        return line["double"].replace("\\n", "\n")
    return line["single"] or line["plain"] or ""
