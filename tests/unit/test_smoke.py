"""The smoke test reports each failure in one sentence, and leaves no data.

The site here is a double, since these tests have no Django: it answers with the statuses and
shapes of frontend/openapi.json, to which a test holds it. The backend's own tests walk through the
real server.
"""

import json
import re
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar

import pytest

from pipeline.deploy.commands.generate_secrets import self_signed_certificate
from pipeline.deploy.smoke import runner
from pipeline.deploy.smoke.scenario import smoke_scenario
from pipeline.deploy.smoke.steps import Response, SmokeStep, User
from pipeline.errors import CheckFailedError, InputError
from tests import settings
from tests.clock import Clock
from tests.conftest import ROOT

EMAIL, PASSWORD, SECRET = "smoke@example.com", "correct-horse", "preview-secret"
SHELL = b"""<!doctype html><title>Product</title><link rel="icon" href="/favicon.svg">
<link rel="canonical" href="https://www.example.com/"><link rel="stylesheet" href="/assets/a.css">
<meta name="asset-manifest" content="/asset-manifest.json">
<script type="module" src="/assets/a.js"></script><div id="root"></div>"""
FILES = {
    "index.html": {"file": "assets/a.js", "css": ["assets/a.css"], "isEntry": True},
    "src/later.tsx": {"file": "assets/later.js", "css": ["assets/later.css"], "assets": []},
    "src/logo.svg": {"file": "assets/logo.svg"},
}

Key = tuple[str, str]


def problem(code: int, detail: str) -> Response:
    return Response(code, "application/problem+json", json.dumps({"detail": detail}).encode())


def data(code: int, /, **content: object) -> Response:
    return Response(code, "application/json", json.dumps(content).encode())


USER = {"id": 1, "email": EMAIL, "first_name": "", "last_name": "", "phone": ""}
LIST = "/api/v1/projects/?before=8"
PROJECT = {"id": 7, "name": "smoke", "created": "2026-01-01T00:00:00Z"}
API: dict[Key, Response] = {
    ("GET", "/api/v1/health/ready/"): data(200, status="ok", checks={"database": "ok"}),
    ("GET", "/api/v1/version/"): data(200, release="v1.2.3", commit="0" * 40, deploy_id="none"),
    ("POST", "/api/v1/auth/login/"): data(200, **USER),
    ("GET", "/api/v1/auth/me/"): data(200, **USER),
    ("POST", "/api/v1/auth/logout/"): Response(204),
    ("GET", LIST): data(200, items=[PROJECT], next=None),
    ("POST", "/api/v1/projects/"): data(201, **PROJECT),
    ("DELETE", "/api/v1/projects/7/"): Response(204),
}
PAGE: dict[Key, Response] = {
    ("GET", "/"): Response(200, "text/html", SHELL),
    ("GET", "/favicon.svg"): Response(200, "image/svg+xml", b"<svg/>"),
    ("GET", "/assets/a.css"): Response(200, "text/css", b"a{}"),
    ("GET", "/assets/a.js"): Response(200, "application/javascript", b"1"),
    ("GET", "/asset-manifest.json"): Response(200, "application/json", json.dumps(FILES).encode()),
    ("GET", "/assets/later.js"): Response(200, "text/javascript", b"1"),
    ("GET", "/assets/later.css"): Response(200, "text/css", b"a{}"),
    ("GET", "/assets/logo.svg"): Response(200, "image/svg+xml", b"<svg/>"),
}
GUEST = problem(401, "Unauthorized")
FORGED = problem(403, "Forbidden")
MISSING_PATH = Response(404, "text/html", b"<p>Not Found")


