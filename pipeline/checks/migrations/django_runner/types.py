"""Compare column types: whether a change needs no rewrite, and whether it loses values."""

import re

_TEXT = re.compile(r"character varying(?:\((?P<size>\d+)\))?|text")
_NUMBER = re.compile(r"numeric(?:\((?P<size>\d+),(?P<scale>\d+)\))?")
_TIME = re.compile(r"(?P<kind>interval|time(?:stamp)?)(?:\((?P<size>\d)\))?(?P<zone>.*)")
_ENUM = re.compile(r"(?P<name>.+?) of (?P<labels>'.*)")
_MAX_PRECISION = 6  # digits of a second
_LOSSLESS_CASTS = {  # PostgreSQL rewrites the table, but no value is lost
    "smallint": {"integer", "bigint", "numeric", "real", "double precision"},
    "integer": {"bigint", "numeric", "double precision"},
    "bigint": {"numeric"},
    "real": {"double precision"},
    "date": {"timestamp without time zone", "timestamp with time zone"},
    "timestamp without time zone": {"timestamp with time zone"},
    "timestamp with time zone": {"timestamp without time zone"},
    "json": {"jsonb"},
}


def is_widening(before: str, after: str) -> bool:
    """Return whether the new type accepts all old values in the same format: no table rewrite.

    See "Notes" of https://www.postgresql.org/docs/current/sql-altertable.html
    """
    if (old := _TEXT.fullmatch(before)) and (new := _TEXT.fullmatch(after)):
        return not new["size"] or int(old["size"] or "0") in range(1, int(new["size"]) + 1)
    if (old := _NUMBER.fullmatch(before)) and (new := _NUMBER.fullmatch(after)):
        if not (old["size"] and new["size"]):
            return not new["size"]
        return old["scale"] == new["scale"] and int(old["size"]) <= int(new["size"])
    if (old := _TIME.fullmatch(before)) and (new := _TIME.fullmatch(after)):
        same = old["kind"] == new["kind"] and old["zone"] == new["zone"]
        return same and int(old["size"] or _MAX_PRECISION) <= int(new["size"] or _MAX_PRECISION)
    if (old := _ENUM.fullmatch(before)) and (new := _ENUM.fullmatch(after)):
        return old["name"] == new["name"] and {*_labels(old)} <= {*_labels(new)}
    return (before, after) == ("cidr", "inet")


def _labels(enum: re.Match[str]) -> list[str]:
    return re.findall(r"'(?:[^']|'')*'", enum["labels"])


def is_lossless(before: str, after: str) -> bool:
    """Return whether a change of the type keeps every value distinct."""
    return (
        after in {"text", "character varying"}
        or after in _LOSSLESS_CASTS.get(before, ())
        or is_widening(before, after)
    )
