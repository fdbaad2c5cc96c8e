"""Contract migrations are listed, so that no rollback goes past them."""

import json
from importlib import import_module
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

REASON = "v1.4.0: unused since v1.3.0"


def listed(*options: str) -> str:
    output = StringIO()
    call_command("contract_migrations", *options, stdout=output)
    return output.getvalue().strip()


@pytest.fixture
def _contract_migration(monkeypatch: pytest.MonkeyPatch) -> None:
    migration = import_module("apps.projects.migrations.0001_initial").Migration
    monkeypatch.setattr(migration, "contract", REASON, raising=False)


@pytest.mark.usefixtures("_contract_migration")
def test_list_without_database() -> None:
    assert json.loads(listed("--json")) == ["projects.0001_initial"]
    assert listed() == f"projects.0001_initial: {REASON}"


@pytest.mark.django_db
@pytest.mark.usefixtures("_contract_migration")
def test_list_applied() -> None:
    assert json.loads(listed("--json", "--applied")) == ["projects.0001_initial"]

    MigrationRecorder(connection).record_unapplied("projects", "0001_initial")
    assert json.loads(listed("--json", "--applied")) == []


def test_list_empty() -> None:
    assert json.loads(listed("--json")) == []
