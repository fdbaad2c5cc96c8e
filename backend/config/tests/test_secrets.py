"""No output of the app holds a secret of its environment, even after errors."""

import gzip
import json
import threading
from collections.abc import Iterator
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from config.tests.conftest import BACKEND, PRODUCTION, Manage

CANARY = "canary-0123456789-0123456789-0123456789-0123456789"
# No store is reachable: every request that needs one fails.
CANARIES = PRODUCTION | {
    "DJANGO_SECRET_KEY": CANARY,
    "DJANGO_SECRET_KEY_FALLBACKS": f"{CANARY}-former",
    "DATABASE_URL": f"postgres://owner:{CANARY}@127.0.0.1:1/ledger",
    "REDIS_URL": f"redis://:{CANARY}@127.0.0.1:1/0",
    "METRICS_TOKEN": CANARY,
}
VISIT = """
from django.test import Client
import sentry_sdk

client = Client(raise_request_exception=False, headers={"Host": "www.example.com"})
client.cookies["sessionid"] = "swordfish"
for path in (
    "/api/v1/auth/me/?token=swordfish",
    "/api/v1/projects/",
    "/api/v1/health/ready/",
    "/api/v1/version/",
    "/admin/login/",
    "/missing",
):
    response = client.get(path, secure=True)
    print(response.status_code, path.partition("?")[0], response.headers, response.content)
token = {"Authorization": "Bearer CANARY"}
print(client.get("/metrics", headers=token).content.decode())
sentry_sdk.flush(timeout=60)
""".replace("CANARY", CANARY)


class Sentry(BaseHTTPRequestHandler):
    """A fake Sentry that records reports."""

    reports: list[str]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        zipped = self.headers["Content-Encoding"] == "gzip"
        self.reports.append((gzip.decompress(body) if zipped else body).decode())
        self.send_response(HTTPStatus.OK)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Do not log."""


@pytest.fixture
def reports(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Start a fake Sentry, and return the list of its reports."""
    monkeypatch.setattr(Sentry, "reports", [], raising=False)
    with ThreadingHTTPServer(("127.0.0.1", 0), Sentry) as server:
        threading.Thread(target=server.serve_forever).start()
        monkeypatch.setenv("SENTRY_DSN", f"http://key@127.0.0.1:{server.server_port}/1")
        yield Sentry.reports
        server.shutdown()


@pytest.fixture
def _canaries(monkeypatch: pytest.MonkeyPatch) -> None:
    (BACKEND / "staticfiles").mkdir(exist_ok=True)  # without the folder there is a warning
    for name, value in CANARIES.items():
        monkeypatch.setenv(name, value)


@pytest.mark.usefixtures("_canaries")
def test_no_output_holds_a_secret(manage: Manage, reports: list[str]) -> None:
    visited = manage("shell", "-c", VISIT, settings="production")
    lines = [json.loads(line) for line in visited.stderr.splitlines()]
    everything = visited.stdout + visited.stderr + "".join(reports)

    assert visited.returncode == 0
    assert "500 /api/v1/auth/me/" in visited.stdout
    assert "503 /api/v1/health/ready/" in visited.stdout
    assert "http_request_duration_seconds_count" in visited.stdout
    assert any("Internal Server Error" in line["event"] for line in lines)
    assert CANARY not in everything
    assert "swordfish" not in everything


@pytest.mark.usefixtures("_canaries")
def test_report_has_release(manage: Manage, reports: list[str]) -> None:
    manage("shell", "-c", VISIT, settings="production")
    events = [json.loads(line) for report in reports for line in report.splitlines()]
    (event, *_) = [event for event in events if "exception" in event]

    assert event["release"] == "v1.2.3"
    assert event["environment"] == "production"
    assert event["exception"]["values"][-1]["type"] == "OperationalError"
    assert "vars" not in json.dumps(event)


@pytest.mark.usefixtures("_canaries")
def test_no_report_without_dsn(manage: Manage) -> None:
    script = "import sentry_sdk; print(sentry_sdk.get_client().is_active())"

    assert manage("shell", "-c", script, settings="production").stdout.splitlines()[-1] == "False"


@pytest.mark.usefixtures("_canaries")
def test_malformed_variables(monkeypatch: pytest.MonkeyPatch, manage: Manage) -> None:
    names = [*CANARIES, "SENTRY_DSN"]
    for name in names:
        monkeypatch.setenv(name, f"/ {CANARY[:20]} /")
    refused = manage("check", settings="production")

    assert refused.returncode == 1
    assert [name for name in names if f"{name} is malformed" not in refused.stderr] == []
    assert CANARY[:20] not in refused.stdout + refused.stderr
