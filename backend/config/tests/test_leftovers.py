"""What a migration left behind is named, with the statement that ends it."""

import pytest
from django.core.management import CommandError, call_command

from config import leftovers
from config.management.commands.migrate_safely import doing, require_no_leftovers

INDEX = "the index twin of twins is invalid: DROP INDEX CONCURRENTLY twin"


@pytest.fixture
def _twin_is_invalid(monkeypatch: pytest.MonkeyPatch) -> None:
    """PostgreSQL tells of one; what it tells of a real one is in test_migrate_safely.py."""
    rows = {leftovers.INVALID: [("twin", "twins")], leftovers.NOT_VALIDATED: [("twins", '"Few"')]}
    monkeypatch.setattr(leftovers, "_rows", rows.__getitem__)


@pytest.mark.usefixtures("_twin_is_invalid")
def test_each_is_named_with_the_statement_that_ends_it() -> None:
    assert leftovers.invalid_indexes() == [INDEX]
    assert leftovers.unvalidated_constraints() == [
        '"Few" of twins is not validated: ALTER TABLE twins VALIDATE CONSTRAINT "Few"'
    ]


@pytest.mark.usefixtures("_twin_is_invalid")
def test_nothing_is_migrated_beside_an_index_that_is_not_used() -> None:
    with pytest.raises(CommandError, match=rf"^{INDEX}\nhint: run these statements"):
        require_no_leftovers()


@pytest.mark.django_db
@pytest.mark.usefixtures("_twin_is_invalid", "_secure")
def test_an_image_is_not_usable_beside_an_index_that_is_not_used() -> None:
    with pytest.raises(CommandError, match=rf"^{INDEX}\nhint: run these statements"):
        call_command("self_check")


@pytest.mark.parametrize(
    ("holder", "said"),
    [
        (None, ""),
        ((7, "CREATE  INDEX\n x", ""), ": for 7 s, CREATE INDEX x"),
        ((64, "UPDATE x", "41, 42"), ": for 64 s, UPDATE x, blocked by process 41, 42"),
    ],
)
def test_what_another_migration_does_is_said(
    holder: tuple[int, str, str] | None, said: str
) -> None:
    assert doing(holder) == said
