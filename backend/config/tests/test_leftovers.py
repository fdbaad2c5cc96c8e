"""Leftovers of failed migrations are listed, with the statements that remove them."""

import pytest
from django.core.management import CommandError, call_command

from config import leftovers
from config.management.commands.migrate_safely import describe, require_no_leftovers

INDEX = "the index twin of twins is invalid: DROP INDEX CONCURRENTLY twin"


@pytest.fixture
def _invalid_index(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fake the rows of PostgreSQL. test_migrate_safely.py tests a real invalid index."""
    rows = {leftovers.INVALID: [("twin", "twins")], leftovers.NOT_VALIDATED: [("twins", '"Few"')]}
    monkeypatch.setattr(leftovers, "_rows", rows.__getitem__)


@pytest.mark.usefixtures("_invalid_index")
def test_leftovers_are_listed() -> None:
    assert leftovers.invalid_indexes() == [INDEX]
    assert leftovers.unvalidated_constraints() == [
        '"Few" of twins is not validated: ALTER TABLE twins VALIDATE CONSTRAINT "Few"'
    ]


@pytest.mark.usefixtures("_invalid_index")
def test_require_no_leftovers() -> None:
    with pytest.raises(CommandError, match=rf"^{INDEX}\nhint: run these statements"):
        require_no_leftovers()


@pytest.mark.django_db
@pytest.mark.usefixtures("_invalid_index", "_secure")
def test_self_check_invalid_index() -> None:
    with pytest.raises(CommandError, match=rf"^{INDEX}\nhint: run these statements"):
        call_command("self_check")


@pytest.mark.parametrize(
    ("holder", "expected"),
    [
        (None, ""),
        ((7, "CREATE  INDEX\n x", ""), ": for 7 s, CREATE INDEX x"),
        ((64, "UPDATE x", "41, 42"), ": for 64 s, UPDATE x, blocked by process 41, 42"),
    ],
)
def test_describe_lock_holder(holder: tuple[int, str, str] | None, expected: str) -> None:
    assert describe(holder) == expected