@dataclass
class Site:
    """Its responses, and the requests.

    Attributes:
        silent: The paths that it does not answer while the test runs.
        late: The paths at which all the time is over, as the visitor's clock has it.
        drip: Whether its answers do not end.
        clock: The visitor's clock.
        over: Whether the test is over.
    """

    answers: dict[Key, Response] = field(default_factory=lambda: {**API, **PAGE})
    requested: list[Key] = field(default_factory=list)
    headers: list[Message] = field(default_factory=list)
    silent: set[str] = field(default_factory=set)
    late: set[str] = field(default_factory=set)
    drip: bool = False
    clock: Clock = field(default_factory=Clock)
    over: threading.Event = field(default_factory=threading.Event)
    url: str = ""

    def answer(self, method: str, path: str, headers: Message) -> Response:
        self.requested.append((method, path))
        self.headers.append(headers)
        if path in self.silent:
            self.over.wait()
        if path in self.late:
            self.clock.sleep(runner.TOTAL_TIMEOUT)
        cookies = headers.get("Cookie", "")
        if method != "GET" and f"csrftoken={headers.get('X-CSRFToken')}" not in cookies:
            return FORGED
        if path == "/api/v1/auth/me/" and "sessionid=" not in cookies:
            return GUEST
        return self.answers.get((method, path), MISSING_PATH)


class Handler(BaseHTTPRequestHandler):
    site: ClassVar[Site]

    def do_GET(self) -> None:
        answer = self.site.answer(self.command, self.path, self.headers)
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.type)
        self.send_header("Location", "/")
        if self.path.endswith("/me/"):
            self.send_header("Set-Cookie", "csrftoken=token-of-a-guest; Path=/")
        if self.path.endswith("/login/"):
            self.send_header("Set-Cookie", "csrftoken=token-of-a-user; Path=/")
            self.send_header("Set-Cookie", "sessionid=key; Path=/; HttpOnly")
        self.end_headers()
        if answer.status != 204:
            self.wfile.write(answer.body)
        while self.site.drip and not self.site.over.wait(0.05):
            self.wfile.write(b" ")
            self.site.clock.sleep(1)

    do_POST = do_DELETE = do_GET  # noqa: N815

    def log_message(self, *_: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    def handle_error(self, *_: object) -> None:
        """A client that has gone away is no fault of the test."""


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setenv("SMOKE_USER_EMAIL", EMAIL)
    monkeypatch.setenv("SMOKE_USER_PASSWORD", PASSWORD)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    site = Site()
    monkeypatch.setattr("pipeline.deploy.smoke.client.time", site.clock)
    handler = type("OwnHandler", (Handler,), {"site": site})
    with Server(("127.0.0.1", 0), handler) as server:
        site.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=[0.01])
        thread.start()
        yield site
        site.over.set()
        server.shutdown()
        thread.join()


def test_a_certificate_that_nobody_signed_is_trusted_where_it_is_known(site: Site) -> None:
    user = {"SMOKE_USER_EMAIL": EMAIL, "SMOKE_USER_PASSWORD": PASSWORD}
    key, certificate = self_signed_certificate("localhost")
    _, another = self_signed_certificate("localhost")
    with encrypted(site, key, certificate) as url:
        runner.run_smoke_test(url, "v1.2.3", user, {}, certificate)
        for unknown in ("", another):
            with pytest.raises(CheckFailedError, match="certificate verify failed"):
                runner.run_smoke_test(url, "v1.2.3", user, {}, unknown)


@contextmanager
def encrypted(site: Site, key: str, certificate: str) -> Iterator[str]:
    """Have the site behind TLS as well."""
    handler = type("OwnHandler", (Handler,), {"site": site})
    with TemporaryDirectory() as folder, Server(("127.0.0.1", 0), handler) as server:
        file = Path(folder, "both.pem")
        file.write_text(key + certificate)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=[0.01])
        thread.start()
        yield f"https://localhost:{server.server_port}"
        server.shutdown()
        thread.join()


def fault(site: Site, *arguments: str) -> str:
    with pytest.raises(CheckFailedError) as caught:
        runner.main([site.url, *arguments])
    assert caught.value.hint
    return str(caught.value)


