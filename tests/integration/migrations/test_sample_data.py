"""All kinds of tables get rows; those that cannot are left out."""

from typing import NamedTuple

import pytest

from pipeline.checks.migrations.databases import PostgresServer, connect
from pipeline.checks.migrations.sample_data import FillResult, fill_tables
from pipeline.errors import InputError

ROWS = 200


class Case(NamedTuple):
    """A schema, and what is true of it when all its tables have rows."""

    schema: str
    truths: str


FILLED = {
    "a nullable key that closes a circle": Case(
        """CREATE TABLE author (id serial PRIMARY KEY);
        CREATE TABLE book (id serial PRIMARY KEY, author_id int NOT NULL REFERENCES author);
        ALTER TABLE author ADD last_id int UNIQUE REFERENCES book""",
        "(SELECT count(last_id) = 100 FROM author) AND (SELECT count(*) = 200 FROM book)",
    ),
    "keys that may wait for the end": Case(
        """CREATE TABLE a (id serial PRIMARY KEY);
        CREATE TABLE b (id serial PRIMARY KEY, a_id int NOT NULL REFERENCES a DEFERRABLE);
        ALTER TABLE a ADD b_id int NOT NULL UNIQUE REFERENCES b DEFERRABLE INITIALLY DEFERRED""",
        "(SELECT count(*) = 200 FROM a JOIN b ON b.id = b_id)",
    ),
    "a table that refers to itself": Case(
        """CREATE TABLE a (id serial PRIMARY KEY, up int REFERENCES a CHECK (up <> id),
            next int NOT NULL UNIQUE REFERENCES a DEFERRABLE)""",
        "(SELECT count(up) = 100 AND count(next) = 200 FROM a)",
    ),
    "a key of two columns, next to one of its own table": Case(
        """CREATE TABLE a (x int, y int, PRIMARY KEY (x, y));
        CREATE TABLE b (x int NOT NULL, y int NOT NULL, FOREIGN KEY (x, y) REFERENCES a)""",
        "(SELECT count(*) = 200 FROM b JOIN a USING (x, y))",
    ),
    "pairs, none twice and none of the same": Case(
        """CREATE TABLE a (id serial PRIMARY KEY);
        CREATE TABLE pair (one int NOT NULL REFERENCES a, other int NOT NULL REFERENCES a,
            UNIQUE (one, other), CHECK (one <> other))""",
        "(SELECT count(*) = 200 FROM pair)",
    ),
    "names of any letters, in another schema": Case(
        """CREATE SCHEMA "Else";
        CREATE TABLE "Else"."Big.Table" ("Id %" serial PRIMARY KEY, "select" int NOT NULL);
        CREATE TABLE a (b int NOT NULL REFERENCES "Else"."Big.Table")""",
        """(SELECT count(*) = 200 FROM "Else"."Big.Table")""",
    ),
    "partitions by range, by list and by hash": Case(
        """CREATE TABLE day (id bigserial, at date, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
        CREATE TABLE day1 PARTITION OF day FOR VALUES FROM ('2020-01-01') TO ('2020-02-01');
        CREATE TABLE day2 PARTITION OF day FOR VALUES FROM ('2020-02-01') TO ('2020-03-01');
        CREATE TABLE kind (kind text, x int) PARTITION BY LIST (kind);
        CREATE TABLE kind1 PARTITION OF kind FOR VALUES IN ('x', 'it''s');
        CREATE TABLE parted (id serial PRIMARY KEY) PARTITION BY HASH (id);
        CREATE TABLE parted1 PARTITION OF parted FOR VALUES WITH (MODULUS 2, REMAINDER 0);
        CREATE TABLE parted2 PARTITION OF parted FOR VALUES WITH (MODULUS 2, REMAINDER 1);
        CREATE TABLE rest (x int) PARTITION BY RANGE (x);
        CREATE TABLE rest1 PARTITION OF rest DEFAULT;
        CREATE TABLE child (x int NOT NULL REFERENCES parted)""",
        """(SELECT count(*) > 50 FROM day1) AND (SELECT count(*) > 50 FROM day2)
        AND (SELECT count(*) = 200 FROM kind) AND (SELECT count(*) = 200 FROM parted)
        AND (SELECT count(*) = 200 FROM rest) AND (SELECT count(*) = 200 FROM child)""",
    ),
    "checks of many kinds": Case(
        """CREATE TABLE a (
            id serial PRIMARY KEY, status varchar(10) NOT NULL CHECK (status IN ('new', 'paid')),
            share int NOT NULL CHECK (share BETWEEN 0 AND 100), debt numeric(6, 2) CHECK (debt < 0),
            low int NOT NULL, high int NOT NULL, CHECK (low < high), CHECK (high - low < 100),
            email text NOT NULL UNIQUE CHECK (email = lower(email) AND email LIKE '%_@_%'),
            code char(4) NOT NULL CHECK (code ~ '^[0-9]{4}$'),
            land varchar(2) CHECK (land ~ '^[A-Z]{2}$'),
            iban text NOT NULL CHECK (char_length(iban) = 22), slug text CHECK (slug ~ '^[a-z]+$'),
            x int, y int, CHECK (num_nonnulls(x, y) = 1), started timestamptz, CHECK (started < ended),
            ended timestamptz, zero smallint NOT NULL CHECK (zero >= 0),
            must int CHECK (must IS NOT NULL)
        )""",
        """(SELECT count(*) = 200 AND count(DISTINCT status) = 2 AND count(land) > 50
            AND count(x) > 20 AND count(y) > 20 FROM a)""",
    ),
    "ranges that must not meet": Case(
        """CREATE EXTENSION btree_gist; CREATE TABLE room (id serial PRIMARY KEY);
        CREATE TABLE booking (room_id int NOT NULL REFERENCES room, during tstzrange NOT NULL,
            start date NOT NULL, stop date NOT NULL,
            EXCLUDE USING gist (room_id WITH =, during WITH &&),
            EXCLUDE USING gist (daterange(start, stop) WITH &&))""",
        "(SELECT count(*) = 200 FROM booking)",
    ),
    "what the table makes by itself": Case(
        """CREATE TABLE a (id int GENERATED ALWAYS AS IDENTITY,
            x int GENERATED ALWAYS AS (3) STORED);
        CREATE TABLE b (); CREATE UNLOGGED TABLE c (x int NOT NULL DEFAULT 7 CHECK (x = 7));
        CREATE TABLE d (y int) INHERITS (c)""",
        "(SELECT count(x) = 200 FROM a) AND (SELECT count(*) = 200 FROM b)",
    ),
    "a constraint that can be deferred": Case(
        "CREATE TABLE a (place int NOT NULL UNIQUE DEFERRABLE INITIALLY DEFERRED, x int)",
        "(SELECT count(*) = 200 FROM a)",
    ),
}
LEFT_OUT = {
    "a circle of keys that cannot wait": (
        """CREATE TABLE a (id serial PRIMARY KEY);
        CREATE TABLE b (id serial PRIMARY KEY, a_id int NOT NULL REFERENCES a);
        ALTER TABLE a ADD b_id int NOT NULL REFERENCES b""",
        {
            "a": "its foreign key to b closes a cycle and can neither be NULL nor deferred",
            "b": "it must refer to a, which has no rows",
        },
    ),
    "a trigger that refuses, and what refers to that": (
        """CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql
            AS $$ BEGIN RAISE 'none of yours'; END $$;
        CREATE TABLE a (id serial PRIMARY KEY);
        CREATE TRIGGER refuse BEFORE INSERT ON a FOR EACH ROW EXECUTE FUNCTION refuse();
        CREATE TABLE b (a_id int NOT NULL REFERENCES a)""",
        {"a": "none of yours", "b": "it must refer to a, which has no rows"},
    ),
    "a condition that nothing satisfies": (
        "CREATE TABLE a (x text NOT NULL CHECK (md5(x) = 'none'))",
        {"a": "no generated row satisfies (md5(x) = 'none'::text)"},
    ),
    "no partition": (
        "CREATE TABLE a (x int) PARTITION BY RANGE (x)",
        {"a": 'no partition of relation "a" found for row'},
    ),
    "keys that break a rule only at the end": (
        """CREATE TABLE a (id serial PRIMARY KEY, flag boolean NOT NULL UNIQUE DEFERRABLE);
        CREATE TABLE b (id serial PRIMARY KEY, a_id int NOT NULL REFERENCES a)""",
        {
            "a": 'duplicate key value violates unique constraint "a_flag_key"',
            "b": "it must refer to a, which has no rows",
        },
    ),
}
NEXT_TO = "CREATE TABLE neighbour (x int)"


