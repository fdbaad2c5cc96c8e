"""The variables that are passed to a session, and those that are part of the cache key."""

import pytest

from pipeline.ci.cache import session_environment
from pipeline.config import load


def test_base_image_variable_is_in_the_key(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("POSTGRES_IMAGE", "mirror.example.com/postgres:18")
    declared = load().ci.variables

    assert (
        session_environment.session_environment(declared)["POSTGRES_IMAGE"]
        == "mirror.example.com/postgres:18"
    )
    assert "POSTGRES_IMAGE" in session_environment.fingerprint_variables(declared)


def test_signing_variables_are_not_in_the_key(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    variables = {
        "COSIGN_KEY": "a.key",
        "COSIGN_PASSWORD": "secret",
        "IMAGES_REGISTRY": "127.0.0.1:5/x",
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    declared = load().ci.variables

    assert variables.items() <= session_environment.session_environment(declared).items()
    assert variables.keys().isdisjoint(session_environment.fingerprint_variables(declared))


def test_undeclared_variable_is_not_passed(monkeypatch: pytest.MonkeyPatch) -> None:
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
DROPPED = [
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


def test_mirror_variables_are_not_in_the_key(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in (*MIRROR, *DROPPED):
        monkeypatch.setenv(name, "x")
    ci = load().ci.variables

    assert session_environment.session_environment(ci).keys() >= {*MIRROR}
    assert session_environment.session_environment(ci).keys().isdisjoint(DROPPED)
    assert session_environment.fingerprint_variables(ci).keys().isdisjoint(MIRROR)
