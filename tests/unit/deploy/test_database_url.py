"""What the app takes for its database is what a dump takes for it; no message holds a password."""

from typing import Any

import pytest

from pipeline.deploy.database_url import MAX_LINE_BYTES, PARAMETERS, connection, pg_service_file
from pipeline.errors import InputError
from tests.unit.deploy.app import app_reads

BASE = {"host": "db", "dbname": "ledger", "user": "owner", "password": "sword"}
READ: dict[str, dict[str, str]] = {
    "postgres://owner:sword@db/ledger": BASE,
    "postgresql://owner:sword@db:6432/ledger": BASE | {"port": "6432"},
    "pgsql://owner:sword@db/ledger": BASE,
    "POSTGRES://owner:sword@DB/ledger": BASE,
    "postgres://owner:sword@db/ledger\n": BASE,
    "postgres://db/ledger": {"host": "db", "dbname": "ledger"},
    "postgres:///ledger": {"dbname": "ledger"},
    "postgres://owner:sw%2F%3F%23%40%5Bord@db/ledger": BASE | {"password": "sw/?#@[ord"},
    "postgres://owner:a@b:c@db/ledger": BASE | {"password": "a@b:c"},
    "postgres://owner:a+b%20c%@db/ledger": BASE | {"password": "a+b c%"},
    "postgres://cl%40erk:sword@db/led%2Fger": BASE | {"user": "cl@erk", "dbname": "led/ger"},
    "postgres://owner:sword@[::1]:5432/ledger": BASE | {"host": "::1", "port": "5432"},
    "postgres://owner:sword@db1,db2/ledger": BASE | {"host": "db1,db2"},
    "postgres://owner:sword@%2Frun%2Fpg/ledger": BASE | {"host": "/run/pg"},
    "postgres://owner:sword@/ledger?host=/run/Pg": BASE | {"host": "/run/Pg"},
    "postgres://db/ledger?user=owner": {"host": "db", "dbname": "ledger", "user": "owner"},
    "postgres://owner:sword@db/ledger?currentSchema=shop": BASE
    | {"options": "-c search_path=shop"},
    "postgres://owner:sword@db/ledger?options=-c%20role%3Dshop": BASE | {"options": "-c role=shop"},
    "postgres://owner:sword@db/ledger?sslmode=require&application_name=007": BASE
    | {"sslmode": "require", "application_name": "007"},
    "postgres://owner:sword@db/ledger?keepalives_idle=9&sslmode=": BASE | {"keepalives_idle": "9"},
    f"postgres://owner:{'p' * 1500}@db/ledger": BASE | {"password": "p" * 1500},
}
CUT, MISSING_PATH = (
    r"its user or password contains an unescaped /, \? or #",
    "it has no host, or no port",
)
REFUSED = {
    "postgres://owner:pa#word@db:5432/ledger": CUT,
    "postgres://owner:pa/word@db:5432/ledger": CUT,
    "postgres://owner:pa?word@db:5432/ledger": CUT,
    "postgres://owner:12#word@db:5432/ledger": CUT,
    "postgres://owner:12/word@db:5432/ledger": CUT,
    "postgres://owner:12?word=1@db:5432/ledger": CUT,
    "postgres://owner:pa[word@db/ledger": MISSING_PATH,
    "postgres://owner:pa℀word@db/ledger": MISSING_PATH,
    "postgres://owner:word@db1:1,db2:2/ledger": MISSING_PATH,
    "postgres://owner:word@db:99999/ledger": MISSING_PATH,
    "postgres://owner:word@db:0/ledger": MISSING_PATH,
    "postgres://owner:word@db": "it names no database",
    "postgres://owner:word@db/": "it names no database",
    "postgres://owner:word@db/led/ger": "it names no database",
    "postgres://owner@db/ledger?pool=true": "`pool` is not an allowed parameter",
    "postgres://owner@db/ledger?conn_max_age=5": "`conn_max_age` is not an allowed parameter",
    "postgres://owner@db/ledger?ssl=true&dbname=o": "`dbname` is not an .*; `ssl` is not an al",
    "postgres://owner@db/ledger?password=s&word=1": "read: `password` is not an [^;]*$",
    "postgres://owner@db/ledger?host=other": "`host` is set twice",
    "postgres://owner@db:1/ledger?port=2&user=x": "`port` is set twice; `user` is set twice",
    "postgres://owner@db/ledger?sslmode=a&sslmode=b": "`sslmode` is set twice",
    "postgres://owner@db/ledger?options=a&currentSchema=b": "`options` is set twice",
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
    url = "postgres://owner:sword%2Ffish@db.example.com:6432/ledger?sslmode=require"
    assert pg_service_file(url).splitlines() == [
        "[app]",
        "host=db.example.com",
        "port=6432",
        "dbname=ledger",
        "user=owner",
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
        ("postgres://owner:a%0Ahost=evil@db/ledger", "its password contains a line break"),
        ("postgres://owner:sword%20@db/ledger", "its password ends in a space"),
        (f"postgres://owner:{'sword' * 300}@db/ledger", "its password is longer than 1021 bytes"),
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
    assert f"\npassword={longest}\n" in pg_service_file(f"postgres://owner:{longest}@db/ledger")
    with pytest.raises(InputError, match="longer"):
        pg_service_file(f"postgres://owner:{longest}p@db/ledger")
