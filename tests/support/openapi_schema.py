"""GitHub's own description of its REST API: routes, and the schemas of bodies."""

import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, cast

from jsonschema import Draft7Validator

Json = Any
DESCRIPTION = json.loads(Path(__file__).with_name("openapi.json").read_text())


def operation(method: str, path: str) -> Mapping[str, Any] | None:
    """Return the operation of a request; None, if there is no such route."""
    for template, methods in DESCRIPTION["paths"].items():
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path) and method in methods:
            return cast("Mapping[str, Any]", methods[method])
    return None


def schema_of(content: Mapping[str, Any]) -> Json:
    """Return the schema of a body, as JSON Schema has it; None, if there is no body."""
    return plain(content.get("content", {}).get("application/json", {}).get("schema"))


def schema_errors(schema: Json, body: Json) -> list[str]:
    """Return what does not fit."""
    found = validator(json.dumps(schema)).iter_errors(body)
    return [f"{error.json_path}: {error.message[:200]}" for error in found]


@cache
def validator(schema: str) -> Draft7Validator:
    """Return a validator for a schema, whose references are resolved."""
    return Draft7Validator({**json.loads(schema), "components": COMPONENTS})


def plain(schema: Json) -> Json:
    """Return a schema of OpenAPI 3.0 as JSON Schema: `nullable` is one more type."""
    if isinstance(schema, list):
        return [plain(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: plain(value) for key, value in schema.items() if key != "nullable"}
    if schema.get("nullable") is True and "type" in made:
        made["type"] = [made["type"], "null"]
        made |= {"enum": [*made["enum"], None]} if "enum" in made else {}
    return made


COMPONENTS = plain(DESCRIPTION["components"])


def resolved(schema: Json) -> Json:
    """Return what a schema points to, or itself."""
    if "$ref" not in schema:
        return schema
    kind, name = schema["$ref"].split("/")[-2:]
    return COMPONENTS[kind][name]


def complete_response(schema: Json, given: Json) -> Json:
    """Return a value with all required properties added."""
    schema = resolved(schema)
    if isinstance(given, list):
        return [complete_response(schema.get("items", {}), each) for each in given]
    if not isinstance(given, dict):
        return given
    for choice in (*schema.get("anyOf", ()), *schema.get("oneOf", ())):
        made = complete_response(choice, given)
        if not schema_errors(choice, made):
            return made
    known = schema.get("properties", {})
    missing = {
        key: minimal_value(known[key]) for key in schema.get("required", ()) if key not in given
    }
    return {
        key: complete_response(known.get(key, {}), value) for key, value in given.items()
    } | missing


def minimal_value(schema: Json) -> Json:
    """Return the simplest value that a schema admits."""
    schema = resolved(schema)
    if "enum" in schema:
        return schema["enum"][0]
    if choices := schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf"):
        return minimal_value(choices[0])
    kind = schema.get("type", "object")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind == "object":
        known = schema.get("properties", {})
        return {key: minimal_value(known[key]) for key in schema.get("required", ())}
    return {"string": "", "integer": 1, "number": 1, "boolean": False, "array": []}[kind]
