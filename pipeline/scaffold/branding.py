"""The places where a product's name stands, and how each of them is given another one."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import InputError

MAX_NAME_LENGTH = 20
"""Characters; with an environment's name it becomes that of a stack, which has 31 at most."""
LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
DOMAIN = re.compile(rf"({LABEL}\.)+(?=xn--|[a-z]{{2,}}$){LABEL}")
"""As DNS has it: letters beyond ASCII are written as `xn--…`, in the names of countries too."""
PLACEHOLDER = "example.com"
"""Where environments are until `invoke init` is given a domain."""
SETTINGS, LICENSE, CHANGELOG = Path("pipeline.toml"), Path("LICENSE"), Path("CHANGELOG.md")
COPYRIGHT = re.compile(r"^Copyright \(c\) (?P<year>\d+) .+$", re.MULTILINE)
TEMPLATE_SECTION = re.compile(r"^\[template\].*\n(\w.*\n)+", re.MULTILINE)
NEW_CHANGELOG = """\
# Changelog

What changes for those who use {title}. Form: [Keep a Changelog](https://keepachangelog.com).

## Unreleased

### Added

- All of [its template](pipeline.toml), of which it is a copy.
"""


@dataclass(frozen=True)
class NameLocation:
    """A line that holds the name of the product.

    Attributes:
        file: Where it stands.
        pattern: The line; its first group is the name.
        titled: Whether the name is written as people read it: `Acme Shop`.
    """

    file: Path
    pattern: re.Pattern[str]
    is_display_name: bool


NAME_LOCATIONS = (
    NameLocation(SETTINGS, re.compile(r'^name = "(.*)"$', re.MULTILINE), is_display_name=False),
    NameLocation(Path("README.md"), re.compile(r"\A# (.+)$", re.MULTILINE), is_display_name=True),
    NameLocation(
        Path("frontend/src/lib/product.ts"),
        re.compile(r"productName = '(.*)'"),
        is_display_name=True,
    ),
)


def display_name(name: str) -> str:
    """Return a name as people read it: `acme-shop` is `Acme Shop`."""
    return " ".join(word.capitalize() for word in name.split("-"))


def with_name(texts: Mapping[Path, str], name: str) -> Iterator[tuple[Path, str]]:
    """Yield each file that holds the name, with another one in it.

    Args:
        texts: All files that are text.
        name: The new name, such as `acme-shop`.
    """
    for place in NAME_LOCATIONS:
        given = display_name(name) if place.is_display_name else name
        text = texts[place.file]
        if found := place.pattern.search(text):
            start, end = found.span(1)
            yield place.file, text[:start] + given + text[end:]


def missing_names(texts: Mapping[Path, str]) -> list[str]:
    """Return the places where no name is found, though there should be one."""
    wanted = [
        *((place.file, place.pattern) for place in NAME_LOCATIONS),
        (LICENSE, COPYRIGHT),
        (SETTINGS, TEMPLATE_SECTION),
    ]
    return [
        f"{file} has no line like `{pattern.pattern}`"
        for file, pattern in wanted
        if not pattern.search(texts.get(file, ""))
    ]


def with_copyright(text: str, name: str) -> str:
    """Return the licence with those who own the copy before those who made the template.

    The template's own line stays: its licence asks for that.
    """
    template, *own = list(COPYRIGHT.finditer(text))[::-1]
    line = f"Copyright (c) {template['year']} The {display_name(name)} authors\n"
    start, end = (own[0].start(), own[0].end() + 1) if own else (template.start(),) * 2
    return text[:start] + line + text[end:]


def with_template_fact(settings: str, fact: str) -> str:
    """Return pipeline.toml with one more fact on the template.

    Args:
        settings: Its text.
        fact: A line of TOML.
    """
    return TEMPLATE_SECTION.sub(lambda found: f"{found[0]}{fact}\n", settings, count=1)


def with_new_domain(settings: str, known: str, domain: str) -> str:
    """Return pipeline.toml with another domain wherever the one of before stands.

    Args:
        settings: Its text.
        known: The domain of before.
        domain: The new one.

    Raises:
        InputError: Neither of them stands there.
    """
    whole = re.compile(rf"(?<![\w-]){re.escape(known)}(?!\.?[\w-])")
    if known != domain and not whole.search(settings) and domain not in settings:
        raise InputError(
            f"{SETTINGS} names no place at {known}", hint=f"write {domain} where it belongs"
        )
    return whole.sub(domain, settings)
