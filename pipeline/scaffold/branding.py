"""The lines that contain the name of the product, and how each is changed."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pipeline.config import load
from pipeline.errors import InputError

MAX_NAME_LENGTH = 20
"""Characters; a stack's name, with that of the environment, has at most 31."""
_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
DOMAIN = re.compile(rf"({_LABEL}\.)+(?=xn--|[a-z]{{2,}}$){_LABEL}")
"""A DNS name; letters outside ASCII are written as `xn--…`, in top-level domains too."""
PLACEHOLDER = "example.com"
"""The domain of all environments until `invoke init` sets one."""
SETTINGS, LICENSE, CHANGELOG = Path("pipeline.toml"), Path("LICENSE"), Path("CHANGELOG.md")
_COPYRIGHT = re.compile(r"^Copyright \(c\) (?P<year>\d+) .+$", re.MULTILINE)
_TEMPLATE_SECTION = re.compile(r"^\[template\].*\n(\w.*\n)+", re.MULTILINE)
NEW_CHANGELOG = """\
# Changelog

Changes for users of {title}. Format: [Keep a Changelog](https://keepachangelog.com).

## Unreleased

### Added

- The files of [the template](pipeline.toml) that this repository was copied from.
"""


@dataclass(frozen=True)
class _NameLocation:
    """A line that contains the name of the product.

    Attributes:
        file: The file.
        pattern: The line; its first group is the name.
        is_display_name: Whether the name is written as `Acme Shop`, not as `acme-shop`.
    """

    file: Path
    pattern: re.Pattern[str]
    is_display_name: bool


def _name_locations() -> list[_NameLocation]:
    page, readme = load().layout.product_name, Path("README.md")
    return [
        _NameLocation(
            SETTINGS, re.compile(r'^name = "(.*)"$', re.MULTILINE), is_display_name=False
        ),
        _NameLocation(readme, re.compile(r"\A# (.+)$", re.MULTILINE), is_display_name=True),
        _NameLocation(page, re.compile(r"productName = '(.*)'"), is_display_name=True),
    ]


def display_name(name: str) -> str:
    """Return the name for people: `acme-shop` is `Acme Shop`."""
    return " ".join(word.capitalize() for word in name.split("-"))


def with_name(texts: Mapping[Path, str], name: str) -> Iterator[tuple[Path, str]]:
    """Yield each file that contains the name, with a new name in it.

    Args:
        texts: All text files.
        name: The new name, such as `acme-shop`.
    """
    for location in _name_locations():
        new_name = display_name(name) if location.is_display_name else name
        text = texts[location.file]
        if found := location.pattern.search(text):
            start, end = found.span(1)
            yield location.file, text[:start] + new_name + text[end:]


def missing_names(texts: Mapping[Path, str]) -> list[str]:
    """Return a sentence for each line that should contain a name, but is not found."""
    wanted = [
        *((location.file, location.pattern) for location in _name_locations()),
        (LICENSE, _COPYRIGHT),
        (SETTINGS, _TEMPLATE_SECTION),
    ]
    return [
        f"{file} has no line like `{pattern.pattern}`"
        for file, pattern in wanted
        if not pattern.search(texts.get(file, ""))
    ]


def with_copyright(text: str, name: str) -> str:
    """Return the licence with a line for the owners of the copy above that of the template.

    The line of the template stays, as the MIT licence requires.
    """
    template, *own = list(_COPYRIGHT.finditer(text))[::-1]
    line = f"Copyright (c) {template['year']} The {display_name(name)} authors\n"
    start, end = (own[0].start(), own[0].end() + 1) if own else (template.start(),) * 2
    return text[:start] + line + text[end:]


def with_template_fact(settings: str, fact: str) -> str:
    """Return pipeline.toml with one more key in [template].

    Args:
        settings: Its text.
        fact: A line of TOML.
    """
    return _TEMPLATE_SECTION.sub(lambda found: f"{found[0]}{fact}\n", settings, count=1)


def with_new_domain(settings: str, known: str, domain: str) -> str:
    """Return pipeline.toml with a domain replaced by another.

    Args:
        settings: Its text.
        known: The old domain.
        domain: The new one.

    Raises:
        InputError: The file contains neither of them.
    """
    whole = re.compile(rf"(?<![\w-]){re.escape(known)}(?!\.?[\w-])")
    if known != domain and not whole.search(settings) and domain not in settings:
        raise InputError(
            f"{SETTINGS} does not contain {known}",
            hint=f"set the urls of the environments to {domain}",
        )
    return whole.sub(domain, settings)
