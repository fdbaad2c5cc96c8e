"""The conditions of a table's rows, and values that satisfy most of them."""

import re
from collections.abc import Iterator, KeysView

import psycopg
from psycopg import sql

from pipeline.checks.migrations.catalog import Check, Column, Table
from pipeline.checks.migrations.value_sql import Types

# Counts for how many of 100 rows a value satisfies the conditions of its column.
_COUNT_FITTING = """
    SELECT count(*) FILTER (WHERE {condition})
    FROM (SELECT ({value})::{type} AS {name} FROM generate_series(1, 100) AS i) AS made
"""

_MAX_SHOWN = 3


class Conditions:
    """The checks of a table, those of its domains, and the bounds of its partitions."""

    def __init__(self, table: Table, types: Types) -> None:
        self.table, self.types = table, types
        bounds = [table.bounds] if table.bounds else []
        self.all = [*table.checks, *bounds, *self._of_domains()]

    def __str__(self) -> str:
        """Return the first conditions, for messages."""
        return "; ".join(each.condition for each in self.all[:_MAX_SHOWN]) or "its constraints"

    def sql(self, made: KeysView[str]) -> str:
        """Return the conditions that only use the given columns."""
        return _all(each for each in self.all if each.columns <= made)

    def choices(self, column: Column, value: str) -> list[str]:
        """Return the SQL of values for a column; a value that is listed twice is used twice as often.

        Args:
            column: The column.
            value: The value for the column's type: half of the choices, if it fits.
        """
        texts = [each.condition for each in self.all if column.name in each.columns]
        base, _ = self.types.base(column.type)
        others = self.types.candidates(base, column.number, texts)
        fits = {choice: self._fits(column, base, choice) for choice in [value, *others]}
        chosen = [choice for choice in fits if 2 * fits[choice] >= max(fits.values())]
        return chosen + [value] * len(chosen) if value in chosen else chosen

    def _fits(self, column: Column, base: str, value: str) -> int:
        own = _all(each for each in self.all if each.columns == {column.name})
        text = _COUNT_FITTING.format(
            condition=own, value=value, type=base, name=quoted(column.name)
        )
        try:
            with self.types.connection.transaction():
                found = self.types.connection.execute(sql.SQL(text)).fetchone()
        except psycopg.Error:
            return 0
        return found[0] if found else 0

    def _of_domains(self) -> Iterator[Check]:
        for column in self.table.columns:
            name = quoted(column.name).replace("\\", r"\\")
            for text in self.types.base(column.type)[1]:
                yield Check(re.sub(r"\bVALUE\b", name, text), frozenset({column.name}))


def quoted(*names: str) -> str:
    """Return a name as a quoted SQL identifier."""
    return sql.Identifier(*names).as_string()


def _all(checks: Iterator[Check]) -> str:
    return " AND ".join(f"({each.condition}) IS NOT FALSE" for each in checks) or "TRUE"
