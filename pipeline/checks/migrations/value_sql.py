"""SQL for the value of a column in row i, for the types of PostgreSQL and its extensions."""

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import NamedTuple

import psycopg
from psycopg import sql

# SQL by type name; `n` is the sum of the numbers of row and column.
_KINDS = {
    r"(?:character varying|character|bpchar)\((\d+)\)": "right('r' || {n}, {0})",
    r"text|character varying|character|bpchar|citext|name|ltree": "'r' || {n}",
    r'"char"': "chr((97 + {n} % 26)::int)",
    r"smallint": "{n} % 32000",
    r"integer|bigint|oid|real|double precision|numeric": "{n}",
    r"numeric\((\d+),(-?\d+)\)": "{n} % 10::numeric ^ {0} / 10::numeric ^ {1}",
    r"money": "{n}::numeric::money",
    r"boolean": "({n} >> ({k} % 8)) % 2 = 0",
    r"timestamp.*": "now() - interval '1 year' + {n} * interval '1 minute'",
    r"date": "current_date - 3650 + ({n} % 36500)::int",
    r"time.*": "time '00:00' + {n} * interval '1 second'",
    r"interval.*": "{n} * interval '1 day'",
    r"uuid": "md5({n}::text)::uuid",
    r"jsonb?": """'{{"row": ' || {n} || '}}'""",
    r"jsonpath": "'$.r' || {n}",
    r"xml": "'<r>' || {n} || '</r>'",
    r"bytea": "decode(md5({n}::text), 'hex')",
    r"inet|cidr": "inet '10.0.0.0' + {n}",
    r"macaddr": "lpad(to_hex({n}), 12, '0')",
    r"macaddr8": "lpad(to_hex({n}), 16, '0')",
    r"bit\((\d+)\)": "{n}::bigint::bit({0})",
    r"bit varying\((\d+)\)": "{n}::bigint::bit({0})",
    r"bit varying": "{n}::bigint::bit(64)",
    r"pg_lsn": "'0/' || to_hex({n})",
    r"point": "point({n}, {n} + 1)",
    r"line": "line(point({n}, 0), point(0, {n} + 1))",
    r"lseg": "lseg(point({n}, 0), point(0, {n}))",
    r"box": "box(point({n}, {n}), point({n} + 1, {n} + 1))",
    r"path": "'[(0,0),(' || {n} || ',1)]'",
    r"polygon": "polygon(box(point({n}, {n}), point({n} + 1, {n} + 1)))",
    r"circle": "circle(point({n}, {n}), 1)",
    r"tsvector": "to_tsvector('simple', 'row ' || {n})",
    r"tsquery": "to_tsquery('simple', 'r' || {n})",
    r"hstore": "hstore('row', {n}::text)",
    r"cube": "cube({n})",
    r"seg": "{n}::text",
    r"(?:vector|halfvec)\((\d+)\)": "array_fill({n}::real, ARRAY[{0}])",
    r"vector|halfvec": "ARRAY[{n}::real, 1]",
}
_TEXT = r"text|character.*|bpchar|citext"
# Texts that often satisfy a check: digits, letters only, an e-mail address, a URL.
_TEXTS = (
    "{n}::text",
    "'R' || {n}",
    "translate({n}::text, '0123456789', 'abcdefghij')",
    "translate({n}::text, '0123456789', 'ABCDEFGHIJ')",
    "'r' || {n} || '@example.com'",
    "'https://example.com/' || {n}",
)
# Values near a constant `c` of a check or a partition bound.
_NEAR_VALUES = {
    _TEXT: ("{c}", "{c} || {n}"),
    r"date|timestamp.*": ("{c}", "{c} + {n} % 28 * interval '1 day'"),
    r".*": ("{c}",),
}
_LONG = ("lpad({n}::text, {length}, '0')", "rpad('r' || {n}, {length}, 'r')")
_NUMBER = r"-?\d+(?:\.\d+)?"
_CONSTANT = re.compile(rf"'((?:[^']|'')*)'|(?<![\w.'])({_NUMBER})(?![\w.'])")
_TYPES = """
    SELECT format_type(pg_type.oid, NULL), typtype,
        CASE typtype
            WHEN 'd' THEN ARRAY[format_type(typbasetype, typtypmod)]
            WHEN 'r' THEN (SELECT ARRAY[format_type(rngsubtype, NULL)] FROM pg_range
                WHERE rngtypid = pg_type.oid)
            WHEN 'm' THEN (SELECT ARRAY[format_type(rngtypid, NULL)] FROM pg_range
                WHERE rngmultitypid = pg_type.oid)
            WHEN 'e' THEN (SELECT array_agg(enumlabel::text) FROM pg_enum
                WHERE enumtypid = pg_type.oid)
            ELSE (SELECT array_agg(format_type(atttypid, atttypmod) ORDER BY attnum)
                FROM pg_attribute
                WHERE attrelid = typrelid AND attnum > 0 AND NOT attisdropped)
        END,
        (SELECT array_agg(pg_get_expr(conbin, 0)) FROM pg_constraint
            WHERE contypid = pg_type.oid AND contype = 'c')
    FROM pg_type LEFT JOIN pg_class ON pg_class.oid = typrelid
    WHERE typtype IN ('d', 'e', 'm', 'r') OR relkind = 'c'
"""
_VALID = "SELECT text FROM unnest(%s::text[]) AS text WHERE pg_input_is_valid(text, %s)"