@pytest.fixture
def url(server: str) -> str:
    return PostgresServer(server).create_database("seeds")


def holds(url: str, query: str) -> bool:
    with connect(url) as connection:
        return connection.execute(f"SELECT {query}".encode()).fetchone() == (True,)


def seeded(url: str, schema: str, **values: str) -> FillResult:
    with connect(url) as connection:
        connection.execute(schema.encode())
    return fill_tables(
        url, None, ROWS, {name.replace("_", ".", 1): sql for name, sql in values.items()}
    )


@pytest.mark.parametrize("kind", FILLED)
def test_a_schema_is_filled(url: str, kind: str) -> None:
    assert seeded(url, FILLED[kind].schema).notes_as_sentences() == []
    assert holds(url, FILLED[kind].truths)


@pytest.mark.parametrize("kind", LEFT_OUT)
def test_a_table_that_takes_no_rows_is_left_out(url: str, kind: str) -> None:
    schema, causes = LEFT_OUT[kind]
    found = seeded(url, f"{schema}; {NEXT_TO}")
    assert found.skipped == causes
    assert found.filled == ["neighbour"]
    assert all("[migrations.values]" in line for line in found.notes_as_sentences())
    assert holds(url, "count(*) = 200 FROM neighbour")


def test_a_table_that_takes_few_rows_is_named(url: str) -> None:
    found = seeded(url, "CREATE TABLE a (flag boolean NOT NULL UNIQUE)")
    assert found.notes_as_sentences() == [
        "a gets 2 rows of 200: more rows would violate its constraints"
    ]


