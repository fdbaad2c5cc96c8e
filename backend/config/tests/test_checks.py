"""The system check for apps with models and without migrations."""

import sys
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from pytest_django import Settings


@pytest.mark.django_db
@pytest.mark.parametrize("module", [None, "no_init"], ids=["no folder", "no __init__.py"])
def test_models_without_migrations(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: str | None
) -> None:
    (tmp_path / "no_init").mkdir()
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path)])
    settings.MIGRATION_MODULES = {"projects": module}
    with pytest.raises(SystemCheckError, match="the app `projects` has models and no migrations"):
        call_command("makemigrations", check_changes=True, dry_run=True, skip_checks=False)


def test_app_without_models() -> None:
    call_command("check")
