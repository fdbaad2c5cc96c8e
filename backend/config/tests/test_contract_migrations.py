"""What takes something away is known, so that no release is rolled back behind it."""

import json
from importlib import import_module
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

REASON = "v1.4.0: nobody asks for it any more"


def listed(*options: str) -> str:
    output = StringIO()
    call_command("contract_migrations", *options, stdout=output)
    return output.getvalue().strip()


@pytest.fixture
def _projects_are_marked(monkeypatch: pytest.MonkeyPatch) -> None:
    migration = import_module("apps.projects.migrations.0001_initial").Migration
    monkeypatch.setattr(migration, "contract", REASON, raising=False)


@pytest.mark.usefixtures("_projects_are_marked")
def test_those_that_are_marked_are_listed_without_a_database() -> None:
    assert json.loads(listed("--json")) == ["projects.0001_initial"]
    assert listed() == f"projects.0001_initial: {REASON}"


@pytest.mark.django_db
@pytest.mark.usefixtures("_projects_are_marked")
def test_those_that_are_not_applied_can_be_left_out() -> None:
    assert json.loads(listed("--json", "--applied")) == ["projects.0001_initial"]

    MigrationRecorder(connection).record_unapplied("projects", "0001_initial")
    assert json.loads(listed("--json", "--applied")) == []


def test_without_a_mark_there_is_none() -> None:
    assert json.loads(listed("--json")) == []
