import psycopg
import pytest

from config.addresses import TIMEOUTS, database_settings, known_parameters

URL = "postgres://owner:swordfish@db.example.com/ledger"


def options(query: str) -> dict[str, object]:
    """Return the connection options of a URL, without the default timeouts."""
    found = database_settings(URL + query)["OPTIONS"]
    return {name: found[name] for name in found if found[name] != TIMEOUTS.get(name)}


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
def test_database_parameters(query: str, expected: dict[str, str]) -> None:
    assert options(query) == expected


def test_known_parameters() -> None:
    for name in known_parameters():
        psycopg.conninfo.make_conninfo(**{name: "1"})


@pytest.mark.parametrize(
    "url",
    [
        f"{URL}?conn_max_age=5",
        f"{URL}?dbname=other",
        f"{URL}?host=other",
        f"{URL}?sslmode=require&sslmode=disable",
        f"{URL}?options=-c&currentSchema=shop",
        "postgres://owner:swordfish@db.example.com/a/b",
        "postgres://owner:swordfish@db.example.com:0/ledger",
        "postgres://owner:12#swordfish@db.example.com/ledger",
        "oracle://owner:swordfish@db.example.com/ledger",
    ],
)
def test_ambiguous_database_url(url: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # the error has no message; the environment adds one
        database_settings(url)
