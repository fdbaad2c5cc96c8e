"""H of the catalogue: certificates and configurations that an edge must not serve."""

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

MOMENT = 2_000  # allowed failed requests while the edge of the only node restarts
EDGE = "deploy/edge.conf"


def renew(site: LiveSite, certificate: str = "", key: str = "") -> CommandResult:
    """Run `invoke renew-edge`, optionally with another certificate or key."""
    given = {"TLS_CERTIFICATE": certificate, "TLS_KEY": key}
    variant = site.with_env({name: value for name, value in given.items() if value})
    return variant.sandbox.invoke("renew-edge", "--env=staging")


def mine(site: LiveSite) -> tuple[str, str]:
    """Return the certificate of the site and its key, as PEM."""
    variables = site.sandbox.variables
    return variables["TLS_CERTIFICATE"], variables["TLS_KEY"]


@pytest.mark.fault("H1", "a key of another certificate")
def test_h1_wrong_key_is_refused(site: LiveSite, case: FaultCase) -> None:
    key, _ = self_signed_certificate("localhost")
    case.assert_served(lambda: renew(site, key=key), "TLS_KEY does not belong", codes={INPUT})


@pytest.mark.fault("H2", "an expired certificate")
def test_h2_expired_certificate_is_refused(site: LiveSite, case: FaultCase, tmp_path: Path) -> None:
    ended = signed(tmp_path, "DNS:localhost", days=-1)
    case.assert_served(lambda: renew(site, *ended), "certificate has expired", codes={INPUT})


@pytest.mark.fault("H3", "a certificate for another host name")
def test_h3_wrong_host_name_is_refused(site: LiveSite, case: FaultCase, tmp_path: Path) -> None:
    other = signed(tmp_path, "DNS:www.example.org")
    case.assert_served(lambda: renew(site, *other), "is not valid for localhost", codes={INPUT})


@pytest.mark.fault("H4", "a certificate chain in the wrong order")
def test_h4_wrong_chain_order_is_refused(site: LiveSite, case: FaultCase, tmp_path: Path) -> None:
    certificate, key = mine(site)
    turned = f"{signed(tmp_path, 'DNS:ca.example.org')[0]}{certificate}"
    stderr = "or to the first certificate in it"
    case.assert_served(lambda: renew(site, turned, key), stderr, codes={INPUT})


def encrypted(key: str) -> str:
    """Return a private key with a passphrase."""
    opened = serialization.load_pem_private_key(key.encode(), None)
    form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    return opened.private_bytes(*form, serialization.BestAvailableEncryption(b"x")).decode()


@pytest.mark.fault("H5", "a key with a passphrase")
def test_h5_encrypted_key_is_refused(site: LiveSite, case: FaultCase) -> None:
    certificate, key = mine(site)
    locked = encrypted(key)
    case.assert_served(lambda: renew(site, certificate, locked), "cannot be read", codes={INPUT})


@pytest.mark.fault("H6", "a certificate that is not PEM")
def test_h6_invalid_pem_is_refused(site: LiveSite, case: FaultCase) -> None:
    case.assert_served(
        lambda: renew(site, certificate="swordfish"), "cannot be read", codes={INPUT}
    )


@pytest.mark.fault("H7", "a certificate and a key with CRLF line ends")
def test_h7_crlf_is_fixed(site: LiveSite, case: FaultCase) -> None:
    windows = [text.replace("\n", "\r\n") for text in mine(site)]
    case.assert_served(lambda: renew(site, *windows), "edge done", failures=MOMENT)


@pytest.mark.fault("H8", "an edge configuration that nginx rejects")
def test_h8_invalid_nginx_config_is_refused(site: LiveSite, case: FaultCase) -> None:
    with site.with_config("server_tokens off;", "server_tokens maybe;", EDGE):
        case.assert_served(
            lambda: renew(site), "nginx rejects the edge configuration", codes={INPUT}
        )


@pytest.mark.fault("H9", "an edge configuration with an unreachable upstream")
def test_h9_unreachable_upstream_rolls_back(site: LiveSite, case: FaultCase) -> None:
    with site.with_config("proxy_pass http://$backend:8000;", "return 502;", EDGE):
        at = "the previous edge serves again"
        case.assert_served(lambda: renew(site), at, codes={ROLLED_BACK}, failures=100_000)


@pytest.mark.fault("H10", "an edge on a port of another program")
def test_h10_port_conflict_rolls_back(site: LiveSite, case: FaultCase) -> None:
    port = site.sandbox.ports["staging"]
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        with site.with_config(f"\nport = {port}", f"\nport = {taken}"):
            at = "the previous edge serves again"
            case.assert_served(lambda: renew(site), at, codes={ROLLED_BACK}, failures=100_000)


