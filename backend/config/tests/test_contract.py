"""Every response of the API matches its schema, for generated requests.

CONTRACT_EXAMPLES=500 generates more requests, including boundary values.
"""

import json
import os
from http import HTTPStatus
from typing import Any

import pytest
import schemathesis
from django.db import connection
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi.checks import (
    ignored_auth,
    negative_data_rejection,
    positive_data_acceptance,
)

from apps.accounts.models import User
from apps.accounts.tests.browser import PASSWORD, Browser
from config.api import api
from config.wsgi import application

EXAMPLES = os.environ.get("CONTRACT_EXAMPLES")

schema = schemathesis.openapi.from_dict(
    json.loads(json.dumps(api.get_openapi_schema())),
    config=SchemathesisConfig.from_dict({"phases": {"coverage": {"enabled": bool(EXAMPLES)}}}),
)
schema.app = application

# These checks do not apply: a 503 is documented; each request sends cookies that `ignored_auth`
# expects to be absent; and a schema cannot describe weak passwords and expired links.
EXCLUDED_CHECKS = [
    *(not_a_server_error, ignored_auth),
    *(negative_data_rejection, positive_data_acceptance),
]


@pytest.fixture(autouse=True)
def _connected(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the connection with the transaction of the test, as Django's test client does."""
    monkeypatch.setattr(connection, "close_if_unusable_or_obsolete", lambda: None)


@pytest.mark.django_db
@pytest.mark.parametrize("is_member", [False, True], ids=["anonymous", "member"])
@schema.parametrize()
@settings(
    deadline=None,
    derandomize=not EXAMPLES,
    max_examples=int(EXAMPLES or 5),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_response_matches_schema(case: schemathesis.Case[Any], *, is_member: bool) -> None:
    browser = Browser()
    if is_member:
        if not User.objects.exists():  # the examples share a transaction
            User.objects.create_user("ada@example.com", PASSWORD)
        browser.login()
    browser.me()
    token = {"X-CSRFToken": browser.cookies["csrftoken"]}
    response = case.call(cookies=browser.cookies, headers=token)

    assert response.status_code != HTTPStatus.INTERNAL_SERVER_ERROR
    case.validate_response(response, excluded_checks=EXCLUDED_CHECKS)