class _CompositeType(NamedTuple):
    """A domain, enum, range, multirange or composite type."""

    kind: str
    """`pg_type.typtype`."""
    parts: list[str]
    """The types that it consists of; for an enum, its labels."""
    checks: list[str]
    """The conditions of a domain on VALUE."""


class Types:
    """Generates values for the types of a database."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self.connection = connection
        self.made = {
            name: _CompositeType(kind, parts or [], checks or [])
            for name, kind, parts, checks in connection.execute(_TYPES)
        }

    def base(self, name: str) -> tuple[str, list[str]]:
        """Return the type below a domain, and the conditions of all domains above that type."""
        made = self.made.get(name)
        if made is None or made.kind != "d":
            return name, []
        below, checks = self.base(made.parts[0])
        return below, [*made.checks, *checks]

    def value(self, name: str, number: int, row: str = "i") -> str | None:
        """Return the SQL of a value; None if the type is unknown.

        Args:
            name: The type, as PostgreSQL's `format_type` writes it.
            number: The number of the column; it keeps the values of a row different.
            row: The SQL of the number of the row.
        """
        name, _ = self.base(name)
        if name.endswith("[]"):
            parts = self._cast([name[:-2]] * 2, number, [row, f"{row} + 1"])
            return f"ARRAY[{', '.join(parts)}]" if parts else None
        if name in self.made:
            return self._composite_value(name, self.made[name], number, row)
        found = (re.fullmatch(pattern, name) for pattern in _KINDS)
        templates = zip(found, _KINDS.values(), strict=True)
        match, template = next(filter(lambda each: each[0], templates), (None, ""))
        n = f"({row} + {number})"
        return template.format(*match.groups(), n=n, k=number) if match else None

    def candidates(self, name: str, number: int, conditions: Sequence[str]) -> list[str]:
        """Return the SQL of values that may satisfy conditions, built from their constants.

        Args:
            name: The type.
            number: The number of the column.
            conditions: The SQL of the conditions.
        """
        found = {constant for each in conditions for constant in _constants(each)}
        valid = [row[0] for row in self.connection.execute(_VALID, [sorted(found), name])]
        near = next(each for pattern, each in _NEAR_VALUES.items() if re.fullmatch(pattern, name))
        n, literals = f"(i + {number})", [f"{_quoted(each)}::{name}" for each in valid]
        made = [template.format(c=c, n=n) for c in literals for template in near]
        if re.fullmatch(_TEXT, name):
            lengths = {each for text in conditions for each in re.findall(r"\d{1,3}", text)}
            made += [
                each.format(n=n, length=length) for length in sorted(lengths) for each in _LONG
            ]
            made += [each.format(n=n) for each in _TEXTS]
        return made

    def _composite_value(
        self, name: str, made: _CompositeType, number: int, row: str
    ) -> str | None:
        if made.kind == "e":
            return f"(enum_range(NULL::{name}))[1 + ({row} + {number}) % {len(made.parts)}]"
        # A range must have its ends in order. Rows i and i + 1 as ends keep the ranges apart.
        if made.kind == "r":
            parts = self._cast(made.parts * 2, number, [row, f"{row} + 1"])
            ends = ", ".join(parts or ())
            return f"{name}(least({ends}), greatest({ends}))" if parts else None
        parts = self._cast(made.parts, number, [row] * len(made.parts))
        values = ", ".join(parts or ())
        whole = {"c": f"ROW({values})::{name}", "m": f"{name}({values})"}
        return whole[made.kind] if parts else None

    def _cast(self, names: list[str], number: int, rows: list[str]) -> list[str] | None:
        parts = [self.value(name, number, row) for name, row in zip(names, rows, strict=True)]
        return (
            [f"({part})::{name}" for part, name in zip(parts, names, strict=True)]
            if all(parts)
            else None
        )


def _constants(condition: str) -> Iterator[str]:
    """Yield the constants in SQL, and for a number also the next lower and higher number."""
    for text, number in _CONSTANT.findall(condition):
        constant = number or text.replace("''", "'")
        yield constant
        if re.fullmatch(_NUMBER, constant):
            yield from (str(Decimal(constant) + 1), str(Decimal(constant) - 1))


def _quoted(text: str) -> str:
    return sql.Literal(text).as_string()
