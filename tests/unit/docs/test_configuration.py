"""The JSON schema and the reference of pipeline.toml follow the declarations of its keys."""

import json
import tomllib
from datetime import date
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from pipeline.docs.configuration import SCHEMA_FILE, reference, render_schema
from tests import settings
from tests.conftest import ROOT

SCHEMA = json.loads(render_schema())


def as_json(value: Any) -> Any:  # noqa: ANN401 - TOML
    """Return a TOML value as an editor hands it to the schema: a date is a text."""
    if isinstance(value, dict):
        return {key: as_json(each) for key, each in value.items()}
    if isinstance(value, list):
        return [as_json(each) for each in value]
    return value.isoformat() if isinstance(value, date) else value


def errors(text: str) -> list[str]:
    content = as_json(tomllib.loads(text))
    return [error.message for error in Draft202012Validator(SCHEMA).iter_errors(content)]


def test_schema_is_valid() -> None:
    Draft202012Validator.check_schema(SCHEMA)


def test_schema_is_up_to_date() -> None:
    assert (ROOT / SCHEMA_FILE).read_text() == render_schema()


def test_schema_accepts_this_repository() -> None:
    text = (ROOT / "pipeline.toml").read_text()
    assert text.startswith(f"#:schema {SCHEMA_FILE}\n")
    assert errors(text) == []
    assert errors(settings.text()) == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"images": {"platform": []}}, "'platform' was unexpected"),
        ({"images": {"platforms": "linux/amd64"}}, "is not of type 'array'"),
        ({"images": {"max_scan_age_days": 0}}, "0 is less than the minimum of 1"),
        ({"name": "Shop"}, "'Shop' does not match"),
        ({"name": None}, "'name' is a required property"),
        ({"secrets": {"required": ["A", "A"]}}, "has non-unique elements"),
        ({"secrets": {"generate": {"lower": "x"}}}, "'lower' does not match"),
        ({"python": {"3.12": {"end_of_life": 3}}}, "3 is not of type 'string'"),
    ],
)
def test_schema_refuses(change: settings.Content, message: str) -> None:
    assert any(message in error for error in errors(settings.text(change)))


def test_every_key_has_a_meaning() -> None:
    lines = [line for line in reference().splitlines() if line.startswith("| `")]
    assert len(lines) > 100
    assert [line for line in lines if line.split(" | ")[1].strip() == ""] == []
