"""Secrets come from variables or from a file of their own, and no message ever holds one."""

import subprocess
from pathlib import Path

import pytest

from pipeline.deploy.environment_secrets import load_secrets, secret_object_name
from pipeline.errors import InputError
from tests.conftest import ROOT
from tests.unit.deploy.factories import make_environment

STAGING = make_environment()
GIVEN = {name: f"swordfish-{name}" for name in STAGING.secrets}


@pytest.fixture(autouse=True)
def _folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def write(text: str, mode: int = 0o600) -> None:
    path = Path(".env.staging")
    path.write_text(text)
    path.chmod(mode)


def test_they_are_taken_from_the_variables_and_nothing_else_is() -> None:
    assert load_secrets(STAGING, {**GIVEN, "PATH": "/bin", "AWS_KEY": "swordfish"}) == GIVEN


def test_an_environment_can_go_without_its_optional_ones() -> None:
    metered = make_environment(optional_secrets=["METRICS_TOKEN", "SENTRY_TOKEN"])
    assert load_secrets(metered, {**GIVEN, "SENTRY_TOKEN": ""}) == GIVEN
    given = {**GIVEN, "METRICS_TOKEN": "swordfish"}
    assert load_secrets(metered, given) == given


def test_they_are_taken_from_the_file_and_a_variable_goes_before_it() -> None:
    write("".join(f"{name}={value}\n" for name, value in GIVEN.items()) + "OTHER=1\n")
    found = load_secrets(STAGING, {"TLS_KEY": "another", "DATABASE_URL": ""})
    assert found == {**GIVEN, "TLS_KEY": "another"}


def test_a_file_is_read_as_a_shell_would_write_it() -> None:
    write(
        "# staging\n\n  \nexport PREVIEW_TOKEN='a=b # c'\nSMOKE_USER_EMAIL=no\n"
        'SMOKE_USER_PASSWORD="it\'s"\nDATABASE_URL=postgres://u:p@db/x?a=1 \nTLS_CERTIFICATE=c\n'
        'TLS_KEY="-----BEGIN-----\\nMIIE\\n-----END-----\\n"\n'
    )
    assert load_secrets(STAGING, {}) == {
        "PREVIEW_TOKEN": "a=b # c",
        "SMOKE_USER_EMAIL": "no",
        "SMOKE_USER_PASSWORD": "it's",
        "TLS_CERTIFICATE": "c",
        "TLS_KEY": "-----BEGIN-----\nMIIE\n-----END-----\n",
        "DATABASE_URL": "postgres://u:p@db/x?a=1",
    }


def test_a_certificate_and_its_key_have_the_line_ends_that_the_edge_reads() -> None:
    write("TLS_KEY=-----BEGIN EC PRIVATE KEY-----\\nMIIE\\n-----END EC PRIVATE KEY-----\n")
    chain = "-----BEGIN CERTIFICATE-----\r\nMIIC\r\n-----END CERTIFICATE-----\r\n" * 2
    found = load_secrets(STAGING, GIVEN | {"TLS_KEY": "", "TLS_CERTIFICATE": chain})
    assert (
        found["TLS_KEY"] == "-----BEGIN EC PRIVATE KEY-----\nMIIE\n-----END EC PRIVATE KEY-----\n"
    )
    assert found["TLS_CERTIFICATE"] == chain.replace("\r", "")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o601])
def test_a_file_that_others_may_read_is_refused(mode: int) -> None:
    write("TLS_KEY=swordfish\n", mode)
    with pytest.raises(InputError, match=r"^\.env\.staging is readable by other users$") as caught:
        load_secrets(STAGING, GIVEN)
    assert caught.value.hint == "chmod 600 .env.staging"


def test_all_that_are_missing_or_empty_are_named_at_once_and_no_value_is_told() -> None:
    write("PREVIEW_TOKEN=\nTLS_KEY=swordfish\n")
    with pytest.raises(InputError) as caught:
        load_secrets(STAGING, {"SMOKE_USER_EMAIL": "", "DATABASE_URL": "swordfish"})
    assert str(caught.value) == (
        "secrets of staging are not set: "
        "PREVIEW_TOKEN, SMOKE_USER_EMAIL, SMOKE_USER_PASSWORD, TLS_CERTIFICATE"
    )
    assert caught.value.hint == "set them as variables, or write them to .env.staging (chmod 600)"


def test_lines_that_say_nothing_are_told_by_their_numbers_alone() -> None:
    write("TLS_KEY=1\nsword fish\nlower=1\n# fine\nswordfish\n")
    with pytest.raises(InputError) as caught:
        load_secrets(STAGING, GIVEN)
    assert str(caught.value).splitlines() == [
        f".env.staging:{line}: no NAME=value with a name in capital letters" for line in (2, 3, 5)
    ]


def test_another_value_is_another_object_and_its_name_does_not_tell_it() -> None:
    name = secret_object_name("shop", "TLS_KEY", "swordfish")
    assert name == secret_object_name("shop", "TLS_KEY", "swordfish")
    assert name.startswith("shop-tls_key-")
    assert "swordfish" not in name
    others = [("shop", "TLS_KEY", "swordfish2"), ("shop", "TLS_KEYS", "wordfish"),
              ("other", "TLS_KEY", "swordfish")]  # fmt: skip
    assert len({name, *(secret_object_name(*other) for other in others)}) == 4


def test_git_does_not_take_the_file_and_goes_on_taking_the_examples() -> None:
    files = [".env.staging", ".env.local", "backend/.env.example", "frontend/.env.e2e.example"]
    command = ["git", "check-ignore", "--no-index", *files]
    ignored = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout
    assert ignored.split() == files[:2]