@pytest.mark.fault("H11", "an edge image that was deleted here and in the registry")
def test_h11_missing_edge_image_is_refused(site: LiveSite, case: FaultCase) -> None:
    image = site.image(site.first, "frontend")
    site.delete_local_image(site.first, "frontend")
    try:
        with site.without_registry():
            at = "the registry does not answer"
            stderr = case.assert_served(lambda: renew(site), at, codes={FAILED})
    finally:
        until(
            lambda: capture(["docker", "pull", "--quiet", image]).returncode == 0, "it is not back"
        )
    assert "No such image" in stderr
    assert "edge.conf" not in stderr


@pytest.mark.fault("H12", "an unset certificate")
def test_h12_unset_certificate_is_named(site: LiveSite, case: FaultCase) -> None:
    unset = site.with_env({"TLS_CERTIFICATE": "", "TLS_KEY": ""})
    at = "secrets of staging are not set: TLS_CERTIFICATE, TLS_KEY"
    case.assert_served(
        lambda: unset.sandbox.invoke("renew-edge", "--env=staging"), at, codes={INPUT}
    )


@pytest.mark.fault("H12b", "a certificate of blanks")
def test_h12b_blank_certificate_is_named(site: LiveSite, case: FaultCase) -> None:
    at = "TLS_CERTIFICATE is empty; TLS_KEY is empty"
    case.assert_served(lambda: renew(site, " ", "  "), at, codes={INPUT})


@pytest.mark.fault("H13", "the path of a directory instead of a certificate and a key")
def test_h13_directory_path_is_refused(site: LiveSite, case: FaultCase, tmp_path: Path) -> None:
    at = "TLS_KEY holds the path of a file instead of its content"
    stderr = case.assert_served(
        lambda: renew(site, f"{tmp_path}/", f"{tmp_path}/"), at, codes={INPUT}
    )
    assert "TLS_CERTIFICATE holds the path of a file" in stderr
    assert str(tmp_path) not in stderr


@pytest.mark.fault("H13b", "the path of a file instead of a key")
def test_h13b_key_path_is_refused(site: LiveSite, case: FaultCase, tmp_path: Path) -> None:
    certificate, key = mine(site)
    (tmp_path / "tls.key").write_text(key)
    at = "TLS_KEY holds the path of a file instead of its content"
    case.assert_served(lambda: renew(site, certificate, f"{tmp_path}/tls.key"), at, codes={INPUT})


@contextmanager
def file_of_secrets(site: LiveSite, mode: int) -> Iterator[None]:
    """Create .env.staging with a mode inside the block; for mode 0 a directory."""
    path = site.sandbox.folder / ".env.staging"
    path.mkdir() if not mode else path.write_text("TLS_KEY=swordfish\n")
    path.chmod(mode or 0o755)
    try:
        yield
    finally:
        path.unlink() if mode else path.rmdir()


@pytest.mark.fault("H14", "a file of secrets that other users can read")
def test_h14_readable_env_file_is_refused(site: LiveSite, case: FaultCase) -> None:
    with file_of_secrets(site, 0o644):
        at = ".env.staging is readable by other users"
        stderr = case.assert_served(lambda: renew(site), at, codes={INPUT})
    assert "chmod 600 .env.staging" in stderr
    assert "swordfish" not in stderr


@pytest.mark.fault("H14b", "a directory instead of the file of secrets")
def test_h14b_directory_as_env_file_is_refused(site: LiveSite, case: FaultCase) -> None:
    with file_of_secrets(site, 0):
        at = ".env.staging: is a directory"
        case.assert_served(lambda: renew(site), at, codes={INPUT})


@pytest.mark.fault("H15", "a certificate and a key that are swapped")
def test_h15_swapped_pair_is_refused(site: LiveSite, case: FaultCase) -> None:
    certificate, key = mine(site)
    at = "TLS_CERTIFICATE holds no certificate, but: private key"
    case.assert_served(lambda: renew(site, key, certificate), at, codes={INPUT})


@pytest.mark.fault("H16", "a certificate that is not valid yet")
def test_h16_future_certificate_is_refused(site: LiveSite, case: FaultCase) -> None:
    later = datetime.now(UTC) + timedelta(days=2)
    early = made(later, later + timedelta(days=30), "localhost")
    case.assert_served(lambda: renew(site, *early), "certificate is not yet valid", codes={INPUT})


@pytest.mark.fault("H17", "an empty edge configuration")
def test_h17_empty_nginx_config_is_refused(site: LiveSite, case: FaultCase) -> None:
    usual = (site.sandbox.folder / EDGE).read_text()
    with site.with_config(usual, "", EDGE):
        case.assert_served(lambda: renew(site), "edge.conf is empty", codes={INPUT})
