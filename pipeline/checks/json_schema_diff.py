"""Compare two JSON schemas: whether every value of the one is valid in the other.

https://json-schema.org/draft/2020-12/json-schema-validation
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Node = Mapping[str, Any]

_LOWEST = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
_HIGHEST = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
_FORMS = ("pattern", "format", "multipleOf", "uniqueItems")
_UNIONS = ("anyOf", "oneOf")
_NULL = {"type": "null"}


@dataclass(frozen=True)
class SchemaComparison:
    """Two documents, whose references are resolved."""

    old: Node
    new: Node
    in_progress: set[str] = field(default_factory=set)
    """Comparisons in progress, as a schema may contain itself."""

    def schemas(self, where: str, old: Node, new: Node, *, sent: bool) -> Iterator[str]:
        """Compare two schemas.

        Old requests must stay valid, and new responses must fit the old one.
        """
        pair = json.dumps([old, new, sent])
        if pair not in self.in_progress:
            self.in_progress.add(pair)
            each = _resolve_schema(old, self.old), _resolve_schema(new, self.new)
            yield from self._resolved(where, *each, sent=sent)
            self.in_progress.discard(pair)

    def _resolved(self, where: str, old: Node, new: Node, *, sent: bool) -> Iterator[str]:
        wide, narrow = (new, old) if sent else (old, new)
        if not _is_subset(_allowed_types(narrow), _allowed_types(wide)):
            before, after = _format_set(_allowed_types(old)), _format_set(_allowed_types(new))
            yield f"{where}: {before} became {after}"
        elif not _is_subset(_allowed_values(narrow), _allowed_values(wide)):
            before, after = _format_set(_allowed_values(old)), _format_set(_allowed_values(new))
            yield f"{where}: {before} became {after}"
        elif len(_schema_choices(old)) > 1 or len(_schema_choices(new)) > 1:
            yield from self.unions(where, _schema_choices(old), _schema_choices(new), sent=sent)
        else:
            yield from (f"{where}: {limit}" for limit in _removed_limits(old, new, wide, narrow))
            yield from self.items(where, old, new, sent=sent)
            yield from self.properties(where, old, new, sent=sent)

    def unions(
        self, where: str, old: Sequence[Node], new: Sequence[Node], *, sent: bool
    ) -> Iterator[str]:
        """Compare two unions: each schema of the one must fit one of the other."""
        for number, choice in enumerate(old if sent else new, start=1):
            others = new if sent else old
            pairs = [(choice, other) if sent else (other, choice) for other in others]
            if all([*self.schemas(where, *pair, sent=sent)] for pair in pairs):
                change = "is no longer accepted" if sent else "is a new one"
                yield f"{where}: choice {number} {change}"

    def items(self, where: str, old: Node, new: Node, *, sent: bool) -> Iterator[str]:
        """Compare the items of two lists, or the additional properties of two objects."""
        for key, suffix in (("items", "[]"), ("additionalProperties", ".*")):
            before, after = old.get(key), new.get(key)
            if isinstance(before, Mapping) and isinstance(after, Mapping):
                yield from self.schemas(f"{where}{suffix}", before, after, sent=sent)
        if sent and new.get("additionalProperties") is False is not old.get("additionalProperties"):
            yield f"{where} no longer accepts other properties"

    def properties(self, where: str, old: Node, new: Node, *, sent: bool) -> Iterator[str]:
        """Compare the properties of two objects."""
        before, after = old.get("properties", {}), new.get("properties", {})
        for name, schema in before.items():
            if name not in after:
                yield f"{where}.{name} is removed"
            else:
                yield from self.schemas(f"{where}.{name}", schema, after[name], sent=sent)
        required_before, required_now = set(old.get("required", [])), set(new.get("required", []))
        if sent:
            yield from (
                f"{where}.{name} is newly required"
                for name in sorted(required_now - required_before)
            )
        else:
            gone = sorted((required_before - required_now) & set(after))
            yield from (f"{where}.{name} is no longer always present" for name in gone)


def _resolve_schema(schema: Node, root: Node) -> Node:
    """Return a schema with its references and unions resolved, and `allOf` merged."""
    while "$ref" in schema:
        schema = root["components"]["schemas"][schema["$ref"].rsplit("/", 1)[-1]]
    for union in _UNIONS:
        if union in schema:
            inner = [_resolve_schema(each, root) for each in schema[union]]
            return _one_of([choice for each in inner for choice in _schema_choices(each)])
    if "allOf" in schema:
        return _all_of([_resolve_schema(each, root) for each in schema["allOf"]], schema)
    return schema


def _one_of(found: Sequence[Node]) -> Node:
    """Return a union of schemas; a union with null only becomes a nullable schema."""
    others = [each for each in found if each.get("type") != "null"]
    if len(others) == 1:
        return {**others[0], "nullable": len(found) > 1 or others[0].get("nullable", False)}
    return {"anyOf": [*others, *([_NULL] if len(found) > len(others) else [])]}


def _all_of(found: Sequence[Node], schema: Node) -> Node:
    """Return one schema with the constraints of several."""
    parts = [*found, {key: value for key, value in schema.items() if key != "allOf"}]
    merged: dict[str, Any] = {key: value for part in parts for key, value in part.items()}
    properties = [part.get("properties", {}) for part in parts]
    required = {name for part in parts for name in part.get("required", [])}
    everything = {name: value for each in properties for name, value in each.items()}
    return {**merged, "properties": everything, "required": sorted(required)}


def _schema_choices(schema: Node) -> Sequence[Node]:
    """Return the choices of a resolved schema: itself, if it is not a union."""
    found: Sequence[Node] = schema.get("anyOf", [schema])
    return found


def _allowed_types(schema: Node) -> set[str] | None:
    """Return the types of a value; None for any."""
    if "anyOf" in schema:
        each = [_allowed_types(choice) for choice in schema["anyOf"]]
        return None if None in each else set().union(*filter(None, each))
    if "type" not in schema:
        return None
    found = {schema["type"]} if isinstance(schema["type"], str) else set(schema["type"])
    return found | ({"null"} if schema.get("nullable") else set())


def _allowed_values(schema: Node) -> set[str] | None:
    """Return the values of an enum; None for any."""
    found = schema.get("enum", [schema["const"]] if "const" in schema else None)
    return None if found is None else {json.dumps(value) for value in found}


def _removed_limits(old: Node, new: Node, wide: Node, narrow: Node) -> Iterator[str]:
    """Yield every constraint that excludes values that were allowed."""
    for key in (*_LOWEST, *_HIGHEST, *_FORMS):
        bound, other = wide.get(key), narrow.get(key)
        if bound is None or bound == other:
            continue
        within = other is not None and (
            (key in _LOWEST and other >= bound) or (key in _HIGHEST and other <= bound)
        )
        if not within:
            yield f"{key} was {old.get(key, 'none')}, and is {new.get(key, 'none')}"


def _is_subset(inner: set[str] | None, outer: set[str] | None) -> bool:
    """Return whether one set is inside the other; an integer is a number."""
    if inner is None or outer is None:
        return outer is None
    return inner <= outer | ({"integer"} if "number" in outer else set())


def _format_set(names: set[str] | None) -> str:
    """Return names as text."""
    return "anything" if names is None else " | ".join(sorted(names))
