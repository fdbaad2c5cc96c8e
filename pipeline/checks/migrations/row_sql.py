"""Build the SQL that inserts sample rows into one table."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto

from pipeline.checks.migrations.catalog import Column, Key, Table
from pipeline.checks.migrations.conditions import Conditions, quoted
from pipeline.checks.migrations.value_sql import Types

_INSERT = """
    INSERT INTO {table} {names} SELECT {values} FROM (
        SELECT {made} FROM generate_series({first}, {last}) AS i {joins}
    ) AS made
    WHERE {conditions} LIMIT {rows} {conflicts}
"""
_PARENT = """
    JOIN (SELECT {columns}, row_number() OVER (ORDER BY {columns}) - 1 AS number FROM {parent})
    AS {name} ON {name}.number = (i + {shift}) % {count}
"""
_REFER = """
    UPDATE {table} AS child SET {values}
    FROM (SELECT tableoid AS part, ctid AS place, row_number() OVER () AS number FROM {table})
        AS own
    JOIN (SELECT {columns}, row_number() OVER (ORDER BY {columns}) - 1 AS number FROM {parent})
        AS parent ON parent.number = own.number % {count}
    WHERE child.tableoid = own.part AND child.ctid = own.place AND {some}
"""
# A pseudo-random number for each row and column: rows must not be NULL in all columns together.
_DRAWN = "(hashint8(i::bigint * 1000 + {number}) & 65535)"


class Style(Enum):
    """The source of values, in the order in which the styles are tried."""

    TYPES = auto()
    """Generate a value for the column's type; some values are NULL."""
    CONSTANTS = auto()
    """Also use the constants in the conditions."""
    DEFAULTS = auto()
    """Use a default or NULL where the column allows it, and constants elsewhere."""


class NoValueError(Exception):
    """No value can be generated for a column's type."""


@dataclass
class Rows:
    """Builds the statements that insert sample rows into a table."""

    table: Table
    types: Types
    values: Mapping[str, str]
    """The SQL of `[migrations.values]`, by `table.column`."""
    counts: Mapping[str, int]
    """The number of rows by table."""
    postponed: list[Key]
    """The foreign keys that get their values after all tables have rows."""
    unfit: set[str] = field(default_factory=set)
    """The columns that reject the value generated for their type."""

    def __post_init__(self) -> None:
        self.conditions = Conditions(self.table, self.types)
        self.keys = [
            key
            for key in self.table.keys
            if key not in self.postponed and not all(map(self.own, key.columns))
        ]

    def insert(self, style: Style, numbers: range, limit: int) -> str:
        """Return an INSERT that skips rows that violate a constraint.

        Args:
            style: The source of the values.
            numbers: The numbers of the generated rows.
            limit: The largest number of rows to insert.

        Raises:
            NoValueError: A required column has an unknown type.
        """
        made = self.made(style)
        names = ", ".join(map(quoted, made))
        return _INSERT.format(
            table=quoted(*self.table.place),
            names=names and f"({names})",
            values=names,
            made=", ".join(f"{value} AS {quoted(name)}" for name, value in made.items()),
            first=numbers.start,
            last=numbers.stop - 1,
            joins=" ".join(self._join(key) for key in self._joined()),
            conditions=self.conditions.sql(made.keys()),
            rows=limit,
            conflicts="ON CONFLICT DO NOTHING" if self.table.skips else "",
        )

    def made(self, style: Style) -> dict[str, str]:
        """Return the SQL of the i-th row's values, by column."""
        found = {column: self._value(column, style) for column in self.table.columns}
        return {
            column.name: f"({value})::{self.types.base(column.type)[0]}"
            for column, value in found.items()
            if value
        }

    def alone(self, style: Style) -> dict[str, str]:
        """Return the SQL of the values that do not refer to another table."""
        referring = {column for key in self._joined() for column in key.columns}
        return {name: value for name, value in self.made(style).items() if name not in referring}

    def missing(self) -> str:
        """Return a table without rows that this table must refer to, or an empty string."""
        parents = (
            key.parent
            for key in self.keys
            if not self.table.nullable(key) and not self.counts.get(key.parent)
        )
        return next(parents, "")

    def refer(self, key: Key) -> str:
        """Return the UPDATE that sets a postponed foreign key; some values stay NULL if allowed."""
        pairs = zip(key.columns, key.parent_columns, strict=True)
        return _REFER.format(
            table=quoted(*self.table.place),
            values=", ".join(f"{quoted(own)} = parent.{quoted(other)}" for own, other in pairs),
            columns=", ".join(map(quoted, key.parent_columns)),
            parent=quoted(*key.parent_table),
            count=self.counts[key.parent],
            some="own.number % 2 = 0" if self.table.nullable(key) else "TRUE",
        )

    def own(self, column: str) -> str | None:
        """Return the configured SQL of a column, from `[migrations.values]`."""
        return self.values.get(f"{self.table.name}.{column}")

    def _value(self, column: Column, style: Style) -> str | None:
        """Return the SQL of a value; None omits the column from the INSERT."""
        if own := self.own(column.name):
            return own
        key = next((key for key in self._joined() if column.name in key.columns), None)
        later = any(column.name in key.columns for key in self.postponed)
        if column.counted or (column.default and style is Style.DEFAULTS):
            return None
        if not column.required and (later or style is Style.DEFAULTS):
            return "NULL"
        if key:
            place = key.columns.index(column.name)
            return self._sometimes(column, f"{_alias(key)}.{quoted(key.parent_columns[place])}")
        return self._of_type(column, style)

    def _of_type(self, column: Column, style: Style) -> str | None:
        value = self.types.value(column.type, column.number)
        if value is None or column.name in self.unfit or self._orphan(column):
            if column.default:
                return None
            if column.required:
                raise NoValueError(
                    f"no value can be generated for {column.name}, of type {column.type}"
                )
            return "NULL"
        if style is not Style.TYPES and any(
            column.name in each.columns for each in self.conditions.all
        ):
            value = self._choice(column, value)
        return self._sometimes(column, value)

    def _choice(self, column: Column, value: str) -> str:
        base, _ = self.types.base(column.type)
        choices = self.conditions.choices(column, value)
        cases = [f"WHEN {n} THEN ({choice})::{base}" for n, choice in enumerate(choices)]
        number = _DRAWN.format(number=column.number + 500)
        return f"CASE {number} % {len(choices)} {' '.join(cases)} END"

    @staticmethod
    def _sometimes(column: Column, value: str) -> str:
        if column.required:
            return value
        number = _DRAWN.format(number=column.number)
        return f"CASE WHEN {number} % 4 > 0 THEN {value} END"

    def _orphan(self, column: Column) -> bool:
        return any(column.name in key.columns for key in self.keys)

    def _joined(self) -> list[Key]:
        """Return the foreign keys whose parent table has rows."""
        return [key for key in self.keys if self.counts.get(key.parent)]

    def _join(self, key: Key) -> str:
        return _PARENT.format(
            columns=", ".join(map(quoted, key.parent_columns)),
            parent=quoted(*key.parent_table),
            name=_alias(key),
            shift=next(c.number for c in self.table.columns if c.name == key.columns[0]),
            count=self.counts[key.parent],
        )


def _alias(key: Key) -> str:
    return quoted(f"parent by {', '.join(key.columns)}")
