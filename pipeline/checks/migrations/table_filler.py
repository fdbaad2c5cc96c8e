"""Fills one table, as far as it can be."""

import psycopg
from psycopg import sql

from pipeline.checks.migrations.row_sql import NoValueError, Rows, Style
from pipeline.errors import InputError

MAX_ROUNDS = 20  # to get as many rows as are wanted, while each of them brings some
BATCH_ROWS = 1000  # rows that are made at least, of which all that fit may be taken
PROBE = "SELECT {} FROM generate_series(1, 5) AS i"


def fill_table(connection: psycopg.Connection, rows: Rows, wanted: int) -> tuple[int, str]:
    """Add rows to a table, and return how many, and why there are not more.

    Args:
        connection: To the database, in a transaction.
        rows: What the rows are.
        wanted: How many.

    Raises:
        InputError: A value that the team has given is wrong.
    """
    made, cause = 0, f"no row that was made satisfies {rows.conditions}"
    for style in Style:
        if made < wanted:
            added, fault = _add(connection, rows, style, wanted - made)
            made, cause = made + added, fault or cause
    return made, cause


def _add(connection: psycopg.Connection, rows: Rows, style: Style, wanted: int) -> tuple[int, str]:
    """Add rows of one style; without the values that some columns do not take, if need be."""
    try:
        with connection.transaction():
            return _insert(connection, rows, style, wanted), ""
    except NoValueError as error:
        return 0, str(error)
    except psycopg.Error as error:
        unfit = _unfit(connection, rows, style) - rows.unfit
        rows.unfit |= unfit
        return _add(connection, rows, style, wanted) if unfit else (0, reason(error))


def _insert(connection: psycopg.Connection, rows: Rows, style: Style, wanted: int) -> int:
    """Add rows in turns; of the types alone in one, as more would find rows that are all NULL."""
    made, size = 0, max(wanted, BATCH_ROWS)
    for turn in range(1) if style is Style.TYPES else range(1, MAX_ROUNDS):
        numbers = range(1 + turn * size, 1 + (turn + 1) * size)
        statement = sql.SQL(rows.insert(style, numbers, wanted - made))
        added = connection.execute(statement).rowcount
        made += added
        if made == wanted or not added:
            break
    return made


def _unfit(connection: psycopg.Connection, rows: Rows, style: Style) -> set[str]:
    """Return the columns that do not take their values, whatever the others are.

    Raises:
        InputError: The team has said what such a column takes.
    """
    unfit = set()
    for column, value in rows.alone(style).items():
        try:
            with connection.transaction():
                connection.execute(sql.SQL(PROBE.format(value)))
        except psycopg.Error as error:
            if rows.own(column):
                name = f"{rows.table.name}.{column}"
                raise InputError(
                    f"[migrations.values] {name} is no value: {reason(error)}",
                    hint=f"correct {name} in pipeline.toml; `i` is the number of the row",
                ) from None
            unfit.add(column)
    return unfit


def reason(error: object) -> str:
    """Return the first line of what an error says."""
    return str(error).splitlines()[0]
