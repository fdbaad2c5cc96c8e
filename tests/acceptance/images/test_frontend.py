"""What the frontend's image answers, without any backend behind it."""

import gzip
import json
import re
from collections.abc import Iterator

import pytest

from tests.acceptance.images.docker_cli import Container, Reply, container, is_healthy
from tests.acceptance.images.inspect import FRONTEND
from tests.waiting import until

POLICY = {
    "default-src": "'none'", "script-src": "'self'", "style-src": "'self'", "img-src": "'self'",
    "connect-src": "'self'", "base-uri": "'none'", "form-action": "'none'",
    "frame-ancestors": "'none'",
}  # fmt: skip
HEADERS = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
HTML = "text/html"


@pytest.fixture(scope="module")
def running() -> Iterator[Container]:
    """One that runs as production runs it, and finds no backend."""
    env = {"BACKEND_UPSTREAM": "127.0.0.1:9", "DRAIN_SECONDS": "0"}
    with container(FRONTEND.reference, env, port=FRONTEND.port) as running:
        until(lambda: is_healthy(running.port, "/healthz"), "no answer")
        yield running


@pytest.fixture(scope="module")
def port(running: Container) -> int:
    """Where it answers."""
    return running.port


def test_the_page_reports_errors_where_its_container_is_told_and_nowhere_else(port: int) -> None:
    received = {
        "BACKEND_UPSTREAM": "127.0.0.1:9",
        "ENVIRONMENT": "staging",
        "RELEASE": "v1.0.1",
        "SENTRY_DSN": "https://key@sentry.example.com/1",
    }
    with container(FRONTEND.reference, received, port=FRONTEND.port) as reporting:
        until(lambda: is_healthy(reporting.port, "/healthz"), "no answer")
        assert json.loads(Reply(reporting.port, "/config.json").body) == {
            "environment": received["ENVIRONMENT"],
            "release": received["RELEASE"],
            "sentryDsn": received["SENTRY_DSN"],
        }
        (policy,) = Reply(reporting.port, "/").values("Content-Security-Policy")
    assert "connect-src 'self' https://sentry.example.com;" in policy
    silent = json.loads(Reply(port, "/config.json").body)
    assert silent == {"environment": "unknown", "release": "unknown", "sentryDsn": ""}


@pytest.fixture(scope="module")
def assets(port: int) -> list[str]:
    """What its page loads from below /assets/."""
    found = re.findall(r'"(/assets/[^"]+)"', Reply(port, "/").body.decode())
    assert {path.rsplit(".", 1)[1] for path in found} == {"js", "css"}
    return found


@pytest.mark.parametrize(
    ("path", "status"),
    [
        *(("/", 200), ("/favicon.svg", 200), ("/healthz", 200), ("/no/such/page", 200)),
        *(("/assets/no-such-file.js", 404), ("/api/v1/version/", 502), ("/%", 400)),
    ],
)
def test_every_answer_has_the_security_headers_once(port: int, path: str, status: int) -> None:
    reply = Reply(port, path)
    assert reply.status == status
    assert {name: reply.values(name) for name in HEADERS} == {n: [v] for n, v in HEADERS.items()}
    (policy,) = reply.values("Content-Security-Policy")
    assert dict(rule.split() for rule in policy.split("; ")) == POLICY
    assert reply.values("Server") == ["nginx"]  # and no version


def test_assets_have_the_security_headers_and_are_kept_for_ever(
    port: int, assets: list[str]
) -> None:
    for path in assets:
        reply = Reply(port, path)
        assert reply.status == 200
        assert reply.values("Cache-Control") == ["public, max-age=31536000, immutable"]
        assert len(reply.values("Content-Security-Policy")) == 1


@pytest.mark.parametrize(
    "path", ["/", "/index.html", "/favicon.svg", "/deep/link", "/api/", "/healthz", "/assets/x.js"]
)
def test_all_else_is_asked_for_again(port: int, path: str) -> None:
    assert Reply(port, path).values("Cache-Control") == ["no-store"]


