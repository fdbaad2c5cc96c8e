"""A change of the API that breaks its clients is found, and one that adds is not."""

import copy
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline.checks.openapi_diff import breaking_changes, main, major_version
from pipeline.errors import CheckFailedError, InputError
from pipeline.git import head
from tests import settings
from tests.conftest import ROOT

Schema = dict[str, Any]
Change = Callable[[Schema], object]


def object_of(**names: int) -> Schema:
    """Return the schema of an object that has these properties, and no other."""
    properties = {name: {"type": "integer"} for name in names}
    closed = {"additionalProperties": False, "required": [*names]}
    return {"type": "object", "properties": properties, **closed}


BODY: Schema = {
    "type": "object",
    "required": ["name"],
    "properties": {
        "name": {"type": "string", "maxLength": 50},
        "kind": {"enum": ["a", "b"], "type": "string"},
        "wanted": {"oneOf": [object_of(a=1), object_of(a=1, b=2)]},
    },
}
ANSWER: Schema = {
    "type": "object",
    "required": ["id", "owner"],
    "properties": {
        "id": {"type": "integer"},
        "owner": {"anyOf": [{"$ref": "#/components/schemas/Owner"}, {"type": "null"}]},
        "tags": {"type": "array", "items": {"type": "string"}},
        "state": {"const": "ok", "type": "string"},
        "made": {"type": "string", "format": "date"},
        "prices": {"type": "object", "additionalProperties": {"type": "integer"}},
        "kept": {"anyOf": [object_of(id=1), object_of(id=1, at=2)]},
        "parts": {"type": "array", "items": {"$ref": "#/components/schemas/Part"}},
        "both": {"allOf": [object_of(a=1), object_of(b=2)]},
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
        "schemas": {
            "Owner": {"type": "object", "properties": {"email": {"type": "string"}}},
            "Part": {
                "type": "object",
                "properties": {
                    "name": {"type": "string"},
                    "parts": {"type": "array", "items": {"$ref": "#/components/schemas/Part"}},
                },
            },
        }
    },
}


def git(*arguments: str) -> None:
    """Run git with a user name."""
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


def kept(schema: Schema) -> list[Schema]:
    found: list[Schema] = answer(schema)["properties"]["kept"]["anyOf"]
    return found


def recast(message: Schema, media: str) -> None:
    """Give a message another media type."""
    (schema,) = message["content"].values()
    message["content"] = {media: schema}


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
    "POST /shop/ 200.id is no longer always present": lambda new: answer(new)["required"].remove(
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
    "POST /shop/ newly needs SessionAuth": lambda new: post(new).update(
        security=[{"SessionAuth": []}]
    ),
    "POST /shop/ newly needs Key": lambda new: new.update(security=[{"Key": []}]),
    "POST /shop/ request is newly required": lambda new: post(new)["requestBody"].update(
        required=True
    ),
    "POST /shop/ request no longer accepts json": lambda new: recast(
        post(new)["requestBody"], "multipart/form-data"
    ),
    "POST /shop/ 200 may come as text/csv": lambda new: post(new)["responses"]["200"][
        "content"
    ].update({"text/csv": {}}),
    "POST /shop/ 200 has no content any more": lambda new: post(new)["responses"]["200"].clear(),
    "POST /shop/ request.name: maxLength was 50, and is 40": lambda new: body(new)["properties"][
        "name"
    ].update(maxLength=40),
    "POST /shop/ request.name: minLength was none, and is 1": lambda new: body(new)["properties"][
        "name"
    ].update(minLength=1),
    "POST /shop/ request.name: pattern was none, and is ^a": lambda new: body(new)["properties"][
        "name"
    ].update(pattern="^a"),
    "POST /shop/ 200.made: format was date, and is date-time": lambda new: answer(new)[
        "properties"
    ]["made"].update(format="date-time"),
    "POST /shop/ request no longer accepts other properties": lambda new: body(new).update(
        additionalProperties=False
    ),
    "POST /shop/ 200.prices.*: integer became number": lambda new: answer(new)["properties"][
        "prices"
    ].update(additionalProperties={"type": "number"}),
    "POST /shop/ 200.kept: choice 2 is a new one": lambda new: kept(new)[1].update(
        properties={"id": {"type": "string"}}
    ),
    "POST /shop/ request.wanted: choice 1 is no longer accepted": lambda new: body(new)[
        "properties"
    ]["wanted"]["oneOf"].pop(0),
    "POST /shop/ 200.parts[].name: string became integer": lambda new: new["components"]["schemas"][
        "Part"
    ]["properties"].update(name={"type": "integer"}),
    "POST /shop/ 200.both.b is removed": lambda new: answer(new)["properties"]["both"]["allOf"][
        1
    ].clear(),
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
    "a way in": lambda new: post(new).update(security=[{"SessionAuth": []}, {}]),
    "a longer text that is taken": lambda new: body(new)["properties"]["name"].pop("maxLength"),
    "any number where a whole one is taken": lambda new: parameter(new).update(
        schema={"type": "number"}
    ),
    "a choice that is taken": lambda new: body(new)["properties"]["wanted"]["oneOf"].append(
        object_of(c=3)
    ),
    "another media type of JSON": lambda new: recast(
        post(new)["responses"]["200"], "application/problem+json"
    ),
    "a word on what the path is": lambda new: new["paths"]["/shop/"].update(summary="Shop"),
}


