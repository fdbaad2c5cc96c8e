"""PostgreSQL's errors with row values reach neither logs nor error reports."""

import io
import logging.config

import pytest
import sentry_sdk
from django.db import IntegrityError
from sentry_sdk.envelope import Envelope
from sentry_sdk.transport import Transport

from apps.accounts.models import User
from apps.accounts.tests.browser import PASSWORD
from apps.telemetry.logs import json_lines, logging_config
from apps.telemetry.rows import REDACTED, without_rows
from config.sentry import without_data

SECRETS = ("ada@example.com", "argon2", "md5$")
REFUSED = {
    "a duplicate": {"email": "ada@example.com"},
    "a constraint": {"email": "ADA@example.com\nHINT:  ada@example.com"},
}


class RecordingTransport(Transport):
    """A Sentry transport that records the messages of reported errors."""

    def __init__(self) -> None:
        super().__init__()
        self.messages: list[str] = []

    def capture_envelope(self, envelope: Envelope) -> None:
        for item in envelope.items:
            report = item.payload.json or {}
            self.messages += [each["value"] for each in report["exception"]["values"]]


def refused(fields: dict[str, str]) -> IntegrityError:
    """Insert an invalid row, and return the error of the database."""
    User.objects.create_user("ada@example.com", PASSWORD)
    user = User(**fields)
    user.set_password(PASSWORD)
    with pytest.raises(IntegrityError) as caught:
        user.save()
    return caught.value


@pytest.mark.django_db
@pytest.mark.postgres
@pytest.mark.parametrize("kind", REFUSED)
def test_log_hides_row(kind: str) -> None:
    error = refused(REFUSED[kind])
    assert "ada@example.com" in str(error)
    stream = io.StringIO()
    config = logging_config(level="INFO", renderer=json_lines(), release="v1.2.3")
    handler = logging.StreamHandler(stream)
    configurator = logging.config.DictConfigurator(config)
    handler.setFormatter(configurator.configure_formatter(config["formatters"]["lines"]))
    logger = logging.getLogger("rows")
    logger.addHandler(handler)
    logger.error("refused", exc_info=error)
    logger.removeHandler(handler)
    line = stream.getvalue()
    assert "IntegrityError" in line
    assert REDACTED in line
    assert not [secret for secret in SECRETS if secret in line.lower()]


@pytest.mark.django_db
@pytest.mark.postgres
@pytest.mark.parametrize("kind", REFUSED)
def test_report_hides_row(kind: str) -> None:
    error, transport = refused(REFUSED[kind]), RecordingTransport()
    client = sentry_sdk.Client(
        "http://key@127.0.0.1:9/1", transport=transport, before_send=without_data
    )
    with sentry_sdk.isolation_scope() as scope:
        scope.set_client(client)
        sentry_sdk.capture_exception(error)
    assert len(transport.messages) > 1
    for message in transport.messages:
        assert "violates" in message
        assert REDACTED in message
        assert not [secret for secret in SECRETS if secret in message.lower()]


def test_without_rows_unchanged() -> None:
    event = {"values": ["a text", 1, None]}
    assert without_rows(event, None) == event
    assert without_rows(event, ValueError("a text")) == event
