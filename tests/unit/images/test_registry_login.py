"""The registry's token reaches it, and no list of processes."""

from pathlib import Path

import pytest

from pipeline.errors import InputError
from pipeline.images.registry_login import login
from tests.unit.images.conftest import Calls, CopyProject


@pytest.fixture(autouse=True)
def token(put: CopyProject, monkeypatch: pytest.MonkeyPatch) -> None:
    put("docker")
    monkeypatch.setenv("IMAGES_REGISTRY", "registry.example.com/shop")
    monkeypatch.setenv("GITHUB_ACTOR", "ada")
    monkeypatch.setenv("REGISTRY_TOKEN", "ghs_secret")


def test_the_token_is_read_from_standard_input(calls: Calls, tmp_path: Path) -> None:
    login()
    assert calls() == ["docker login --username=ada --password-stdin registry.example.com"]
    assert (tmp_path / "password").read_text() == "ghs_secret"


def test_without_a_token_nobody_signs_in(calls: Calls, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REGISTRY_TOKEN")
    login()
    assert calls() == []


def test_a_token_that_is_refused_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_ACTOR", "mallory")
    refusal = r"registry\.example\.com refuses the token of mallory"
    with pytest.raises(InputError, match=refusal) as caught:
        login()
    assert "ghs_secret" not in f"{caught.value}{caught.value.hint}"
