"""A pipeline.toml that holds no more than it must, and what a test changes of it."""

import json
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, TypeVar

from pipeline import toml_checker
from pipeline.config import CONFIG_FILE
from pipeline.settings import Settings
from pipeline.toml import format_place
from pipeline.toml_schema import Table

Content = Mapping[str, Any]
T = TypeVar("T", bound=Table)
SUPPORTED = {"end_of_life": date(2028, 10, 31)}
LEAST: Content = {
    "name": "shop",
    "ci": {
        "main_branch": "main",
        "extra_inputs": [],
        "tools": ["git"],
        "never_cached": {},
        "variables": {"cache_key": ["LANG"], "passthrough": ["HOME", "PATH"], "dropped": []},
    },
    "defaults": {"django": "5.2", "node": "24"},
    "areas": {"common": ["pipeline.toml"]},
    "images": {
        "registry": "ghcr.io",
        "built": ["backend"],
        "third_party": ["postgres"],
        "platforms": ["linux/amd64", "linux/arm64"],
        "max_scan_age_days": 7,
    },
    "secrets": {"required": ["DATABASE_URL"]},
    "migrations": {"rows": 1_000, "max_lock_seconds": 2},
    "parity": {"runners": ["ubuntu-24.04"], "max_timeout_minutes": 60},
    "python": {"3.12": SUPPORTED},
    "django": {"5.2": {**SUPPORTED, "python": ["3.12"]}},
    "node": {"24": SUPPORTED},
}


def text(changes: Content | None = None) -> str:
    """Return it as TOML.

    Args:
        changes: Values by their keys, table by table; None takes a key away.
    """
    content: Content = _merged(LEAST, changes or {})
    return "\n".join(_lines(content)) + "\n"


def settings(changes: Content | None = None) -> Settings:
    """Return it as it is read."""
    return toml_checker.read_file(Settings, CONFIG_FILE, text(changes), hint="")


def changed(table: T, **values: object) -> T:
    """Return a table with other values, which are not checked."""
    return type(table)(**{**vars(table), **values})


def _merged(content: Content, changes: Content) -> dict[str, Any]:
    merged = {**content}
    for key, value in changes.items():
        inner = merged.get(key)
        if isinstance(inner, Mapping) and isinstance(value, Mapping):
            merged[key] = _merged(inner, value)
        else:
            merged[key] = value
    return {key: value for key, value in merged.items() if value is not None}


def _lines(table: Content, *path: str) -> Iterator[str]:
    inner = {key: value for key, value in table.items() if isinstance(value, Mapping)}
    for key, value in table.items():
        if key not in inner:
            shown = value if isinstance(value, date) else json.dumps(value)
            yield f"{format_place((key,))} = {shown}"
    for key, value in inner.items():
        yield f"\n[{format_place((*path, key))}]"
        yield from _lines(value, *path, key)
