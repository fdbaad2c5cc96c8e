r"""Files of NAME=value lines: the one reader and the one writer of `.env.<name>`.

Docker Compose, python-dotenv and Node agree on all that is read here. What they, django-environ or
`docker run --env-file` read in different ways, as a comment behind a value, is refused by name:

NAME=value     holds neither # nor $, and nothing behind it is a comment
NAME='value'   holds what it shows, but no two backslashes, and none at its end
NAME="value"   \n in it ends a line; it holds neither $ nor another backslash

What stands in quotes may have several lines, as a PEM has. No message holds a value.
https://docs.docker.com/compose/how-tos/environment-variables/variable-interpolation/
"""

import re
from pathlib import Path

from pipeline.errors import InputError

BLANK_PATTERN = r"[^\S\n]"
ASSIGNMENT = rf"{BLANK_PATTERN}*(?:export{BLANK_PATTERN}+)?[A-Z][A-Z0-9_]*="
DOTENV_LINE = re.compile(
    rf"""^{BLANK_PATTERN}*(?:export{BLANK_PATTERN}+)?(?P<name>[A-Z][A-Z0-9_]*)
        (?:=(?P<pem>-----BEGIN\ (?P<kind>[A-Z ]+)-----\n(?:.*\n)*?-----END\ (?P=kind)-----.*)
          |=(?:'(?P<single>(?:(?!\n{ASSIGNMENT}[^=\s])[^'])*)'
              |"(?P<double>(?:(?!\n{ASSIGNMENT}[^=\s])[^"])*)"
              |(?P<plain>(?:[^'"`\s].*?)?)
            ){BLANK_PATTERN}*
          |(?P<apart>{BLANK_PATTERN}+=|={BLANK_PATTERN}).*
          |(?P<open>=).*
        )$
      |^(?P<nothing>{BLANK_PATTERN}*(?:\#.*)?)$
      |^(?P<other>.*)$""",
    re.MULTILINE | re.VERBOSE,
)
"""One line, or those up to where its quotes are closed, unless another name is set between them."""
FAULTS = {
    "pem": (re.compile(""), "a PEM belongs in quotes, from its first line to its last"),
    "single": (re.compile(r"\\(\\|\Z)"), "two backslashes, or one at the end, in single quotes"),
    "double": (re.compile(r"\$|\\(?!n)"), "a $, or a backslash without n, in double quotes"),
    "plain": (re.compile(r"[#$]"), "a # or $ outside of quotes"),
    "apart": (re.compile(""), "a blank beside its ="),
    "open": (re.compile(""), "quotes that are not closed, or something behind them"),
    "other": (re.compile(""), "no NAME=value with a name in capital letters"),
}
"""What is wrong with a line, by the form that it has and what must not be in it."""
HINT = (
    "put values with # or $ into single quotes, and comments on lines of their own; "
    "what no quotes can hold can be set as a variable"
)


def parse(name: Path | str, text: str) -> dict[str, str]:
    """Return what a text sets.

    Args:
        name: Of the file that it is from.
        text: What is in it.

    Raises:
        InputError: Names every line that is none, or that others read otherwise; never a value.
    """
    found, faults = _read(text)
    if faults:
        raise InputError("\n".join(f"{name}:{line}: {fault}" for line, fault in faults), hint=HINT)
    return found


def format_line(name: str, value: str) -> str:
    """Return a line that sets a name to a value, and is read as that.

    Raises:
        InputError: No line is: the value has to be quoted, and holds what quotes cannot.
    """
    escaped = value.replace("\n", "\\n")
    for written in (f'"{escaped}"', f"'{value}'", value):
        line = f"{name}={written}\n"
        if _read(line) == ({name: value}, []):
            return line
    raise InputError(f"no line can hold the value of {name}", hint=f"set {name} as a variable")


def _read(text: str) -> tuple[dict[str, str], list[tuple[int, str]]]:
    """Return what a text sets, and what is wrong with it, by its lines."""
    found: dict[str, str] = {}
    faults: list[tuple[int, str]] = []
    for line in DOTENV_LINE.finditer(text):
        if fault := _fault(line, found):
            faults.append((text.count("\n", 0, line.start()) + 1, fault))
        elif line["name"]:
            found[line["name"]] = _value(line)
    return found, faults


def _fault(line: re.Match[str], known: dict[str, str]) -> str:
    said = [
        sentence
        for kind, (sign, sentence) in FAULTS.items()
        if line[kind] is not None and sign.search(line[kind])
    ]
    if known.get(line["name"]):
        said.append("it is set in a line before")
    return ": ".join(filter(None, [line["name"], ", ".join(said)])) if said else ""


def _value(line: re.Match[str]) -> str:
    if line["double"] is not None:
        return line["double"].replace("\\n", "\n")
    return line["single"] or line["plain"] or ""
