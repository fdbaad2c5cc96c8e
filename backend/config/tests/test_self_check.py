"""An image tells whether it can run where it is, before anything of it is to be seen."""

import io

import pytest
from django.core.management import CommandError, call_command
from django.core.management.base import SystemCheckError
from django.db import connection
from django.db.migrations import DeleteModel, Migration
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.recorder import MigrationRecorder
from pytest_django import Settings

from config.tests.conftest import BACKEND, SECURE, Manage


def said() -> str:
    out = io.StringIO()
    call_command("self_check", stdout=out)
    return out.getvalue()


@pytest.mark.django_db
@pytest.mark.usefixtures("_secure")
def test_where_all_is_well_it_says_that_nothing_is_to_be_done() -> None:
    assert said() == "nothing is to be applied\n"


@pytest.mark.django_db
@pytest.mark.usefixtures("_secure")
def test_what_the_migrations_take_away_is_told_to_whoever_deploys(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    written = type("Migration", (Migration,), {"operations": [DeleteModel("Project")]})
    takes = written("0099_takes", "projects")
    monkeypatch.setattr(MigrationExecutor, "migration_plan", lambda *_: [(takes, False)])
    assert said() == 'to be applied: projects.0099_takes\ntaken away: ["projects.project"]\n'


@pytest.mark.django_db
@pytest.mark.usefixtures("_secure")
@pytest.mark.parametrize("name", sorted(set(SECURE) - {"SECURE_HSTS_PRELOAD"}))
def test_a_setting_that_is_insecure_is_refused_though_django_only_warns(
    settings: Settings, name: str
) -> None:
    setattr(settings, name, "django-insecure-" if name == "SECRET_KEY" else 0)
    with pytest.raises(SystemCheckError, match=name.removeprefix("SECURE_")):
        said()


@pytest.mark.usefixtures("production")
def test_as_a_process_of_its_own_it_ends_with_1_for_insecure_settings(
    monkeypatch: pytest.MonkeyPatch, manage: Manage
) -> None:
    (BACKEND / "staticfiles").mkdir(exist_ok=True)
    monkeypatch.setenv("ENVIRONMENT", "local")
    refused = manage("self_check", settings="local")

    assert refused.returncode == 1
    assert "security.W004" in refused.stderr


@pytest.mark.usefixtures("production")
def test_stores_that_cannot_be_reached_are_named_and_their_passwords_are_not(
    monkeypatch: pytest.MonkeyPatch, manage: Manage
) -> None:
    (BACKEND / "staticfiles").mkdir(exist_ok=True)
    monkeypatch.setenv("DATABASE_URL", "postgres://clerk:swordfish@127.0.0.1:1/ledger")
    monkeypatch.setenv("REDIS_URL", "redis://:swordfish@127.0.0.1:1/0")
    refused = manage("self_check", settings="production")

    assert refused.returncode == 1
    assert "CommandError: checks failed: database, cache" in refused.stderr
    assert "hint: the log above holds the reasons" in refused.stderr
    assert "swordfish" not in refused.stdout + refused.stderr


@pytest.mark.django_db
@pytest.mark.usefixtures("_secure")
def test_a_cache_that_forgets_is_none(settings: Settings) -> None:
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}
    with pytest.raises(CommandError, match="checks failed: cache"):
        said()


@pytest.mark.django_db
@pytest.mark.usefixtures("_secure")
def test_it_says_what_is_to_be_applied_and_applies_nothing() -> None:
    recorder = MigrationRecorder(connection)
    recorder.record_unapplied("projects", "0001_initial")
    tables = connection.introspection.table_names()
    assert said() == "to be applied: projects.0001_initial\n"
    assert said() == "to be applied: projects.0001_initial\n"
    assert ("projects", "0001_initial") not in recorder.applied_migrations()
    assert connection.introspection.table_names() == tables
