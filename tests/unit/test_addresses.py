"""An address is read in one way, or refused without repeating it."""

import pytest

from pipeline.addresses import Origin, SshHost, is_loopback, parse_origin, parse_ssh_host
from tests.unit.deploy.app import app_reads

SITES = {
    "https://shop.example.com": Origin("https", "shop.example.com", 443),
    "http://localhost:8080": Origin("http", "localhost", 8080),
    "https://127.0.0.1:8443": Origin("https", "127.0.0.1", 8443),
    "https://[::1]:8443": Origin("https", "::1", 8443),
    "https://xn--bcher-kva.example": Origin("https", "xn--bcher-kva.example", 443),
}
NO_SITES = [
    "", "shop.example.com", "ftp://shop.example.com", "https://", "https://shop.example.com/",
    "https://owner:swordfish@shop.example.com", "https://shop.example.com?swordfish",
    "https://shop.example.com:99999", "https://shop.example.com:0", "https://shop.example.com:",
    "https://shop..example.com", "https://-shop", "https://büro.example", "https://[dead]",
    "https://[::1::2]", "https://[127.0.0.1]", "https://shop.example.com\n",
    "https://shop.example.com:٤", "https://*.example.com",
]  # fmt: skip


@pytest.mark.parametrize("url", SITES)
def test_a_site_is_a_scheme_a_host_and_a_port(url: str) -> None:
    assert parse_origin(url) == SITES[url]


def test_the_app_takes_the_same_for_its_public_url() -> None:
    received = app_reads(origins=[*SITES, *NO_SITES])["origins"]
    assert [url for url in received if received[url]] == [*SITES]


@pytest.mark.parametrize("url", NO_SITES)
def test_what_is_no_site_is_refused(url: str) -> None:
    with pytest.raises(
        ValueError, match=r"^(it must be a|0 is not|\d+ is not|the text in)"
    ) as caught:
        parse_origin(url)
    assert "swordfish" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("ssh://example.com", SshHost("", "example.com", 22)),
        ("ssh://deploy@example.com:2222", SshHost("deploy", "example.com", 2222)),
        ("ssh://dep%40loy@10.0.0.1", SshHost("dep@loy", "10.0.0.1", 22)),
        ("ssh://deploy@[fe80::1]", SshHost("deploy", "fe80::1", 22)),
    ],
)
def test_a_host_of_ssh_is_a_user_a_host_and_a_port(url: str, expected: SshHost) -> None:
    assert parse_ssh_host(url) == expected


@pytest.mark.parametrize(
    "url",
    [
        "", "deploy@example.com", "ssh://", "ssh://@example.com", "ssh://example.com/path",
        "ssh://deploy:swordfish@example.com", "ssh://example.com:99999", "ssh://example.com:",
        "ssh://x@-oProxyCommand=touch${IFS}owned", "ssh://-oProxyCommand=x", "ssh://-lx@example.com",
        "ssh://%2DoProxyCommand@example.com", "ssh://a%20b@example.com", "ssh://a%0A@example.com",
        "ssh://a`id`@example.com", "ssh://example.com -oProxyCommand=x", "ssh://[example]",
    ],
)  # fmt: skip
def test_what_is_no_host_of_ssh_is_refused(url: str) -> None:
    with pytest.raises(
        ValueError, match=r"^(it must be a|\d+ is not|the text in|the user)"
    ) as caught:
        parse_ssh_host(url)
    assert "swordfish" not in str(caught.value)


@pytest.mark.parametrize(
    ("host", "here"),
    [
        ("localhost", True), ("127.0.0.1", True), ("127.8.0.1", True), ("::1", True),
        ("localhost.example.com", False), ("10.0.0.1", False), ("", False),
    ],
)  # fmt: skip
def test_this_machine_is_known_by_its_names(host: str, *, here: bool) -> None:
    assert is_loopback(host) is here
