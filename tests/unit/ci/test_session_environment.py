"""Which variables reach a session, and which of them are in the key of its result."""

import pytest

from pipeline.ci.cache import session_environment
from pipeline.config import load


def test_what_stands_in_for_a_base_image_reaches_a_session_and_is_judged(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("POSTGRES_IMAGE", "mirror.example.com/postgres:18")
    declared = load().ci.variables

    assert (
        session_environment.session_environment(declared)["POSTGRES_IMAGE"]
        == "mirror.example.com/postgres:18"
    )
    assert "POSTGRES_IMAGE" in session_environment.fingerprint_variables(declared)


def test_who_signs_and_where_images_go_reaches_a_session_and_is_written_nowhere(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told = {"COSIGN_KEY": "a.key", "COSIGN_PASSWORD": "secret", "IMAGES_REGISTRY": "127.0.0.1:5/x"}
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    declared = load().ci.variables

    assert told.items() <= session_environment.session_environment(declared).items()
    assert told.keys().isdisjoint(session_environment.fingerprint_variables(declared))


def test_what_nobody_declared_does_not_reach_a_session(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_PASSWORD", "secret")

    assert "DATABASE_PASSWORD" not in session_environment.session_environment(load().ci.variables)


MIRROR = [
    "HTTPS_PROXY",
    "NODE_EXTRA_CA_CERTS",
    "NPM_CONFIG_REGISTRY",
    "NPM_TOKEN",
    "PIP_CACHE_DIR",
    "PIP_CERT",
    "PIP_EXTRA_INDEX_URL",
    "REQUESTS_CA_BUNDLE",
    "TRIVY_DB_REPOSITORY",
    "UV_CACHE_DIR",
    "UV_DEFAULT_INDEX",
    "UV_INDEX_ACME_PASSWORD",
    "UV_INDEX_URL",
    "UV_SYSTEM_CERTS",
    "npm_config_//npm.example.com/:_authToken",
    "npm_config_@acme:registry",
    "npm_config_cache",
    "npm_config_https_proxy",
]
OTHERWISE = [
    "COVERAGE_RCFILE",
    "MYPYPATH",
    "NODE_ENV",
    "NODE_OPTIONS",
    "NPM_CONFIG_OMIT",
    "PIP_NO_BINARY",
    "PYTEST_ADDOPTS",
    "PYTHONOPTIMIZE",
    "RUFF_CONFIG",
    "SKIP",
    "TRIVY_IGNORE_UNFIXED",
    "UV_CONFIG_FILE",
    "UV_EXCLUDE_NEWER",
    "UV_SYSTEM_PYTHON",
    "npm_config_ignore_scripts",
]


def test_where_packages_come_from_reaches_a_session_and_is_not_judged(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in (*MIRROR, *OTHERWISE):
        monkeypatch.setenv(name, "x")
    ci = load().ci.variables

    assert session_environment.session_environment(ci).keys() >= {*MIRROR}
    assert session_environment.session_environment(ci).keys().isdisjoint(OTHERWISE)
    assert session_environment.fingerprint_variables(ci).keys().isdisjoint(MIRROR)
