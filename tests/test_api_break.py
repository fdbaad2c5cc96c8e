"""A change of the API that breaks its clients is found, and one that adds is not."""

import copy
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import CheckFailedError
from pipeline.gates.api_break import breaks, main
from pipeline.git import head
from tests.conftest import ROOT

Schema = dict[str, Any]
Change = Callable[[Schema], object]

BODY: Schema = {
    "type": "object",
    "required": ["name"],
    "properties": {"name": {"type": "string"}, "kind": {"enum": ["a", "b"], "type": "string"}},
}
ANSWER: Schema = {
    "type": "object",
    "required": ["id", "owner"],
    "properties": {
        "id": {"type": "integer"},
        "owner": {"anyOf": [{"$ref": "#/components/schemas/Owner"}, {"type": "null"}]},
        "tags": {"type": "array", "items": {"type": "string"}},
        "state": {"const": "ok", "type": "string"},
    },
}
OLD: Schema = {
    "info": {"version": "1.4.0"},
    "paths": {
        "/shop/": {
            "post": {
                "parameters": [{"in": "query", "name": "limit", "schema": {"type": "integer"}}],
                "requestBody": {"content": {"application/json": {"schema": BODY}}},
                "responses": {
                    "200": {"content": {"application/json": {"schema": ANSWER}}},
                    "404": {"description": "Not Found"},
                },
            }
        }
    },
    "components": {
        "schemas": {"Owner": {"type": "object", "properties": {"email": {"type": "string"}}}}
    },
}


def git(*arguments: str) -> None:
    """Run git as somebody."""
    command = ["git", "-c", "user.name=Ada", "-c", "user.email=ada@example.com", *arguments]
    subprocess.run(command, check=True)


def post(schema: Schema) -> Schema:
    found: Schema = schema["paths"]["/shop/"]["post"]
    return found


def body(schema: Schema) -> Schema:
    found: Schema = post(schema)["requestBody"]["content"]["application/json"]["schema"]
    return found


def answer(schema: Schema) -> Schema:
    found: Schema = post(schema)["responses"]["200"]["content"]["application/json"]["schema"]
    return found


def owner(schema: Schema) -> Schema:
    found: Schema = schema["components"]["schemas"]["Owner"]["properties"]
    return found


def parameter(schema: Schema) -> Schema:
    found: Schema = post(schema)["parameters"][0]
    return found


CHANGES: dict[str, Change] = {
    "POST /shop/ is removed": lambda new: new["paths"].clear(),
    "POST /shop/ no longer answers 404": lambda new: post(new)["responses"].pop("404"),
    "POST /shop/ query limit is removed": lambda new: post(new)["parameters"].clear(),
    "POST /shop/ query limit is newly required": lambda new: parameter(new).update(required=True),
    "POST /shop/ query limit: integer became boolean": lambda new: parameter(new).update(
        schema={"type": "boolean"}
    ),
    "POST /shop/ request.name is removed": lambda new: body(new)["properties"].pop("name"),
    "POST /shop/ request.kind is newly required": lambda new: body(new)["required"].append("kind"),
    'POST /shop/ request.kind: "a" | "b" became "a"': lambda new: body(new)["properties"][
        "kind"
    ].update(enum=["a"]),
    "POST /shop/ 200.id is removed": lambda new: answer(new)["properties"].pop("id"),
    "POST /shop/ 200.id is not always there any more": lambda new: answer(new)["required"].remove(
        "id"
    ),
    "POST /shop/ 200.id: integer became integer | null": lambda new: answer(new)["properties"][
        "id"
    ].update(type=["integer", "null"]),
    'POST /shop/ 200.state: "ok" became "failed" | "ok"': lambda new: answer(new)[
        "properties"
    ].update(state={"enum": ["ok", "failed"], "type": "string"}),
    "POST /shop/ 200.tags[]: string became integer": lambda new: answer(new)["properties"][
        "tags"
    ].update(items={"type": "integer"}),
    "POST /shop/ 200.owner.email is removed": lambda new: owner(new).clear(),
}

ADDITIONS: dict[str, Change] = {
    "a path": lambda new: new["paths"].update({"/new/": {}}),
    "a status": lambda new: post(new)["responses"].update({"409": {}}),
    "a parameter": lambda new: post(new)["parameters"].append(
        {"in": "query", "name": "more", "schema": {}}
    ),
    "a property of the request": lambda new: body(new)["properties"].update(more={}),
    "a property of the answer": lambda new: answer(new)["properties"].update(more={}),
    "a value that is taken": lambda new: body(new)["properties"]["kind"]["enum"].append("c"),
    "a type that is taken": lambda new: body(new)["properties"].update(name={}),
    "a property that may be left out": lambda new: body(new)["required"].clear(),
}


@pytest.mark.parametrize("expected", CHANGES)
def test_it_names_what_breaks(expected: str) -> None:
    new = copy.deepcopy(OLD)
    CHANGES[expected](new)

    assert list(breaks(OLD, new)) == [expected]


@pytest.mark.parametrize("addition", ADDITIONS)
def test_what_is_added_breaks_nobody(addition: str) -> None:
    new = copy.deepcopy(OLD)
    ADDITIONS[addition](new)

    assert not list(breaks(OLD, new))


def test_our_own_api_does_not_break_itself() -> None:
    own = json.loads((ROOT / "frontend/openapi.json").read_text())

    assert not list(breaks(own, own))


@pytest.fixture
def schema(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Commit the schema to a repository of its own."""
    monkeypatch.chdir(tmp_path)
    schema = tmp_path / "frontend/openapi.json"
    schema.parent.mkdir()
    schema.write_text(json.dumps(OLD))
    (tmp_path / "pipeline.toml").write_text((ROOT / "pipeline.toml").read_text())
    for command in (["init", "-qb", "main"], ["add", "."], ["commit", "-qm", "Begin"]):
        git(*command)
    return schema


def test_a_break_is_refused_unless_the_version_says_that_it_is_meant(
    schema: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    new = copy.deepcopy(OLD)
    post(new)["responses"].pop("404")
    schema.write_text(json.dumps(new))
    with pytest.raises(CheckFailedError, match="in 1 places"):
        main()
    new["info"]["version"] = "2.0.0"
    schema.write_text(json.dumps(new))
    main()

    assert capsys.readouterr().out == "POST /shop/ no longer answers 404\n" * 2


def test_what_a_product_was_copied_from_had_no_clients(schema: Path) -> None:
    Path("pipeline.toml").write_text(f'[ci]\nmain = "main"\n[template]\ncommit = "{head().sha}"\n')
    lesser = copy.deepcopy(OLD)
    post(lesser)["responses"].pop("404")
    schema.write_text(json.dumps(lesser))
    main()
    git("commit", "-qam", "Make it a product")
    main()
    del lesser["paths"]["/shop/"]
    schema.write_text(json.dumps(lesser))
    with pytest.raises(CheckFailedError, match="in 1 places"):
        main()


def test_the_first_schema_breaks_nothing(schema: Path) -> None:
    git("rm", "-q", "--cached", str(schema))
    git("commit", "-qm", "None", "--amend", "--allow-empty")

    main()
