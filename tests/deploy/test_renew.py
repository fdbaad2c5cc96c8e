"""H of the catalogue: an edge that is replaced, and what must not come to serve."""

import socket
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from pipeline.deploy.inventing import pair
from pipeline.run import Output
from tests.deploy.catalogue import Case
from tests.deploy.site import Site
from tests.deploy.test_preflight import INPUT
from tests.deploy.test_roll import ROLLED_BACK
from tests.deploying.tls import signed

MOMENT = 2_000  # requests that may fail while the edge of the only node is away
EDGE = "deploy/edge.conf"


def renew(site: Site, certificate: str = "", key: str = "") -> Output:
    """Renew the edge, with another certificate or key if they are given."""
    given = {"TLS_CERTIFICATE": certificate, "TLS_KEY": key}
    told = site.told_also({name: value for name, value in given.items() if value})
    return told.yard.invoke("renew", "--env=staging")


def mine(site: Site) -> tuple[str, str]:
    """Return the certificate of the site, and its key."""
    told = site.yard.variables
    return told["TLS_CERTIFICATE"], told["TLS_KEY"]


@pytest.mark.fault("H1", "a key of another certificate")
def test_h1_a_key_of_another_certificate_touches_nothing(site: Site, case: Case) -> None:
    key, _ = pair("localhost")
    case.served(lambda: renew(site, key=key), "TLS_KEY is not the key", codes={INPUT})


@pytest.mark.fault("H2", "a certificate that has ended")
def test_h2_a_certificate_that_has_ended_touches_nothing(
    site: Site, case: Case, tmp_path: Path
) -> None:
    ended = signed(tmp_path, "DNS:localhost", days=-1)
    case.served(lambda: renew(site, *ended), "certificate has expired", codes={INPUT})


@pytest.mark.fault("H3", "a certificate for another name")
def test_h3_a_certificate_for_another_name_touches_nothing(
    site: Site, case: Case, tmp_path: Path
) -> None:
    other = signed(tmp_path, "DNS:www.example.org")
    case.served(lambda: renew(site, *other), "is not good for localhost", codes={INPUT})


@pytest.mark.fault("H4", "a chain that begins with its end")
def test_h4_a_chain_in_the_wrong_order_touches_nothing(
    site: Site, case: Case, tmp_path: Path
) -> None:
    certificate, key = mine(site)
    turned = f"{signed(tmp_path, 'DNS:ca.example.org')[0]}{certificate}"
    said = "or of the first in it"
    case.served(lambda: renew(site, turned, key), said, codes={INPUT})


def encrypted(key: str) -> str:
    """Return a key that only a passphrase opens."""
    opened = serialization.load_pem_private_key(key.encode(), None)
    form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    return opened.private_bytes(*form, serialization.BestAvailableEncryption(b"x")).decode()


@pytest.mark.fault("H5", "a key that has a passphrase")
def test_h5_a_key_with_a_passphrase_touches_nothing(site: Site, case: Case) -> None:
    certificate, key = mine(site)
    locked = encrypted(key)
    case.served(lambda: renew(site, certificate, locked), "cannot be read", codes={INPUT})


@pytest.mark.fault("H6", "a certificate that is no PEM")
def test_h6_what_is_no_certificate_touches_nothing(site: Site, case: Case) -> None:
    case.served(lambda: renew(site, certificate="swordfish"), "cannot be read", codes={INPUT})


@pytest.mark.fault("H7", "a certificate and a key with CRLF for line ends")
def test_h7_line_ends_of_another_system_are_mended(site: Site, case: Case) -> None:
    windows = [text.replace("\n", "\r\n") for text in mine(site)]
    case.served(lambda: renew(site, *windows), "edge done", failures=MOMENT)


@pytest.mark.fault("H8", "a configuration of the edge that nginx does not read")
def test_h8_a_broken_configuration_touches_nothing(site: Site, case: Case) -> None:
    with site.configured("server_tokens off;", "server_tokens maybe;", EDGE):
        case.served(lambda: renew(site), "nginx does not take the edge", codes={INPUT})


@pytest.mark.fault("H9", "a configuration of the edge that leads nowhere")
def test_h9_an_edge_by_which_users_do_not_reach_the_site_is_taken_back(
    site: Site, case: Case
) -> None:
    with site.configured("proxy_pass http://$backend:8000;", "return 502;", EDGE):
        at = "the edge before serves again"
        case.served(lambda: renew(site), at, codes={ROLLED_BACK}, failures=100_000)


@pytest.mark.fault("H10", "an edge on a port that another program has")
def test_h10_a_port_that_is_taken_is_given_up(site: Site, case: Case) -> None:
    port = site.yard.ports["staging"]
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        with site.configured(f"\nport = {port}", f"\nport = {taken}"):
            at = "the edge before serves again"
            case.served(lambda: renew(site), at, codes={ROLLED_BACK}, failures=100_000)
