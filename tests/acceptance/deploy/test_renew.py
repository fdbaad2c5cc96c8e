"""H of the catalogue: an edge that is replaced, and what must not come to serve."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from pipeline.deploy.commands.generate_secrets import self_signed_certificate
from pipeline.process import CommandResult, capture
from tests.acceptance.deploy.fault_report import FaultCase
from tests.acceptance.deploy.live_site import LiveSite
from tests.acceptance.deploy.test_bad_releases import ROLLED_BACK
from tests.acceptance.deploy.test_preflight import FAILED, INPUT
from tests.unit.deploy.tls import made, signed
from tests.waiting import until

MOMENT = 2_000  # requests that may fail while the edge of the only node is away
EDGE = "deploy/edge.conf"


def renew(site: LiveSite, certificate: str = "", key: str = "") -> CommandResult:
    """Renew the edge, with another certificate or key if they are given."""
    given = {"TLS_CERTIFICATE": certificate, "TLS_KEY": key}
    told = site.with_env({name: value for name, value in given.items() if value})
    return told.yard.invoke("renew-edge", "--env=staging")


def mine(site: LiveSite) -> tuple[str, str]:
    """Return the certificate of the site, and its key."""
    told = site.yard.variables
    return told["TLS_CERTIFICATE"], told["TLS_KEY"]


@pytest.mark.fault("H1", "a key of another certificate")
def test_h1_a_key_of_another_certificate_touches_nothing(site: LiveSite, case: FaultCase) -> None:
    key, _ = self_signed_certificate("localhost")
    case.assert_served(lambda: renew(site, key=key), "TLS_KEY does not belong", codes={INPUT})


@pytest.mark.fault("H2", "a certificate that has ended")
def test_h2_a_certificate_that_has_ended_touches_nothing(
    site: LiveSite, case: FaultCase, tmp_path: Path
) -> None:
    ended = signed(tmp_path, "DNS:localhost", days=-1)
    case.assert_served(lambda: renew(site, *ended), "certificate has expired", codes={INPUT})


@pytest.mark.fault("H3", "a certificate for another name")
def test_h3_a_certificate_for_another_name_touches_nothing(
    site: LiveSite, case: FaultCase, tmp_path: Path
) -> None:
    other = signed(tmp_path, "DNS:www.example.org")
    case.assert_served(lambda: renew(site, *other), "is not valid for localhost", codes={INPUT})


@pytest.mark.fault("H4", "a chain that begins with its end")
def test_h4_a_chain_in_the_wrong_order_touches_nothing(
    site: LiveSite, case: FaultCase, tmp_path: Path
) -> None:
    certificate, key = mine(site)
    turned = f"{signed(tmp_path, 'DNS:ca.example.org')[0]}{certificate}"
    said = "or to the first certificate in it"
    case.assert_served(lambda: renew(site, turned, key), said, codes={INPUT})


def encrypted(key: str) -> str:
    """Return a key that only a passphrase opens."""
    opened = serialization.load_pem_private_key(key.encode(), None)
    form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    return opened.private_bytes(*form, serialization.BestAvailableEncryption(b"x")).decode()


@pytest.mark.fault("H5", "a key that has a passphrase")
def test_h5_a_key_with_a_passphrase_touches_nothing(site: LiveSite, case: FaultCase) -> None:
    certificate, key = mine(site)
    locked = encrypted(key)
    case.assert_served(lambda: renew(site, certificate, locked), "cannot be read", codes={INPUT})


@pytest.mark.fault("H6", "a certificate that is no PEM")
def test_h6_what_is_no_certificate_touches_nothing(site: LiveSite, case: FaultCase) -> None:
    case.assert_served(
        lambda: renew(site, certificate="swordfish"), "cannot be read", codes={INPUT}
    )


@pytest.mark.fault("H7", "a certificate and a key with CRLF for line ends")
def test_h7_line_ends_of_another_system_are_mended(site: LiveSite, case: FaultCase) -> None:
    windows = [text.replace("\n", "\r\n") for text in mine(site)]
    case.assert_served(lambda: renew(site, *windows), "edge done", failures=MOMENT)


@pytest.mark.fault("H8", "a configuration of the edge that nginx does not read")
def test_h8_a_broken_configuration_touches_nothing(site: LiveSite, case: FaultCase) -> None:
    with site.with_config("server_tokens off;", "server_tokens maybe;", EDGE):
        case.assert_served(
            lambda: renew(site), "nginx rejects the edge configuration", codes={INPUT}
        )


@pytest.mark.fault("H9", "a configuration of the edge that leads nowhere")
def test_h9_an_edge_by_which_users_do_not_reach_the_site_is_taken_back(
    site: LiveSite, case: FaultCase
) -> None:
    with site.with_config("proxy_pass http://$backend:8000;", "return 502;", EDGE):
        at = "the previous edge serves again"
        case.assert_served(lambda: renew(site), at, codes={ROLLED_BACK}, failures=100_000)


@pytest.mark.fault("H10", "an edge on a port that another program has")
def test_h10_a_port_that_is_taken_is_given_up(site: LiveSite, case: FaultCase) -> None:
    port = site.yard.ports["staging"]
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        with site.with_config(f"\nport = {port}", f"\nport = {taken}"):
            at = "the previous edge serves again"
            case.assert_served(lambda: renew(site), at, codes={ROLLED_BACK}, failures=100_000)


@pytest.mark.fault("H11", "an edge whose image is gone, here and in the registry")
def test_h11_an_edge_whose_image_is_gone_touches_nothing(site: LiveSite, case: FaultCase) -> None:
    image = site.image(site.first, "frontend")
    site.forget_here(site.first, "frontend")
    try:
        with site.without_registry():
            at = "the registry does not answer"
            said = case.assert_served(lambda: renew(site), at, codes={FAILED})
    finally:
        until(
            lambda: capture(["docker", "pull", "--quiet", image]).returncode == 0, "it is not back"
        )
    assert "No such image" in said
    assert "edge.conf" not in said


@pytest.mark.fault("H12", "a certificate that is not set")
def test_h12_a_certificate_that_is_not_set_is_named(site: LiveSite, case: FaultCase) -> None:
    told = site.with_env({"TLS_CERTIFICATE": "", "TLS_KEY": ""})
    at = "secrets of staging are not set: TLS_CERTIFICATE, TLS_KEY"
    case.assert_served(lambda: told.yard.invoke("renew-edge", "--env=staging"), at, codes={INPUT})


@pytest.mark.fault("H12b", "a certificate of blanks")
def test_h12b_a_certificate_of_blanks_is_named(site: LiveSite, case: FaultCase) -> None:
    at = "TLS_CERTIFICATE is empty; TLS_KEY is empty"
    case.assert_served(lambda: renew(site, " ", "  "), at, codes={INPUT})


@pytest.mark.fault("H13", "the path of a directory for a certificate and a key")
def test_h13_a_path_is_not_taken_for_what_is_there(
    site: LiveSite, case: FaultCase, tmp_path: Path
) -> None:
    at = "TLS_KEY holds the path of a file instead of its content"
    said = case.assert_served(
        lambda: renew(site, f"{tmp_path}/", f"{tmp_path}/"), at, codes={INPUT}
    )
    assert "TLS_CERTIFICATE holds the path of a file" in said
    assert str(tmp_path) not in said


@pytest.mark.fault("H13b", "the path of a file for a key")
def test_h13b_a_path_of_a_key_is_not_taken_for_the_key(
    site: LiveSite, case: FaultCase, tmp_path: Path
) -> None:
    certificate, key = mine(site)
    (tmp_path / "tls.key").write_text(key)
    at = "TLS_KEY holds the path of a file instead of its content"
    case.assert_served(lambda: renew(site, certificate, f"{tmp_path}/tls.key"), at, codes={INPUT})


@contextmanager
def file_of_secrets(site: LiveSite, mode: int) -> Iterator[None]:
    """Have a file, or for 0 a directory, where the secrets of staging may be."""
    path = site.yard.folder / ".env.staging"
    path.mkdir() if not mode else path.write_text("TLS_KEY=swordfish\n")
    path.chmod(mode or 0o755)
    try:
        yield
    finally:
        path.unlink() if mode else path.rmdir()


@pytest.mark.fault("H14", "a file of secrets that others may read")
def test_h14_a_file_of_secrets_that_others_may_read_is_refused(
    site: LiveSite, case: FaultCase
) -> None:
    with file_of_secrets(site, 0o644):
        at = ".env.staging is readable by other users"
        said = case.assert_served(lambda: renew(site), at, codes={INPUT})
    assert "chmod 600 .env.staging" in said
    assert "swordfish" not in said


@pytest.mark.fault("H14b", "a directory where the file of secrets should be")
def test_h14b_a_directory_is_no_file_of_secrets(site: LiveSite, case: FaultCase) -> None:
    with file_of_secrets(site, 0):
        at = ".env.staging: is a directory"
        case.assert_served(lambda: renew(site), at, codes={INPUT})


@pytest.mark.fault("H15", "a certificate and a key in each other's place")
def test_h15_a_certificate_in_the_place_of_its_key_is_named(
    site: LiveSite, case: FaultCase
) -> None:
    certificate, key = mine(site)
    at = "TLS_CERTIFICATE holds no certificate, but: private key"
    case.assert_served(lambda: renew(site, key, certificate), at, codes={INPUT})


@pytest.mark.fault("H16", "a certificate that is not good yet")
def test_h16_a_certificate_that_is_not_good_yet_touches_nothing(
    site: LiveSite, case: FaultCase
) -> None:
    later = datetime.now(UTC) + timedelta(days=2)
    early = made(later, later + timedelta(days=30), "localhost")
    case.assert_served(lambda: renew(site, *early), "certificate is not yet valid", codes={INPUT})


@pytest.mark.fault("H17", "a configuration of the edge that is empty")
def test_h17_an_empty_configuration_touches_nothing(site: LiveSite, case: FaultCase) -> None:
    usual = (site.yard.folder / EDGE).read_text()
    with site.with_config(usual, "", EDGE):
        case.assert_served(lambda: renew(site), "edge.conf is empty", codes={INPUT})
