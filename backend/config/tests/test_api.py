import json
import re

from django.test import Client

from config.tests.conftest import Manage

OPERATION_ID = re.compile(
    r"[a-z]+([A-Z][a-z]+)*"
)  # Django Ninja's default is apps_accounts_api_login
SHOW_DOCS = """
from django.test import Client
print(Client(SERVER_NAME="localhost").get("/api/v1/docs").status_code)
"""


def test_exported_schema_is_served(client: Client, manage: Manage) -> None:
    exported = manage("export_openapi_schema", "--api=config.api.api", settings="test")

    assert json.loads(exported.stdout) == client.get("/api/v1/openapi.json").json()


def test_operation_ids_are_unique(client: Client) -> None:
    paths = client.get("/api/v1/openapi.json").json()["paths"]
    names = [call["operationId"] for path in paths.values() for call in path.values()]

    assert "login" in names
    assert [name for name in names if not OPERATION_ID.fullmatch(name)] == []
    assert len(names) == len({*names})


def test_docs_are_off(client: Client) -> None:
    assert client.get("/api/v1/docs").status_code == 404


def test_docs_in_development(manage: Manage) -> None:
    shown = manage("shell", "-c", SHOW_DOCS, settings="dev")

    assert shown.stdout.splitlines()[-1] == "200"
