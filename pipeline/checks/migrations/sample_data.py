"""Rows for the tables of any schema, so that migrations meet what they would meet in production."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import psycopg
from psycopg import sql

from pipeline.checks.migrations.catalog import Key, tables
from pipeline.checks.migrations.conditions import quoted
from pipeline.checks.migrations.databases import connect
from pipeline.checks.migrations.row_sql import Rows
from pipeline.checks.migrations.table_filler import fill_table, reason
from pipeline.checks.migrations.table_order import order_by_dependency
from pipeline.checks.migrations.value_sql import Types
from pipeline.errors import InconclusiveError, InputError

DJANGO_TABLES = {"django_migrations"}
COUNT = "SELECT count(*) FROM {}"
HINT = (
    "say in pipeline.toml, [migrations.values], how row i has a column: "
    """"{}.<column>" = "'x' || i\""""
)


@dataclass
class FillResult:
    """What became of the tables that were to be filled."""

    filled: list[str] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)
    """Tables that got no rows, and why."""
    notes: list[str] = field(default_factory=list)

    def notes_as_sentences(self) -> list[str]:
        """Return what is not as it would be in production, as sentences."""
        left_out = [
            f"{table} gets no rows: {cause}\n  hint: {HINT.format(table)}"
            for table, cause in self.skipped.items()
        ]
        return [*left_out, *self.notes]

    def inconclusive_error(self, check: str, tables: Iterable[str]) -> InconclusiveError | None:
        """Return the fault of a check of these tables, if some have no rows to try it on.

        Args:
            check: Its name.
            tables: What it looks at.
        """
        empty = [name for name in tables if name in self.skipped]
        if not empty:
            return None
        return InconclusiveError(
            check,
            "tables that migrations touch get no rows",
            detail="; ".join(f"{name}: {self.skipped[name]}" for name in empty),
            hint=HINT.format(empty[0]),
        )


class _UnfillableError(Exception):
    """Only when other tables had rows was it seen that a table cannot have any."""

    def __init__(self, table: str, cause: object) -> None:
        super().__init__(table, cause)
        self.table, self.cause = table, reason(cause)


def fill_tables(
    url: str, wanted: Iterable[str] | None, rows: int, values: Mapping[str, str]
) -> FillResult:
    """Fill tables, and before them those that they refer to.

    Args:
        url: The database.
        wanted: The tables; None means all of them, in every schema.
        rows: How many rows each gets.
        values: SQL by `table.column`, where rows must be of a kind; `i` is the row's number.

    Returns:
        The tables that were filled, and those that do not take rows.

    Raises:
        InputError: One of the values is wrong.
    """
    left_out: dict[str, str] = {}
    with connect(url) as connection:
        while True:
            try:
                with connection.transaction():
                    seeded = _TableFiller(connection, rows, values, left_out).fill_tables(wanted)
                break
            except _UnfillableError as error:  # what had been filled is empty again
                left_out[error.table] = error.cause
        connection.execute("ANALYZE")
    return seeded


class _TableFiller:
    """Fills tables within a transaction, which it may ask to begin anew."""

    def __init__(
        self,
        connection: psycopg.Connection,
        rows: int,
        values: Mapping[str, str],
        left_out: Mapping[str, str],
    ) -> None:
        self.connection, self.rows, self.values = connection, rows, values
        self.known, self.types = tables(connection), Types(connection)
        self.counts: dict[str, int] = {}
        self.seeded = FillResult(skipped={**left_out})

    def fill_tables(self, wanted: Iterable[str] | None) -> FillResult:
        names = sorted(self.known.keys() - DJANGO_TABLES if wanted is None else {*wanted})
        order = order_by_dependency(self.known, names, self.values)
        self.seeded.skipped |= order.skipped
        self.connection.execute("SET CONSTRAINTS ALL DEFERRED")
        referring: list[tuple[Rows, Key]] = []
        for name in order.tables:
            later = order.postponed.get(name, [])
            rows = Rows(self.known[name], self.types, self.values, self.counts, later)
            if self._filled(rows):
                referring += [(rows, key) for key in later]
        for rows, key in referring:
            self._refer(rows, key)
        self._check()
        partitions = {name: table.root for name, table in self.known.items() if table.root}
        left_out = self.seeded.skipped
        left_out |= {name: left_out[root] for name, root in partitions.items() if root in left_out}
        return self.seeded

    def _filled(self, rows: Rows) -> bool:
        name = rows.table.name
        self._count(rows.table.keys)
        cause = self.seeded.skipped.get(name) or self._fill(rows)
        if cause:
            self.seeded.skipped[name] = cause
        else:
            self.seeded.filled.append(name)
        return not cause

    def _fill(self, rows: Rows) -> str:
        """Fill a table, and return why it has no rows then, if so."""
        if parent := rows.missing():
            return f"it must refer to {parent}, which has none"
        made, cause = fill_table(self.connection, rows, self.rows)
        if 0 < made < self.rows:
            self.seeded.notes.append(
                f"{rows.table.name} gets {made:,} rows of {self.rows:,}: "
                "others would break its constraints"
            )
        return "" if made else cause

    def _refer(self, rows: Rows, key: Key) -> None:
        """Give a key that closes a circle its values.

        Raises:
            _UnfillableError: It cannot have any, and must.
        """
        self._count([key])
        try:
            with self.connection.transaction():
                if self.counts[key.parent]:
                    self._execute(rows.refer(key))
                elif not rows.table.nullable(key):
                    raise _UnfillableError(rows.table.name, f"{key.parent} has no rows")
        except psycopg.Error as error:
            if not rows.table.nullable(key):
                raise _UnfillableError(rows.table.name, error) from None
            names = ", ".join(f"{rows.table.name}.{column}" for column in key.columns)
            self.seeded.notes.append(f"{names} is NULL in all rows: {reason(error)}")

    def _check(self) -> None:
        """Check what PostgreSQL checks at the end of a transaction.

        Raises:
            _UnfillableError: A table breaks such a constraint.
            InputError: Something does that is no constraint of a table that was filled.
        """
        try:
            self.connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
        except psycopg.Error as error:
            place = error.diag.schema_name, error.diag.table_name
            for name in self.seeded.filled:
                if self.known[name].place == place:
                    raise _UnfillableError(name, error) from None
            raise InputError(
                f"rows are refused when all are there: {reason(error)}", hint=HINT.format("<table>")
            ) from None

    def _count(self, keys: Iterable[Key]) -> None:
        """Count the rows that keys can refer to."""
        for key in keys:
            found = self._execute(COUNT.format(quoted(*key.parent_table))).fetchone()
            self.counts[key.parent] = found[0] if found else 0

    def _execute(self, text: str) -> psycopg.Cursor:
        return self.connection.execute(sql.SQL(text))