def test_a_site_that_is_whole_passes_and_each_step_is_told(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    runner.main([site.url, "--release", "v1.2.3"])
    received = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert [(line[-2], line[-1]) for line in received] == site.requested
    assert set(site.requested) > set(API) | set(PAGE)
    assert site.requested[-2:] == [
        ("DELETE", "/api/v1/projects/7/"),
        ("POST", "/api/v1/auth/logout/"),
    ]


def test_the_documented_api_has_every_answer_of_the_double() -> None:
    document = json.loads((ROOT / "frontend/openapi.json").read_text())
    for (method, path), answer in API.items():
        documented_path = path.partition("?")[0].replace("/7/", "/{project_id}/")
        operation = document["paths"][documented_path][method.lower()]
        documented = operation["responses"][str(answer.status)]
        if answer.status != 204:
            assert set(answer.content) == set(required(document, documented))


def test_a_release_from_before_problems_is_walked_through_as_well(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"{__name__}.GUEST", data(401, detail="Unauthorized"))
    runner.main([site.url, "--release", "v1.2.3"])


def test_a_page_that_names_no_list_of_its_files_is_walked_through_as_well(site: Site) -> None:
    name = b'<meta name="asset-manifest" content="/asset-manifest.json">'
    site.answers["GET", "/"] = Response(200, "text/html", SHELL.replace(name, b""))
    runner.main([site.url, "--release", "v1.2.3"])
    assert ("GET", "/assets/later.js") not in site.requested


def required(document: dict[str, Any], response: dict[str, Any]) -> list[str]:
    name = response["content"]["application/json"]["schema"]["$ref"].rsplit("/", 1)[1]
    found: list[str] = document["components"]["schemas"][name]["required"]
    return found


@pytest.mark.parametrize("key", sorted(set(API) | set(PAGE)), ids=" ".join)
@pytest.mark.parametrize(
    "answer",
    [
        Response(502, "text/html", b"<h1>Bad Gateway"),
        Response(301),
        Response(200, "text/html", b"<h1>Something went wrong</h1>"),
        Response(200, "application/json", b"[]"),
        Response(200, "application/json", b"{"),
        Response(201, "application/json", b"{}"),
    ],
    ids=["error", "redirect", "page", "list", "no json", "empty"],
)
def test_any_answer_that_is_broken_is_found(site: Site, key: Key, answer: Response) -> None:
    site.answers[key] = answer
    assert " ".join(key) in fault(site, "--release", "v1.2.3")


@pytest.mark.parametrize(
    ("key", "answer", "sentence"),
    [
        (("GET", "/api/v1/health/ready/"), data(200, status="failed"), "has status 'failed'"),
        (
            ("GET", "/api/v1/version/"),
            data(200, release="v1.2.2"),
            "has release 'v1.2.2', not 'v1.2.3'",
        ),
        (("POST", "/api/v1/auth/login/"), data(200, email="a@b.example"), "is another user"),
        (("GET", "/api/v1/auth/me/"), data(200, email="a@b.example"), "is another user"),
        (("GET", LIST), data(200, items=[]), "does not list the project"),
        (("GET", "/"), Response(200, "text/html", b"<div id=root>"), "loads no script"),
        (("GET", "/"), Response(200, "text/html", b""), "loads no script"),
        (
            ("GET", "/"),
            Response(200, "text/html", b"<script src='//cdn.example.net/a.js'></script>"),
            "loads from another site: //cdn.example.net/a.js",
        ),
        (("GET", "/assets/a.js"), PAGE["GET", "/"], "is text/html, not text/javascript"),
        (("GET", "/assets/a.js"), Response(200, "text/javascript", b"\n"), "is empty"),
        (("GET", "/assets/a.css"), MISSING_PATH, "answered 404, not 200"),
        (("GET", "/assets/later.js"), MISSING_PATH, "answered 404, not 200"),
        (("GET", "/asset-manifest.json"), data(200, a=[1], b={"file": 7}), "lists no file"),
        (("GET", "/assets/no-such-file.js"), PAGE["GET", "/"], "answered 200, not 404"),
    ],
)
def test_the_fault_is_said_in_one_sentence(
    site: Site, key: Key, answer: Response, sentence: str
) -> None:
    site.answers[key] = answer
    found = fault(site, "--release", "v1.2.3")
    assert sentence in found
    assert " ".join(key) in found


def test_a_redirect_is_not_followed(site: Site) -> None:
    site.answers["GET", "/api/v1/health/ready/"] = Response(301)
    assert "answered 301, not 200" in fault(site)
    assert site.requested == [("GET", "/api/v1/health/ready/")]


def test_after_a_fault_the_project_is_deleted_and_the_session_ends(site: Site) -> None:
    site.answers["GET", LIST] = MISSING_PATH
    assert f"list: GET {LIST} answered 404" in fault(site)
    assert site.requested[-2:] == [
        ("DELETE", "/api/v1/projects/7/"),
        ("POST", "/api/v1/auth/logout/"),
    ]


@pytest.mark.parametrize(
    "broken", [("DELETE", "/api/v1/projects/7/"), ("POST", "/api/v1/auth/logout/")], ids=" ".join
)
def test_the_first_fault_is_told_even_if_cleaning_up_fails_too(site: Site, broken: Key) -> None:
    site.answers["GET", LIST] = site.answers[broken] = Response(500)
    assert fault(site).startswith("list:")
    assert site.requested[-1] == ("POST", "/api/v1/auth/logout/")


def test_ctrl_c_cleans_up_as_well() -> None:
    made: list[str] = []

    def perform(step: SmokeStep) -> Response:
        made.append(step.name)
        if step.name == "list":
            raise KeyboardInterrupt
        return data(201, **PROJECT)

    with pytest.raises(KeyboardInterrupt):
        runner.run_steps(smoke_scenario(User(EMAIL, PASSWORD), without=["page"]), perform)
    assert made == ["ready", "guest", "login", "me", "create", "list", "delete", "logout"]


@pytest.mark.parametrize(
    ("part", "path"), [("page", "/"), ("product", "/api/v1/projects/")], ids=["page", "product"]
)
def test_a_part_is_left_out_only_if_one_says_so_and_that_is_told(
    site: Site, part: str, path: str, capsys: pytest.CaptureFixture[str]
) -> None:
    runner.main([site.url, "--without", part])
    assert path not in {requested for _, requested in site.requested}
    assert f"skipped: {part}" in capsys.readouterr().out


def test_a_header_goes_with_every_request_and_is_not_printed(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    runner.main([site.url, "--header", f"X-Preview={SECRET}"])
    assert {headers.get("X-Preview") for headers in site.headers} == {SECRET}
    assert SECRET not in "".join(capsys.readouterr())


def test_a_fault_at_the_login_tells_neither_user_nor_password(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    site.answers["POST", "/api/v1/auth/login/"] = data(401, detail=f"{EMAIL} {PASSWORD}")
    output = fault(site) + "".join(capsys.readouterr())
    assert "SMOKE_USER_PASSWORD" not in output
    assert EMAIL not in output
    assert PASSWORD not in output
    assert EMAIL not in repr(SmokeStep("login", "/", body={"email": EMAIL}))
    assert PASSWORD not in repr(User(EMAIL, PASSWORD))


@pytest.mark.parametrize("option", ["--request-seconds", "--seconds"])
def test_an_answer_that_does_not_come_is_not_waited_for(site: Site, option: str) -> None:
    site.silent.add("/api/v1/health/ready/")
    assert "ready: GET /api/v1/health/ready/ got no answer: no answer within 0.2 s" in fault(
        site, option, "0.2"
    )


def test_an_answer_that_does_not_end_is_not_waited_for(site: Site) -> None:
    site.drip = True
    assert "got no answer: the time is over" in fault(site)


def test_cleaning_up_has_its_time_after_all_time_is_over(site: Site) -> None:
    site.late.add(LIST)
    assert f"list: GET {LIST} got no answer: the time is over" in fault(site)
    assert site.requested[-2:] == [
        ("DELETE", "/api/v1/projects/7/"),
        ("POST", "/api/v1/auth/logout/"),
    ]


def test_a_connection_that_does_not_come_about_is_tried_again_and_that_is_told(
    site: Site, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    connect, refused = socket.create_connection, [ConnectionResetError(104, "cut"), OSError("away")]

    def flaky(*given: Any, **options: Any) -> socket.socket:  # noqa: ANN401 - any arguments
        if refused:
            raise refused.pop()
        return connect(*given, **options)

    monkeypatch.setattr(socket, "create_connection", flaky)
    runner.main([site.url])
    assert capsys.readouterr().out.count("trying again") == 2


def test_a_site_that_is_not_there_is_a_fault(site: Site) -> None:
    site.url = "http://127.0.0.1:9"
    assert "got no answer: [Errno 111] Connection refused" in fault(site)


@pytest.mark.parametrize(
    "url",
    ["www.example.com", "file:///etc/passwd", "https://a:secret@b.example", "https://b.example/x"],
)
def test_a_url_that_is_no_origin_is_an_error_that_does_not_repeat_it(url: str) -> None:
    with pytest.raises(InputError) as caught:
        runner.main([url])
    assert url not in str(caught.value)


@pytest.mark.parametrize("header", ["secret", "X-A:secret", "X-A=secret\r\nX-B: c", "X-A="])
def test_a_malformed_header_is_an_error_that_does_not_repeat_it(header: str) -> None:
    with pytest.raises(InputError) as caught:
        runner.main(["https://www.example.com", "--header", header])
    assert "secret" not in str(caught.value)


def test_a_missing_user_is_an_error_that_names_the_variables(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("SMOKE_USER_EMAIL", raising=False)
    monkeypatch.setenv("SMOKE_USER_PASSWORD", "")
    with pytest.raises(InputError, match="SMOKE_USER_EMAIL and SMOKE_USER_PASSWORD not set"):
        runner.main(["https://www.example.com"])


FIRST, THEN = {"X-Way": "first"}, {"X-Way": "then"}
WHO = {"SMOKE_USER_EMAIL": EMAIL, "SMOKE_USER_PASSWORD": PASSWORD}


def ways(site: Site) -> list[tuple[str, str, str | None]]:
    return [
        (*key, headers["X-Way"]) for key, headers in zip(site.requested, site.headers, strict=True)
    ]


def test_a_member_of_one_release_is_asked_for_at_the_other(site: Site) -> None:
    assert runner.keeps_sessions(site.url, WHO, FIRST, THEN)
    assert ways(site) == [
        ("GET", "/api/v1/auth/me/", "first"),
        ("POST", "/api/v1/auth/login/", "first"),
        ("GET", "/api/v1/auth/me/", "then"),
        ("POST", "/api/v1/auth/logout/", "first"),
    ]


def test_a_member_whom_the_other_release_does_not_know_is_logged_out(site: Site) -> None:
    site.answers["GET", "/api/v1/auth/me/"] = GUEST
    assert not runner.keeps_sessions(site.url, WHO, FIRST, THEN)
    assert site.requested[-1] == ("POST", "/api/v1/auth/logout/")


@pytest.mark.parametrize("broken", ["/api/v1/auth/login/", "/api/v1/auth/logout/"])
def test_where_no_member_can_log_in_or_out_it_is_not_known(site: Site, broken: str) -> None:
    site.answers["POST", broken] = problem(500, "no")
    with pytest.raises(CheckFailedError, match=f"POST {broken} answered 500"):
        runner.keeps_sessions(site.url, WHO, FIRST, THEN)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("def steps(:", "deploy/smoke.py: SyntaxError: "),
        (
            "import missing",
            "deploy/smoke.py: ModuleNotFoundError: No module named 'missing'",
        ),
        ("1 / 0", "deploy/smoke.py: ZeroDivisionError: "),
        ("STEPS = 1", "deploy/smoke.py has no function `steps`"),
        (None, "deploy/smoke.py: FileNotFoundError: "),
    ],
)
def test_broken_steps_of_the_product_are_named(
    text: str | None, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("pipeline.toml").write_text(settings.text())
    Path("deploy").mkdir()
    if text is not None:
        Path("deploy", "smoke.py").write_text(text)
    with pytest.raises(InputError, match=f"^{re.escape(message)}"):
        runner.run_steps(smoke_scenario(User(EMAIL, PASSWORD), without=["page"]), answer_all)


def answer_all(step: SmokeStep) -> Response:
    return API.get((step.method, step.path), Response(step.status))
