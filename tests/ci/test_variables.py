"""Which variables reach a session, and which of them are in the key of its result."""

import pytest

from pipeline.ci import variables
from pipeline.config import load


def test_what_stands_in_for_a_base_image_reaches_a_session_and_is_judged(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("POSTGRES_IMAGE", "mirror.example.com/postgres:18")
    ci = load()["ci"]

    assert variables.passed(ci)["POSTGRES_IMAGE"] == "mirror.example.com/postgres:18"
    assert "POSTGRES_IMAGE" in variables.judged(ci)


def test_who_signs_and_where_images_go_reaches_a_session_and_is_written_nowhere(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told = {"COSIGN_KEY": "a.key", "COSIGN_PASSWORD": "secret", "IMAGES_REGISTRY": "127.0.0.1:5/x"}
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    ci = load()["ci"]

    assert told.items() <= variables.passed(ci).items()
    assert told.keys().isdisjoint(variables.judged(ci))


def test_what_nobody_declared_does_not_reach_a_session(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_PASSWORD", "secret")

    assert "DATABASE_PASSWORD" not in variables.passed(load()["ci"])