@pytest.mark.parametrize("expected", CHANGES)
def test_it_names_what_breaks(expected: str) -> None:
    new = copy.deepcopy(OLD)
    CHANGES[expected](new)

    assert list(breaking_changes(OLD, new)) == [expected]


@pytest.mark.parametrize("addition", ADDITIONS)
def test_what_is_added_breaks_nobody(addition: str) -> None:
    new = copy.deepcopy(OLD)
    ADDITIONS[addition](new)

    assert not list(breaking_changes(OLD, new))


def test_a_schema_that_may_hold_itself_comes_to_an_end() -> None:
    old, new = copy.deepcopy(OLD), copy.deepcopy(OLD)
    own = {"anyOf": [{"$ref": "#/components/schemas/Part"}, {"type": "null"}]}
    for schema, kind in ((old, "string"), (new, "integer")):
        part = schema["components"]["schemas"]["Part"]
        part["properties"] = {"name": {"type": kind}, "of": own}

    assert list(breaking_changes(old, new)) == [
        "POST /shop/ 200.parts[].name: string became integer",
        "POST /shop/ 200.parts[].of.name: string became integer",
    ]


def test_our_own_api_does_not_break_itself() -> None:
    own = json.loads((ROOT / "frontend/openapi.json").read_text())

    assert not list(breaking_changes(own, own))


@pytest.fixture
def schema(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Commit the schema to a repository of its own."""
    monkeypatch.chdir(tmp_path)
    schema = tmp_path / "frontend/openapi.json"
    schema.parent.mkdir()
    schema.write_text(json.dumps(OLD))
    (tmp_path / "pipeline.toml").write_text((ROOT / "pipeline.toml").read_text())
    for command in (["init", "-qb", "main"], ["add", "."], ["commit", "-qm", "Initial commit"]):
        git(*command)
    return schema


def test_a_break_is_refused_unless_the_version_says_that_it_is_meant(
    schema: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    new = copy.deepcopy(OLD)
    post(new)["responses"].pop("404")
    schema.write_text(json.dumps(new))
    with pytest.raises(CheckFailedError, match="listed above: 1"):
        main()
    new["info"]["version"] = "2.0.0"
    schema.write_text(json.dumps(new))
    main()

    assert capsys.readouterr().out == "POST /shop/ no longer answers 404\n" * 2


@pytest.mark.parametrize(("version", "number"), [("2.0.0", 2), ("v3.1", 3), ("2026-11", 2026)])
def test_a_version_is_read_in_any_form(version: str, number: int) -> None:
    assert major_version({"info": {"version": version}}) == number


def test_a_version_without_a_number_is_refused() -> None:
    with pytest.raises(InputError, match="does not begin with a number: `next`"):
        major_version({"info": {"version": "next"}})


def test_what_a_product_was_copied_from_had_no_clients(schema: Path) -> None:
    Path("pipeline.toml").write_text(settings.text({"template": {"commit": head().sha}}))
    lesser = copy.deepcopy(OLD)
    post(lesser)["responses"].pop("404")
    schema.write_text(json.dumps(lesser))
    main()
    git("commit", "-qam", "Make it a product")
    main()
    del lesser["paths"]["/shop/"]
    schema.write_text(json.dumps(lesser))
    with pytest.raises(CheckFailedError, match="listed above: 1"):
        main()


def test_the_first_schema_breaks_nothing(schema: Path) -> None:
    git("rm", "-q", "--cached", str(schema))
    git("commit", "-qm", "None", "--amend", "--allow-empty")

    main()
