import psycopg
import pytest

from config.addresses import PATIENCE, database_settings, known

URL = "postgres://clerk:swordfish@db.example.com/ledger"


def options(query: str) -> dict[str, object]:
    """Return what a URL says of the connection besides the times that all have."""
    found = database_settings(URL + query)["OPTIONS"]
    return {name: found[name] for name in found if found[name] != PATIENCE.get(name)}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", {}),
        (
            "?sslmode=require&application_name=007",
            {"sslmode": "require", "application_name": "007"},
        ),
        ("?currentSchema=shop", {"options": "-c search_path=shop"}),
        ("?keepalives_idle=9", {"keepalives_idle": "9"}),
    ],
)
def test_what_stands_behind_the_question_mark_reaches_libpq_as_it_is(
    query: str, expected: dict[str, str]
) -> None:
    assert options(query) == expected


def test_libpq_takes_every_parameter_that_a_url_may_have() -> None:
    for name in known():
        psycopg.conninfo.make_conninfo(**{name: "1"})


@pytest.mark.parametrize(
    "url",
    [
        f"{URL}?conn_max_age=5",
        f"{URL}?dbname=other",
        f"{URL}?host=other",
        f"{URL}?sslmode=require&sslmode=disable",
        f"{URL}?options=-c&currentSchema=shop",
        "postgres://clerk:swordfish@db.example.com/a/b",
        "postgres://clerk:swordfish@db.example.com:0/ledger",
        "postgres://clerk:12#swordfish@db.example.com/ledger",
        "oracle://clerk:swordfish@db.example.com/ledger",
    ],
)
def test_an_address_that_could_mean_two_things_is_refused(url: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # the environment says what is expected
        database_settings(url)
