"""The JSON schema and the reference of pipeline.toml, generated from what declares its keys."""

import ast
import json
from collections.abc import Iterator, Mapping
from datetime import date
from inspect import getsourcefile
from pathlib import Path
from typing import Any

from pipeline.escaping import markdown_table
from pipeline.files import read_text
from pipeline.settings import Settings
from pipeline.toml_checker import type_parts
from pipeline.toml_schema import Kind, Table

SCHEMA_FILE = Path("docs", "pipeline.schema.json")
_TYPES = {str: "string", int: "integer", float: "number", bool: "boolean", date: "string"}
_HEADER = ("key", "meaning", "value", "default")
_ENTRY = "NAME"
"""Any name in the path of a table."""

_Schema = dict[str, Any]


def render_schema() -> str:
    """Return the JSON schema of pipeline.toml: https://json-schema.org/draft/2020-12."""
    content = {"$schema": "https://json-schema.org/draft/2020-12/schema", **_of_kind(Settings)}
    return json.dumps(content, indent=2) + "\n"


def reference() -> str:
    """Return a Markdown section for each table of pipeline.toml, with its keys."""
    return "\n\n".join(_sections("", Settings))


def _of_kind(kind: Kind) -> _Schema:
    """Return the JSON schema of a type annotation."""
    types, table, inner, must = type_parts(kind)
    if table:
        return _of_table(table)
    base: _Schema = {"type": _TYPES.get(types[-1])}
    if types == (list,):
        base = {"type": "array", "items": _of_kind(inner[0]), "uniqueItems": not must.repeats}
    elif types == (dict,):
        names = dict(type_parts(inner[0]).must.json_schema)
        base = {"type": "object", "additionalProperties": _of_kind(inner[1])}
        base |= {"propertyNames": names} if names else {}
    elif types == (date,):
        base["format"] = "date"
    return base | dict(must.json_schema)


def _of_table(table: type[Table]) -> _Schema:
    documents = _documents(table)
    properties = {
        key: {**_of_kind(kind), "description": documents.get(key, "")}
        for key, kind in table.KEYS.items()
        if key not in table.DERIVED
    }
    required = [key for key in properties if key not in table.DEFAULTS]
    rest = _of_kind(table.REST) if table.REST else False
    found = {"type": "object", "properties": properties, "additionalProperties": rest}
    return found | ({"required": required} if required else {})


def _documents(table: type[Table]) -> Mapping[str, str]:
    """Return the docstring of each key: the text below it in the source."""
    tables = [each for each in table.__mro__ if issubclass(each, Table) and each is not Table]
    return dict(entry for each in reversed(tables) for entry in _own_documents(each))


def _own_documents(table: type[Table]) -> Iterator[tuple[str, str]]:
    tree = ast.parse(read_text(Path(getsourcefile(table) or "")))
    node = next(
        each for each in tree.body if isinstance(each, ast.ClassDef) and each.name == table.__name__
    )
    for key, below in zip(node.body, node.body[1:], strict=False):
        match key, below:
            case ast.AnnAssign(target=ast.Name(name)), ast.Expr(ast.Constant(str(text))):
                yield name, " ".join(text.split())


def _sections(path: str, table: type[Table]) -> Iterator[str]:
    """Yield the section of a table, and of each table in it."""
    documents, rows, below = _documents(table), [], list[tuple[str, type[Table]]]()
    for key, kind in table.KEYS.items():
        if key in table.DERIVED:
            continue
        if found := _inner_table(kind):
            below.append((f"{path}.{key}".lstrip(".") + found[1], found[0]))
        else:
            rows.append(_row(table, key, kind, documents.get(key, "")))
    title = f"`[{path}]`" if path else "Top level"
    text = " ".join((table.__doc__ or "").split())
    if rows:
        yield f"## {title}\n\n{text}\n\n{markdown_table(_HEADER, rows)}"
    for inner, each in below:
        yield from _sections(inner, each)


def _inner_table(kind: Kind) -> tuple[type[Table], str] | None:
    """Return the table of a key, and what follows the key in its path."""
    types, table, inner, _ = type_parts(kind)
    if table:
        return table, ""
    if types == (dict,) and (entry := type_parts(inner[1]).table):
        return entry, f".{_ENTRY}"
    return None


def _row(table: type[Table], key: str, kind: Kind, document: str) -> tuple[str, str, str, str]:
    default = "required"
    if key in table.DEFAULTS:
        default = f"`{json.dumps(table.DEFAULTS[key], default=str)}`"
    return f"`{key}`", document, _value(kind), default


def _value(kind: Kind) -> str:
    """Return what a value must be, in words."""
    types, _, inner, must = type_parts(kind)
    if types == (dict,):
        return f"a table; each value: {_value(inner[1])}"
    if types == (list,) and must.description == "a list in square brackets":
        return f"a list; each item: {_value(inner[0])}"
    return must.description
