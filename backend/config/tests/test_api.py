import json
import re

from django.test import Client

from config.tests.conftest import Manage

GIVEN_NAME = re.compile(r"[a-z]+([A-Z][a-z]+)*")  # by default: apps_accounts_api_login
SHOW_DOCS = """
from django.test import Client
print(Client(SERVER_NAME="localhost").get("/api/v1/docs").status_code)
"""


def test_the_exported_schema_is_the_one_that_is_served(client: Client, manage: Manage) -> None:
    exported = manage("export_openapi_schema", "--api=config.api.api", settings="test")

    assert json.loads(exported.stdout) == client.get("/api/v1/openapi.json").json()


def test_every_operation_has_a_name_of_its_own_for_the_generated_client(client: Client) -> None:
    paths = client.get("/api/v1/openapi.json").json()["paths"]
    names = [call["operationId"] for path in paths.values() for call in path.values()]

    assert "login" in names
    assert [name for name in names if not GIVEN_NAME.fullmatch(name)] == []
    assert len(names) == len({*names})


def test_it_shows_no_interactive_docs(client: Client) -> None:
    assert client.get("/api/v1/docs").status_code == 404


def test_it_shows_interactive_docs_to_developers_without_any_variable(manage: Manage) -> None:
    shown = manage("shell", "-c", SHOW_DOCS, settings="dev")

    assert shown.stdout.splitlines()[-1] == "200"
