"""The self-check of an image, which runs before its deployment."""

import io
import re

import pytest
from django.core.management import CommandError, call_command
from django.core.management.base import SystemCheckError
from django.db import connection
from django.db.migrations import DeleteModel, Migration
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.recorder import MigrationRecorder
from pytest_django import Settings

from apps.accounts.models import User
from apps.accounts.tests.browser import PASSWORD
from config.management.commands.migrate_safely import LOCK
from config.pending import SIGNALS
from config.tests.conftest import BACKEND, SECURE, Manage
from config.tests.waiting import wait_until

EMAIL = "smoke@example.com"


def run_self_check() -> str:
    out = io.StringIO()
    call_command("self_check", stdout=out)
    return out.getvalue()


@pytest.mark.django_db
@pytest.mark.usefixtures("_secure")
def test_self_check() -> None:
    assert (
        run_self_check() == "nothing is to be applied\nfor migrate: the user of SMOKE_USER_EMAIL\n"
    )


@pytest.fixture
def _smoke_user(monkeypatch: pytest.MonkeyPatch) -> None:
    """The user of the smoke test is there, and has its password."""
    monkeypatch.setenv("SMOKE_USER_EMAIL", EMAIL)
    monkeypatch.setenv("SMOKE_USER_PASSWORD", PASSWORD)
    call_command("ensure_user", stdout=io.StringIO())


@pytest.mark.django_db
@pytest.mark.usefixtures("_secure", "_smoke_user")
def test_where_the_user_of_the_smoke_test_is_there_migrate_has_nothing_to_do() -> None:
    assert run_self_check() == "nothing is to be applied\nmigrate has nothing to do\n"


@pytest.mark.django_db
@pytest.mark.usefixtures("_secure", "_smoke_user")
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("is_active", False),
        ("email_verified", False),
        ("is_staff", True),
        ("is_superuser", True),
        ("password", "!"),
        ("email", "another@example.com"),
    ],
)
def test_a_smoke_user_that_is_not_as_it_should_be_is_left_to_migrate(
    name: str,
    value: bool | str,  # noqa: FBT001 - the case
) -> None:
    User.objects.update(**{name: value})
    assert (
        run_self_check() == "nothing is to be applied\nfor migrate: the user of SMOKE_USER_EMAIL\n"
    )


@pytest.mark.django_db
@pytest.mark.usefixtures("_secure", "_smoke_user")
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SMOKE_USER_PASSWORD", "another battery 7"),
        ("SMOKE_USER_PASSWORD", "password"),
        ("SMOKE_USER_PASSWORD", ""),
        ("SMOKE_USER_EMAIL", ""),
    ],
)
def test_other_words_for_the_smoke_user_are_left_to_migrate(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    before = [*User.objects.values()]
    assert (
        run_self_check() == "nothing is to be applied\nfor migrate: the user of SMOKE_USER_EMAIL\n"
    )
    assert [*User.objects.values()] == before


@pytest.mark.django_db
@pytest.mark.usefixtures("_secure", "_smoke_user")
@pytest.mark.parametrize("name", ["pre_migrate", "post_migrate"])
def test_what_follows_every_run_of_migrate_is_left_to_it(name: str) -> None:
    def brings_groups(**_: object) -> None:
        """Do what no migration does."""

    signal = SIGNALS[name]
    signal.connect(brings_groups)
    try:
        line = run_self_check().splitlines()[1]
    finally:
        signal.disconnect(brings_groups)
    assert re.fullmatch(rf"for migrate: config\.tests\..*brings_groups, by {name}", line)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("_secure", "_smoke_user")
def test_a_migration_that_is_running_is_left_to_migrate_which_refuses() -> None:
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [LOCK])
        assert run_self_check().splitlines()[1:] == ["for migrate: another migration is running"]
    finally:
        other.close()
    wait_until(
        lambda: run_self_check().splitlines()[1:] == ["migrate has nothing to do"], "its lock stays"
    )


@pytest.mark.django_db
@pytest.mark.usefixtures("_secure")
def test_self_check_breaking_changes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    written = type("Migration", (Migration,), {"operations": [DeleteModel("Project")]})
    removal = written("0099_delete", "projects")
    monkeypatch.setattr(MigrationExecutor, "migration_plan", lambda *_: [(removal, False)])
    assert (
        run_self_check()
        == 'to be applied: projects.0099_delete\ntaken away: ["projects.project"]\n'
    )


@pytest.mark.django_db
@pytest.mark.usefixtures("_secure")
@pytest.mark.parametrize("name", sorted(set(SECURE) - {"SECURE_HSTS_PRELOAD"}))
def test_self_check_insecure_setting(settings: Settings, name: str) -> None:
    setattr(settings, name, "django-insecure-" if name == "SECRET_KEY" else 0)
    with pytest.raises(SystemCheckError, match=name.removeprefix("SECURE_")):
        run_self_check()


@pytest.mark.usefixtures("production")
def test_self_check_exit_code(monkeypatch: pytest.MonkeyPatch, manage: Manage) -> None:
    (BACKEND / "staticfiles").mkdir(exist_ok=True)
    monkeypatch.setenv("ENVIRONMENT", "local")
    refused = manage("self_check", settings="local")

    assert refused.returncode == 1
    assert "security.W004" in refused.stderr


@pytest.mark.usefixtures("production")
def test_self_check_unreachable_stores(monkeypatch: pytest.MonkeyPatch, manage: Manage) -> None:
    (BACKEND / "staticfiles").mkdir(exist_ok=True)
    monkeypatch.setenv("DATABASE_URL", "postgres://owner:swordfish@127.0.0.1:1/ledger")
    monkeypatch.setenv("REDIS_URL", "redis://:swordfish@127.0.0.1:1/0")
    refused = manage("self_check", settings="production")

    assert refused.returncode == 1
    assert "CommandError: checks failed: database, cache" in refused.stderr
    assert "hint: the log above holds the reasons" in refused.stderr
    assert "swordfish" not in refused.stdout + refused.stderr


@pytest.mark.django_db
@pytest.mark.usefixtures("_secure")
def test_self_check_cache_without_storage(settings: Settings) -> None:
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}
    with pytest.raises(CommandError, match="checks failed: cache"):
        run_self_check()


@pytest.mark.django_db
@pytest.mark.usefixtures("_secure")
def test_self_check_pending_migrations() -> None:
    recorder = MigrationRecorder(connection)
    recorder.record_unapplied("projects", "0001_initial")
    tables = connection.introspection.table_names()
    assert run_self_check() == "to be applied: projects.0001_initial\n"
    assert run_self_check() == "to be applied: projects.0001_initial\n"
    assert ("projects", "0001_initial") not in recorder.applied_migrations()
    assert connection.introspection.table_names() == tables