@pytest.mark.parametrize("path", ["/profile", "/a/b/c", "/assets", "/apiary", "/?next=/api/"])
def test_addresses_of_the_app_get_the_page(port: int, path: str) -> None:
    reply, page = Reply(port, path), Reply(port, "/")
    assert (reply.status, reply.headers.get_content_type()) == (200, HTML)
    assert reply.body == page.body


@pytest.mark.parametrize("path", ["/assets/x.js", "/assets/x.css", "/assets/", "/assets/a/b"])
def test_an_asset_that_is_not_there_is_not_the_page(port: int, path: str) -> None:
    reply = Reply(port, path)
    assert reply.status == 404
    assert reply.body != Reply(port, "/").body


@pytest.mark.parametrize("path", ["/assets/../../../etc/passwd", "/..%2f..%2fetc/passwd"])
def test_nothing_outside_of_the_app_is_shown(port: int, path: str) -> None:
    assert b"root:" not in Reply(port, path).body


def test_who_can_read_it_gets_what_was_compressed_at_build_time(
    running: Container, port: int, assets: list[str]
) -> None:
    for path in assets:
        plain = Reply(port, path)
        packed = Reply(port, path, **{"Accept-Encoding": "gzip", "Via": "1.1 edge"})
        assert plain.values("Content-Encoding") == []
        assert packed.values("Content-Encoding") == ["gzip"]
        assert packed.values("Vary") == plain.values("Vary") == ["Accept-Encoding"]
        assert gzip.decompress(packed.body) == plain.body
        size = running.execute("stat", "--format=%s", f"/srv/www{path}.gz").stdout
        assert len(packed.body) == int(size)


def test_no_time_or_tag_vouches_for_a_content_that_may_have_changed(port: int) -> None:
    reply = Reply(port, "/", **{"If-Modified-Since": "Thu, 01 Jan 1970 00:00:00 GMT"})
    assert reply.status == 200
    assert reply.values("ETag") == []


def test_browsers_are_bound_to_https_only_where_there_is_https(port: int) -> None:
    header = "Strict-Transport-Security"
    assert Reply(port, "/").values(header) == []
    reply = Reply(port, "/", **{"X-Forwarded-Proto": "https"})
    assert reply.values(header) == ["max-age=31536000; includeSubDomains; preload"]


def test_a_backend_that_is_away_is_no_reason_to_end(running: Container, port: int) -> None:
    assert Reply(port, "/api/v1/version/").status == 502
    assert Reply(port, "/healthz").status == 200
    assert running.execute(*FRONTEND.config["Healthcheck"]["Test"][1:]).returncode == 0


def test_a_backend_that_has_no_address_is_no_reason_not_to_start() -> None:
    env = {"BACKEND_UPSTREAM": "no-such-host.invalid:8000", "DRAIN_SECONDS": "0"}
    with container(FRONTEND.reference, env, port=FRONTEND.port) as running:
        until(lambda: is_healthy(running.port, "/healthz"), "no answer")
        assert Reply(running.port, "/api/").status == 502


def test_each_request_is_one_line_of_json_without_its_query(running: Container, port: int) -> None:
    Reply(port, '/logged"?token=secret', **{"X-Request-ID": "request-0123"})
    until(lambda: "request-0123" in running.logs, "not logged")
    (line,) = [line for line in running.logs.splitlines() if "request-0123" in line]
    event = json.loads(line)
    assert (event["path"], event["status"], event["method"]) == ('/logged"', 200, "GET")
    assert "secret" not in running.logs


def test_a_request_without_an_id_gets_one(running: Container, port: int) -> None:
    Reply(port, "/nameless", **{"X-Request-ID": 'no id"'})
    until(lambda: "/nameless" in running.logs, "not logged")
    (line,) = [line for line in running.logs.splitlines() if "/nameless" in line]
    assert re.fullmatch("[0-9a-f]{32}", json.loads(line)["request_id"])
