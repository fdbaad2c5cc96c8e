from collections.abc import Iterator

import pytest
import sentry_sdk

from config.sentry import start_sentry, without_data


@pytest.fixture
def reporting() -> Iterator[sentry_sdk.client.BaseClient]:
    """Start Sentry with a DSN at a closed port of this machine."""
    start_sentry("http://key@127.0.0.1:9/1", release="v1.2.3", environment="tests")
    yield sentry_sdk.get_client()
    sentry_sdk.get_global_scope().set_client(None)


def test_client_options(
    reporting: sentry_sdk.client.BaseClient,
) -> None:
    assert reporting.options["release"] == "v1.2.3"
    assert reporting.options["environment"] == "tests"
    assert not reporting.options["send_default_pii"]
    assert reporting.options["include_local_variables"] is False
    assert reporting.options["max_request_body_size"] == "never"
    assert reporting.options["before_send"] is without_data


def test_query_string_is_removed() -> None:
    reported = without_data({"request": {"url": "/", "query_string": "token=1"}}, {})
    assert reported == {"request": {"url": "/"}}


def test_report_without_request() -> None:
    assert without_data({"level": "error"}, {}) == {"level": "error"}