def test_a_table_and_those_that_it_refers_to_get_rows(url: str) -> None:
    schema = "CREATE TABLE z (id serial PRIMARY KEY); CREATE TABLE a (z int NOT NULL REFERENCES z)"
    seeded(url, f"{schema}; {NEXT_TO}")
    assert fill_tables(url, ["a"], ROWS, {}).filled == ["z", "a"]
    assert holds(url, "count(*) = 200 FROM neighbour")


@pytest.mark.parametrize("kind", ["circle", "check", "key"])
def test_a_team_says_how_a_column_has_it(url: str, kind: str) -> None:
    schema, values = {
        "circle": (
            "CREATE TABLE a (id int PRIMARY KEY, up int NOT NULL REFERENCES a)",
            {"a_id": "i", "a_up": "i"},
        ),
        "check": ("CREATE TABLE a (x int CHECK (x % 977 = 5))", {"a_x": "977 * i + 5"}),
        "key": ("CREATE TABLE a (id serial, x int REFERENCES b)", {"a_x": "NULL"}),
    }[kind]
    found = seeded(url, f"CREATE TABLE b (id int PRIMARY KEY); {schema}", **values)
    assert found.notes_as_sentences() == []
    assert holds(url, "count(*) = 200 FROM a")


@pytest.mark.parametrize("value", ["nonsense", "'abc'", "'abc'::text", "(1, 2)"])
def test_a_value_of_the_team_that_is_wrong_is_named(url: str, value: str) -> None:
    with pytest.raises(
        InputError, match=r"^\[migrations\.values\] a\.x is not a valid value: "
    ) as refused:
        seeded(url, "CREATE TABLE a (x int)", a_x=value)
    assert refused.value.hint == "correct a.x in pipeline.toml; `i` is the number of the row"
    assert holds(url, "count(*) = 0 FROM a")
