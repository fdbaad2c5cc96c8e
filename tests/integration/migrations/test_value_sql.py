"""Every type that PostgreSQL, its contrib extensions and a schema have gets values."""

from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql

from pipeline.checks.migrations.databases import PostgresServer, connect
from pipeline.checks.migrations.sample_data import FillResult, fill_tables

MADE = (
    *(
        f"CREATE EXTENSION {name}"
        for name in ("citext", "cube", "hstore", "isn", "ltree", "seg", "vector")
    ),
    "CREATE TYPE mood AS ENUM ('sad', 'ok', 'it''s fine')",
    "CREATE TYPE \"Special Type\" AS ENUM ('x')",
    "CREATE DOMAIN percent AS integer CHECK (VALUE BETWEEN 0 AND 100)",
    "CREATE DOMAIN loud AS varchar(5) CHECK (VALUE ~ '^[A-Z]+$')",
    "CREATE DOMAIN whole AS percent",
    "CREATE TYPE pair AS (a integer, b varchar(3), c mood)",
    "CREATE TYPE texts AS RANGE (subtype = text)",
)
ROWS = 200
NUMBERS = (
    "smallint, integer, bigint, real, double precision, numeric, numeric(5\t2), numeric(3\t3), "
    "numeric(4\t-2), money, oid"
)
OTHERS = (
    "text, citext, name, varchar(3), varchar, char(5), ltree, bytea, uuid, json, jsonb, jsonpath, "
    "timestamptz, timestamp, timestamptz(3), date, time, timetz, interval, "
    "interval day to second(3), inet, cidr, macaddr, macaddr8, bit varying, bit(40), pg_lsn, "
    "point, line, lseg, box, path, polygon, circle, tsvector, tsquery, hstore, cube, seg, "
    "vector(3), vector, text[], integer[], varchar(4)[], timestamptz[], int4range, int8range, "
    "numrange, daterange, tsrange, tstzrange, texts, int4multirange, datemultirange, pair, pair[]"
)
ALL_DIFFERENT = [each.strip().replace("\t", ",") for each in f"{NUMBERS}, {OTHERS}".split(",")]
FEW = {
    "boolean": 2, "char(1)": 10, '"char"': 26, "bit(3)": 8, "bit varying(4)": 16, "mood": 3,
    "mood[]": 3, '"Special Type"': 1, "percent": 90, "whole": 90, "loud": 90,
}  # fmt: skip
UNKNOWN = ["xml", "isbn", "regclass", "txid_snapshot", "percent[]"]
TABLE = """
    CREATE TABLE t (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, number serial,
        one {type}, other {type}, third {type},
        computed text GENERATED ALWAYS AS ('x') STORED, later int GENERATED ALWAYS AS (1) VIRTUAL
    )
"""


@pytest.fixture(scope="module")
def template(server: str) -> str:
    with connect(PostgresServer(server).create_database("types")) as connection:
        for statement in MADE:
            connection.execute(statement.encode())
    return server


@pytest.fixture
def connection(template: str) -> Iterator[psycopg.Connection]:
    with connect(PostgresServer(template).create_database("typed", like="types")) as connection:
        yield connection


def rows(connection: psycopg.Connection, kind: str, table: str = TABLE) -> FillResult:
    connection.execute(table.format(type=kind).encode())
    return fill_tables(connection.info.dsn, ["t"], ROWS, {})


def counts(connection: psycopg.Connection, *queries: str) -> list[int]:
    text = sql.SQL("SELECT {} FROM t").format(sql.SQL(", ").join(map(sql.SQL, queries)))
    return list(connection.execute(text).fetchone() or ())


@pytest.mark.parametrize("kind", [*ALL_DIFFERENT, *FEW])
def test_a_column_has_values_of_its_type_and_nulls(
    connection: psycopg.Connection, kind: str
) -> None:
    assert rows(connection, kind).notes_as_sentences() == []
    found, some, different = counts(
        connection, "count(*)", "count(one)", "count(DISTINCT one::text)"
    )
    assert found == ROWS
    assert ROWS * 0.5 < some < ROWS * 0.95
    assert different >= FEW.get(kind, some) * 0.5


@pytest.mark.parametrize("kind", ALL_DIFFERENT)
def test_no_two_columns_of_a_row_are_equal(connection: psycopg.Connection, kind: str) -> None:
    rows(connection, kind)
    assert counts(connection, "count(*) FILTER (WHERE one::text = other::text)") == [0]


def test_two_flags_are_not_equal_in_all_rows(connection: psycopg.Connection) -> None:
    rows(connection, "boolean")
    assert counts(connection, "count(*) FILTER (WHERE one <> other)")[0] > ROWS / 10


@pytest.mark.parametrize("kind", UNKNOWN)
def test_a_type_that_is_not_known_is_null_where_it_may_be(
    connection: psycopg.Connection, kind: str
) -> None:
    assert rows(connection, kind).notes_as_sentences() == []
    assert counts(connection, "count(*)", "count(one)") == [ROWS, 0]


def test_a_type_that_is_not_known_is_left_to_the_default(connection: psycopg.Connection) -> None:
    assert (
        rows(
            connection, "regclass", "CREATE TABLE t (a {type} NOT NULL DEFAULT 't')"
        ).notes_as_sentences()
        == []
    )
    assert counts(connection, "count(a)") == [ROWS]


def test_a_type_that_is_not_known_is_asked_for(connection: psycopg.Connection) -> None:
    connection.execute("CREATE TABLE t (a regclass NOT NULL)")
    seeded = fill_tables(connection.info.dsn, ["t"], ROWS, {})
    assert seeded.skipped == {"t": "no value can be generated for a, of type regclass"}
    assert "[migrations.values]" in seeded.notes_as_sentences()[0]

    assert fill_tables(connection.info.dsn, ["t"], ROWS, {"t.a": "'t'"}).filled == ["t"]
