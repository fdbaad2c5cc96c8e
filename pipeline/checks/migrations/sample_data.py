"""Fill the tables of any schema with sample rows, so that migrations run on realistic data."""

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

_DJANGO_TABLES = {"django_migrations"}
_COUNT = "SELECT count(*) FROM {}"
_HINT = (
    "set the SQL of a column for row i in pipeline.toml, [migrations.values]: "
    """"{}.<column>" = "'x' || i\""""
)


@dataclass
class FillResult:
    """The tables that were filled, and the tables that were skipped."""

    filled: list[str] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)
    """The cause for each table that gets no rows."""
    notes: list[str] = field(default_factory=list)

    def notes_as_sentences(self) -> list[str]:
        """Return a line for each difference from production."""
        skipped = [
            f"{table} gets no rows: {cause}\n  hint: {_HINT.format(table)}"
            for table, cause in self.skipped.items()
        ]
        return [*skipped, *self.notes]

    def inconclusive_error(self, check: str, tables: Iterable[str]) -> InconclusiveError | None:
        """Return the error of a check that needs rows in tables, if some have none.

        Args:
            check: The name of the check.
            tables: The tables that the check needs.
        """
        empty = [name for name in tables if name in self.skipped]
        if not empty:
            return None
        return InconclusiveError(
            check,
            "tables that migrations touch get no sample rows",
            detail="; ".join(f"{name}: {self.skipped[name]}" for name in empty),
            hint=_HINT.format(empty[0]),
        )


class _UnfillableError(Exception):
    """A table turns out to accept no rows after other tables are filled."""

    def __init__(self, table: str, cause: object) -> None:
        super().__init__(table, cause)
        self.table, self.cause = table, reason(cause)


def fill_tables(
    url: str, wanted: Iterable[str] | None, rows: int, values: Mapping[str, str]
) -> FillResult:
    """Fill tables, after the tables that they refer to.

    Args:
        url: The database.
        wanted: The tables; None means all tables in all schemas.
        rows: The number of rows for each table.
        values: SQL by `table.column`, for columns with special rules; `i` is the row's number.

    Returns:
        The tables that were filled, and the tables that accept no rows.

    Raises:
        InputError: One of the values is not valid.
    """
    skipped: dict[str, str] = {}
    with connect(url) as connection:
        while True:
            try:
                with connection.transaction():
                    seeded = _TableFiller(connection, rows, values, skipped).fill_tables(wanted)
                break
            except _UnfillableError as error:  # the transaction is rolled back: start again
                skipped[error.table] = error.cause
        connection.execute("ANALYZE")  # else the planner assumes empty tables
    return seeded


class _TableFiller:
    """Fills tables within one transaction; `_UnfillableError` means: start a new one."""

    def __init__(
        self,
        connection: psycopg.Connection,
        rows: int,
        values: Mapping[str, str],
        skipped: Mapping[str, str],
    ) -> None:
        self.connection, self.rows, self.values = connection, rows, values
        self.known, self.types = tables(connection), Types(connection)
        self.counts: dict[str, int] = {}
        self.seeded = FillResult(skipped={**skipped})

    def fill_tables(self, wanted: Iterable[str] | None) -> FillResult:
        names = sorted(self.known.keys() - _DJANGO_TABLES if wanted is None else {*wanted})
        order = order_by_dependency(self.known, names, self.values)
        self.seeded.skipped |= order.skipped
        # Deferred keys may refer to rows that are inserted later in the transaction.
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
        skipped = self.seeded.skipped
        skipped |= {name: skipped[root] for name, root in partitions.items() if root in skipped}
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
        """Fill a table, and return the cause if it has no rows afterwards."""
        if parent := rows.missing():
            return f"it must refer to {parent}, which has no rows"
        made, cause = fill_table(self.connection, rows, self.rows)
        if 0 < made < self.rows:
            self.seeded.notes.append(
                f"{rows.table.name} gets {made:,} rows of {self.rows:,}: "
                "more rows would violate its constraints"
            )
        return "" if made else cause

    def _refer(self, rows: Rows, key: Key) -> None:
        """Set the values of a foreign key that closes a cycle.

        Raises:
            _UnfillableError: The key is required, and its values are refused.
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
        """Check the deferred constraints, as PostgreSQL does at the end of a transaction.

        Raises:
            _UnfillableError: A row violates a constraint of a filled table.
            InputError: The error names no filled table.
        """
        try:
            self.connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
        except psycopg.Error as error:
            place = error.diag.schema_name, error.diag.table_name
            for name in self.seeded.filled:
                if self.known[name].place == place:
                    raise _UnfillableError(name, error) from None
            raise InputError(
                f"the sample rows violate a deferred constraint: {reason(error)}",
                hint=_HINT.format("<table>"),
            ) from None

    def _count(self, keys: Iterable[Key]) -> None:
        """Count the rows of the parent tables of foreign keys."""
        for key in keys:
            found = self._execute(_COUNT.format(quoted(*key.parent_table))).fetchone()
            self.counts[key.parent] = found[0] if found else 0

    def _execute(self, text: str) -> psycopg.Cursor:
        return self.connection.execute(sql.SQL(text))
