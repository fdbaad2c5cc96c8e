from __future__ import annotations

import io
import json
import logging
import logging.config
import re
from typing import TYPE_CHECKING, Any

import pytest
from django.test import RequestFactory

from apps.telemetry.logs import json_lines, logging_config, text_lines

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.contrib.auth.base_user import AbstractBaseUser
    from django.test import Client
    from structlog.typing import Processor


HEALTH = "/api/v1/health/"
LOGIN = "/api/v1/auth/login/"
ME = "/api/v1/auth/me/"


class Log:
    """The log of a process, in the format of one of the renderers."""

    def __init__(self, renderer: Processor) -> None:
        self.stream = io.StringIO()
        config = logging_config(level="INFO", renderer=renderer, release="v1.2.3")
        configurator = logging.config.DictConfigurator(config)
        self.handler = logging.StreamHandler(self.stream)
        self.handler.setFormatter(configurator.configure_formatter(config["formatters"]["lines"]))

    @property
    def text(self) -> str:
        return self.stream.getvalue()

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text.splitlines()]


@pytest.fixture
def log(request: pytest.FixtureRequest) -> Iterator[Log]:
    log = Log(getattr(request, "param", json_lines)())
    logging.getLogger().addHandler(log.handler)
    yield log
    logging.getLogger().removeHandler(log.handler)


def test_request_line(client: Client, log: Log) -> None:
    response = client.get(HEALTH, {"token": "swordfish"})
    (line,) = log.lines

    assert line.pop("duration_ms") >= 0
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "request answered",
        "level": "info",
        "logger": "apps.telemetry.middleware",
        "request_id": response["X-Request-ID"],
        "release": "v1.2.3",
        "user_id": None,
        "method": "GET",
        "path": HEALTH,
        "route": "api/v1/health/",
        "status": 200,
    }


def test_request_line_has_user(client: Client, user: AbstractBaseUser, log: Log) -> None:
    client.get(ME)
    client.force_login(user)  # type: ignore[arg-type]  # any user model
    client.get(ME)
    client.post("/api/v1/auth/logout/")

    assert [line["user_id"] for line in log.lines] == [None, str(user.pk), None]


@pytest.mark.parametrize("given", ["a1b2c3d4", "4bf92f35-77b3-4da6-a3ce-929d0e0e4736", "x" * 64])
def test_request_id_of_proxy(client: Client, log: Log, given: str) -> None:
    response = client.get(HEALTH, headers={"X-Request-ID": given})

    assert response["X-Request-ID"] == log.lines[0]["request_id"] == given


@pytest.mark.parametrize("given", ["", "short", "x" * 65, "with space", 'quote"{}', "line\nbreak"])
def test_request_id_malformed(client: Client, given: str) -> None:
    identifier = client.get(HEALTH, headers={"X-Request-ID": given})["X-Request-ID"]

    assert re.fullmatch("[0-9a-f]{32}", identifier)


def test_request_id_is_unique(client: Client) -> None:
    assert client.get(HEALTH)["X-Request-ID"] != client.get(HEALTH)["X-Request-ID"]


def test_request_id_of_early_response(client: Client, log: Log) -> None:
    response = client.get(HEALTH, headers={"Host": "evil.example.net"})

    assert response.status_code == 400
    assert {line["request_id"] for line in log.lines} == {response["X-Request-ID"]}


@pytest.mark.parametrize("log", [json_lines, text_lines], indirect=True)
def test_log_holds_no_secret(client: Client, user: AbstractBaseUser, log: Log) -> None:
    client.force_login(user)  # type: ignore[arg-type]  # any user model
    client.get(ME)
    client.post(LOGIN, {"password": "swordfish"}, content_type="application/json")
    client.get("/api/v1/missing/?token=swordfish", headers={"Authorization": "swordfish"})
    client.get("/admin/?token=swordfish")

    assert log.text.count("request answered") == 4
    assert "swordfish" not in log.text
    assert client.cookies["sessionid"].value not in log.text
    assert client.cookies["csrftoken"].value not in log.text


def test_error_line(log: Log) -> None:
    request = RequestFactory().get("/?token=swordfish")
    try:
        _ = 1 / 0
    except ZeroDivisionError:
        logging.getLogger("anything").exception("it broke", extra={"request": request})
    (line,) = log.lines

    assert line["level"] == "error"
    assert line["exception"].endswith("ZeroDivisionError: division by zero")
    assert "swordfish" not in log.text


@pytest.mark.parametrize("log", [text_lines], indirect=True)
def test_text_lines(client: Client, log: Log) -> None:
    client.get(HEALTH)

    assert "request answered" in log.text
    assert not log.text.startswith("{")
