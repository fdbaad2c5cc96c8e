"""Secrets for an environment on this machine are made up, fit each other, and are not shown."""

import socket
import ssl
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from pipeline.deploy.commands.generate_secrets import generate_secrets
from pipeline.deploy.environment_secrets import load_secrets, parse_env_file
from pipeline.deploy.preflight.certificate import check_certificate
from pipeline.deploy.smoke.client import ssl_context
from pipeline.errors import InputError
from pipeline.process import capture
from tests.conftest import ROOT
from tests.unit.deploy.factories import make_environment

SECRETS = [*make_environment().secrets, "POSTGRES_PASSWORD", "REDIS_URL"]
HERE = make_environment(name="local", url="https://localhost:8443", required_secrets=SECRETS)
FILE = Path(".env.local")


@pytest.fixture(autouse=True)
def _folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("pipeline.toml").write_text((ROOT / "pipeline.toml").read_text())
    for name in HERE.secrets:
        monkeypatch.delenv(name, raising=False)


def test_a_deployment_has_all_that_it_needs_and_nobody_else_may_read_it() -> None:
    generate_secrets(HERE)
    assert set(load_secrets(HERE, {})) == set(HERE.secrets)
    assert stat.S_IMODE(FILE.stat().st_mode) == 0o600


def test_they_fit_each_other() -> None:
    generate_secrets(HERE)
    made = load_secrets(HERE, {})
    assert check_certificate(made["TLS_CERTIFICATE"], made["TLS_KEY"], HERE.url).startswith(
        "valid until"
    )
    assert f":{made['POSTGRES_PASSWORD']}@postgres:" in made["DATABASE_URL"]


@contextmanager
def served(certificate: Path, key: Path) -> Iterator[int]:
    """Serve with a certificate, and hand out the port."""
    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(
    ("host", "check"),
    [("localhost", "-verify_hostname"), ("127.0.0.1", "-verify_ip"), ("::1", "-verify_ip")],
)
def test_clients_that_trust_the_certificate_take_it_for_its_host(
    tmp_path: Path, host: str, check: str
) -> None:
    url = f"https://[{host}]" if ":" in host else f"https://{host}"
    generate_secrets(make_environment(name="local", url=url, required_secrets=SECRETS))
    made = parse_env_file(FILE)
    certificate, key = tmp_path / "tls.crt", tmp_path / "tls.key"
    certificate.write_text(made["TLS_CERTIFICATE"])
    key.write_text(made["TLS_KEY"])
    verified = capture(["openssl", "verify", "-CAfile", "tls.crt", check, host, "tls.crt"])
    assert verified.returncode == 0, verified.stderr
    client = ssl_context(made["TLS_CERTIFICATE"])
    with served(certificate, key) as port, socket.create_connection(("127.0.0.1", port)) as there:
        client.wrap_socket(there, server_hostname=host).close()
    assert check_certificate(made["TLS_CERTIFICATE"], made["TLS_KEY"], url).startswith(
        "valid until"
    )


def test_no_two_environments_have_the_same() -> None:
    generate_secrets(HERE)
    first = parse_env_file(FILE)
    FILE.unlink()
    generate_secrets(HERE)
    same = {name for name, value in parse_env_file(FILE).items() if value == first[name]}
    assert same == {"REDIS_URL", "SMOKE_USER_EMAIL"}


def test_names_are_printed_and_no_value_is(capsys: pytest.CaptureFixture[str]) -> None:
    generate_secrets(HERE)
    received = capsys.readouterr()
    assert received.out.split() == list(HERE.secrets)
    made = load_secrets(HERE, {})
    assert not [name for name in made if made[name] in received.out + received.err]


def test_what_is_set_already_stays_and_the_rest_fits_it(monkeypatch: pytest.MonkeyPatch) -> None:
    FILE.touch(0o600)
    FILE.write_text("POSTGRES_PASSWORD='chosen/by#me'")
    monkeypatch.setenv("PREVIEW_TOKEN", "of-the-shell")
    generate_secrets(HERE)
    assert "PREVIEW_TOKEN" not in parse_env_file(FILE)
    assert parse_env_file(FILE)["POSTGRES_PASSWORD"] == "chosen/by#me"
    assert ":chosen%2Fby%23me@" in parse_env_file(FILE)["DATABASE_URL"]


def test_a_database_s_password_is_the_one_that_its_address_has() -> None:
    FILE.touch(0o600)
    FILE.write_text("DATABASE_URL=postgres://postgres:chosen%2Fby%23me@postgres:5432/postgres")
    generate_secrets(HERE)
    assert parse_env_file(FILE)["POSTGRES_PASSWORD"] == "chosen/by#me"


def test_a_password_is_written_so_that_it_is_read_again() -> None:
    FILE.touch(0o600)
    FILE.write_text("DATABASE_URL=postgres://postgres:%22%24x%23y@postgres:5432/postgres\n")
    generate_secrets(HERE)
    assert parse_env_file(FILE)["POSTGRES_PASSWORD"] == '"$x#y'


def test_a_value_that_no_line_can_hold_is_refused_and_nothing_is_written() -> None:
    FILE.touch(0o600)
    before = "DATABASE_URL=postgres://postgres:it's%24@postgres:5432/postgres\n"
    FILE.write_text(before)
    with pytest.raises(InputError, match="no line can hold the value of POSTGRES_PASSWORD"):
        generate_secrets(HERE)
    assert FILE.read_text() == before


def test_another_server_s_password_is_not_given_to_our_own_database() -> None:
    FILE.touch(0o600)
    FILE.write_text("DATABASE_URL=postgres://shop:theirs@db.example.com:5432/shop")
    generate_secrets(HERE)
    assert parse_env_file(FILE)["POSTGRES_PASSWORD"] != "theirs"


def test_an_address_that_is_none_is_refused_and_not_shown() -> None:
    FILE.touch(0o600)
    FILE.write_text("DATABASE_URL=postgres://postgres:chosen[by-me@postgres:5432/postgres")
    with pytest.raises(InputError, match="DATABASE_URL cannot be read") as caught:
        generate_secrets(HERE)
    assert "chosen" not in f"{caught.value} {caught.value.hint}"


def test_a_second_time_changes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    generate_secrets(HERE)
    before = FILE.read_text()
    capsys.readouterr()
    generate_secrets(HERE)
    assert FILE.read_text() == before
    assert capsys.readouterr().out == ""


def test_dry_names_them_and_writes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    generate_secrets(HERE, dry_run=True)
    assert capsys.readouterr().out.split() == list(HERE.secrets)
    assert not FILE.exists()


def test_another_machine_s_are_not_made_up() -> None:
    with pytest.raises(InputError, match="secrets of staging: it is not on this machine") as caught:
        generate_secrets(make_environment())
    assert ".env.staging" in caught.value.hint


def test_what_only_its_owner_can_know_is_named_and_nothing_is_written() -> None:
    strange = make_environment(
        name="local", url=HERE.url, required_secrets=[*SECRETS, "BANK_KEY", "MAP_KEY"]
    )
    with pytest.raises(InputError, match="cannot generate these secrets: BANK_KEY, MAP_KEY"):
        generate_secrets(strange)
    assert not FILE.exists()
