"""Fill one table: try the styles of values in turn, and skip columns that reject values."""

import psycopg
from psycopg import sql

from pipeline.checks.migrations.row_sql import NoValueError, Rows, Style
from pipeline.errors import InputError

_MAX_ROUNDS = 20  # INSERTs for a table, while each of them adds rows
_BATCH_ROWS = 1000  # rows that an INSERT generates at least; most may violate a constraint
_PROBE = "SELECT {} FROM generate_series(1, 5) AS i"


def fill_table(connection: psycopg.Connection, rows: Rows, wanted: int) -> tuple[int, str]:
    """Add rows to a table, and return their number and the cause if rows are missing.

    Args:
        connection: A connection with an open transaction.
        rows: The statements for the table.
        wanted: The number of rows.

    Raises:
        InputError: A value of `[migrations.values]` is not valid.
    """
    made, cause = 0, f"no generated row satisfies {rows.conditions}"
    for style in Style:
        if made < wanted:
            added, fault = _add(connection, rows, style, wanted - made)
            made, cause = made + added, fault or cause
    return made, cause


def _add(connection: psycopg.Connection, rows: Rows, style: Style, wanted: int) -> tuple[int, str]:
    """Add rows of one style; retry without the values that some columns reject."""
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
    """Insert rows in rounds until all are inserted or a round adds none.

    The style TYPES has one round: later rounds would mostly add rows with NULLs.
    """
    made, size = 0, max(wanted, _BATCH_ROWS)
    for turn in range(1) if style is Style.TYPES else range(1, _MAX_ROUNDS):
        numbers = range(1 + turn * size, 1 + (turn + 1) * size)
        statement = sql.SQL(rows.insert(style, numbers, wanted - made))
        added = connection.execute(statement).rowcount
        made += added
        if made == wanted or not added:
            break
    return made


def _unfit(connection: psycopg.Connection, rows: Rows, style: Style) -> set[str]:
    """Return the columns whose value fails by itself, probed with one SELECT each.

    Raises:
        InputError: The value comes from `[migrations.values]`.
    """
    unfit = set()
    for column, value in rows.alone(style).items():
        try:
            with connection.transaction():
                connection.execute(sql.SQL(_PROBE.format(value)))
        except psycopg.Error as error:
            if rows.own(column):
                name = f"{rows.table.name}.{column}"
                raise InputError(
                    f"[migrations.values] {name} is not a valid value: {reason(error)}",
                    hint=f"correct {name} in pipeline.toml; `i` is the number of the row",
                ) from None
            unfit.add(column)
    return unfit


def reason(error: object) -> str:
    """Return the first line of an error message."""
    return str(error).splitlines()[0]
