"""What the app takes for its database is what a dump takes for it; no message holds a password."""

from typing import Any

import pytest

from pipeline.deploy.database_url import MAX_LINE_BYTES, PARAMETERS, connection, pg_service_file
from pipeline.errors import InputError
from tests.unit.deploy.app import app_reads

BASE = {"host": "db", "dbname": "ledger", "user": "clerk", "password": "sword"}
READ: dict[str, dict[str, str]] = {
    "postgres://clerk:sword@db/ledger": BASE,
    "postgresql://clerk:sword@db:6432/ledger": BASE | {"port": "6432"},
    "pgsql://clerk:sword@db/ledger": BASE,
    "POSTGRES://clerk:sword@DB/ledger": BASE,
    "postgres://clerk:sword@db/ledger\n": BASE,
    "postgres://db/ledger": {"host": "db", "dbname": "ledger"},
    "postgres:///ledger": {"dbname": "ledger"},
    "postgres://clerk:sw%2F%3F%23%40%5Bord@db/ledger": BASE | {"password": "sw/?#@[ord"},
    "postgres://clerk:a@b:c@db/ledger": BASE | {"password": "a@b:c"},
    "postgres://clerk:a+b%20c%@db/ledger": BASE | {"password": "a+b c%"},
    "postgres://cl%40erk:sword@db/led%2Fger": BASE | {"user": "cl@erk", "dbname": "led/ger"},
    "postgres://clerk:sword@[::1]:5432/ledger": BASE | {"host": "::1", "port": "5432"},
    "postgres://clerk:sword@db1,db2/ledger": BASE | {"host": "db1,db2"},
    "postgres://clerk:sword@%2Frun%2Fpg/ledger": BASE | {"host": "/run/pg"},
    "postgres://clerk:sword@/ledger?host=/run/Pg": BASE | {"host": "/run/Pg"},
    "postgres://db/ledger?user=clerk": {"host": "db", "dbname": "ledger", "user": "clerk"},
    "postgres://clerk:sword@db/ledger?currentSchema=shop": BASE
    | {"options": "-c search_path=shop"},
    "postgres://clerk:sword@db/ledger?options=-c%20role%3Dshop": BASE | {"options": "-c role=shop"},
    "postgres://clerk:sword@db/ledger?sslmode=require&application_name=007": BASE
    | {"sslmode": "require", "application_name": "007"},
    "postgres://clerk:sword@db/ledger?keepalives_idle=9&sslmode=": BASE | {"keepalives_idle": "9"},
    f"postgres://clerk:{'p' * 1500}@db/ledger": BASE | {"password": "p" * 1500},
}
CUT, NOWHERE = (
    r"its user or password contains an unescaped /, \? or #",
    "it has no host, or no port",
)
REFUSED = {
    "postgres://clerk:pa#word@db:5432/ledger": CUT,
    "postgres://clerk:pa/word@db:5432/ledger": CUT,
    "postgres://clerk:pa?word@db:5432/ledger": CUT,
    "postgres://clerk:12#word@db:5432/ledger": CUT,
    "postgres://clerk:12/word@db:5432/ledger": CUT,
    "postgres://clerk:12?word=1@db:5432/ledger": CUT,
    "postgres://clerk:pa[word@db/ledger": NOWHERE,
    "postgres://clerk:pa℀word@db/ledger": NOWHERE,
    "postgres://clerk:word@db1:1,db2:2/ledger": NOWHERE,
    "postgres://clerk:word@db:99999/ledger": NOWHERE,
    "postgres://clerk:word@db:0/ledger": NOWHERE,
    "postgres://clerk:word@db": "it names no database",
    "postgres://clerk:word@db/": "it names no database",
    "postgres://clerk:word@db/led/ger": "it names no database",
    "postgres://clerk@db/ledger?pool=true": "`pool` is not an allowed parameter",
    "postgres://clerk@db/ledger?conn_max_age=5": "`conn_max_age` is not an allowed parameter",
    "postgres://clerk@db/ledger?ssl=true&dbname=o": "`dbname` is not an .*; `ssl` is not an al",
    "postgres://clerk@db/ledger?password=s&word=1": "read: `password` is not an [^;]*$",
    "postgres://clerk@db/ledger?host=other": "`host` is set twice",
    "postgres://clerk@db:1/ledger?port=2&user=x": "`port` is set twice; `user` is set twice",
    "postgres://clerk@db/ledger?sslmode=a&sslmode=b": "`sslmode` is set twice",
    "postgres://clerk@db/ledger?options=a&currentSchema=b": "`options` is set twice",
}


@pytest.fixture(scope="module")
def app() -> dict[str, Any]:
    """How the app reads each of these addresses."""
    return app_reads(databases=[*READ, *REFUSED])


@pytest.mark.parametrize("url", READ)
def test_the_app_and_a_dump_read_an_address_alike(app: dict[str, Any], url: str) -> None:
    assert connection(url) == READ[url]
    assert app["databases"][url] == READ[url]


@pytest.mark.parametrize("url", REFUSED)
def test_an_address_that_one_of_them_refuses_the_other_refuses(
    app: dict[str, Any], url: str
) -> None:
    assert app["databases"][url] is None
    with pytest.raises(InputError, match=f"^DATABASE_URL cannot be .*{REFUSED[url]}") as caught:
        connection(url)
    assert "word" not in str(caught.value).replace("password", "")


def test_both_know_the_parameters_of_the_same_libpq(app: dict[str, Any]) -> None:
    assert sorted(PARAMETERS) == app["known"]


def test_it_is_told_to_postgresql_in_a_file_of_its_own() -> None:
    url = "postgres://clerk:sword%2Ffish@db.example.com:6432/ledger?sslmode=require"
    assert pg_service_file(url).splitlines() == [
        "[app]",
        "host=db.example.com",
        "port=6432",
        "dbname=ledger",
        "user=clerk",
        "password=sword/fish",
        "sslmode=require",
    ]
    assert pg_service_file("postgresql://db/ledger") == "[app]\nhost=db\ndbname=ledger\n"


@pytest.mark.parametrize("url", ["sqlite:////data/db", "sqlite://:memory:", "swordfish", ""])
def test_another_database_is_refused_without_repeating_its_url(url: str) -> None:
    with pytest.raises(InputError, match=r"^DATABASE_URL is not a PostgreSQL URL") as caught:
        pg_service_file(url)
    assert "backup_before_migrate = false" in caught.value.hint


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        ("postgres://clerk:a%0Ahost=evil@db/ledger", "its password contains a line break"),
        ("postgres://clerk:sword%20@db/ledger", "its password ends in a space"),
        (f"postgres://clerk:{'sword' * 300}@db/ledger", "its password is longer than 1021 bytes"),
        ("postgres://db/ledger?sslrootcert=/ca.pem", "`sslrootcert` names a file"),
        ("postgres://db/ledger?sslkey=/k&sslcert=/c", "`sslkey` names.*; `sslcert` names"),
    ],
)
def test_what_no_such_file_can_hold_is_refused_by_name(url: str, fault: str) -> None:
    with pytest.raises(InputError, match=fault) as caught:
        pg_service_file(url)
    assert "sword" not in str(caught.value).replace("password", "")
    assert "backup_before_migrate = false" in caught.value.hint


def test_the_longest_line_is_one_that_is_read() -> None:
    longest = "p" * (MAX_LINE_BYTES - len("password="))
    assert f"\npassword={longest}\n" in pg_service_file(f"postgres://clerk:{longest}@db/ledger")
    with pytest.raises(InputError, match="longer"):
        pg_service_file(f"postgres://clerk:{longest}p@db/ledger")
