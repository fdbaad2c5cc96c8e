"""Find what a change of the API breaks for clients that know the API of before.

python -m pipeline.gates.api_break

The client's schema is compared with the one that the work started from. A break that is meant is
said by the API's version: where its first number is higher than before, nothing is refused. Nor is
it when a copy of the template becomes a product: nobody was a client of what it was copied from.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.errors import CheckFailedError, judged, reported
from pipeline.files import parse_json, read_json
from pipeline.gates.change import release_before
from pipeline.git import file_at

CHECK = "api-break"
SCHEMA = Path("frontend", "openapi.json")

Node = Mapping[str, Any]


def main() -> None:
    """Compare, and judge.

    Raises:
        CheckFailedError: Names everything that breaks a client of before.
        NotJudgedError: What the work started from is not here.
    """
    commit = release_before(CHECK)
    before = file_at(commit, SCHEMA.as_posix()) if commit else None
    judged(CHECK)
    if before is None:
        return
    old, new = parse_json(f"{SCHEMA} of {commit}", before), read_json(SCHEMA)
    found = list(dict.fromkeys(breaks(old, new)))
    print("\n".join(found) or "nothing breaks")
    if found and major(new) <= major(old):
        raise CheckFailedError(
            f"the API breaks what was built against it, in {len(found)} places (above)",
            hint="add instead of changing; or raise the first number of the version in "
            "backend/config/api.py, if every client is changed with it",
        )


def major(schema: Node) -> int:
    """Return the first number of an API's version."""
    return int(schema["info"]["version"].split(".")[0])


def breaks(old: Node, new: Node) -> Iterator[str]:
    """Return a sentence for everything that breaks a client of the old schema."""
    for path, operations in old["paths"].items():
        for method, before in operations.items():
            where = f"{method.upper()} {path}"
            after = new["paths"].get(path, {}).get(method)
            if after is None:
                yield f"{where} is removed"
            else:
                yield from Comparison(old, new).operations(where, before, after)


@dataclass(frozen=True)
class Comparison:
    """Two schemas, whose references are followed."""

    old: Node
    new: Node

    def operations(self, where: str, old: Node, new: Node) -> Iterator[str]:
        """Compare what an operation takes and what it answers."""
        yield from self.parameters(where, old, new)
        yield from self.schemas(f"{where} request", body(old), body(new), sent=True)
        if new.get("requestBody", {}).get("required") and "requestBody" not in old:
            yield f"{where} request is newly required"
        for status, answer in old["responses"].items():
            if status not in new["responses"]:
                yield f"{where} no longer answers {status}"
            else:
                after = content(new["responses"][status])
                yield from self.schemas(f"{where} {status}", content(answer), after, sent=False)

    def parameters(self, where: str, old: Node, new: Node) -> Iterator[str]:
        """Compare what stands in the path, the query and the headers."""
        before, after = named(old), named(new)
        for name in before:
            if name not in after:
                yield f"{where} {name} is removed"
            else:
                each = before[name]["schema"], after[name]["schema"]
                yield from self.schemas(f"{where} {name}", *each, sent=True)
        for name, parameter in after.items():
            if parameter.get("required") and not before.get(name, {}).get("required"):
                yield f"{where} {name} is newly required"

    def schemas(self, where: str, old: Node, new: Node, *, sent: bool) -> Iterator[str]:
        """Compare two schemas: what is sent must still be taken, what comes still be understood."""
        old, new = resolved(old, self.old), resolved(new, self.new)
        wide, narrow = (new, old) if sent else (old, new)
        if not narrower(kinds(narrow, self), kinds(wide, self)):
            yield f"{where}: {listed(kinds(old, self))} became {listed(kinds(new, self))}"
            return
        if not narrower(values(narrow), values(wide)):
            yield f"{where}: {listed(values(old))} became {listed(values(new))}"
        if "items" in old and "items" in new:
            yield from self.schemas(f"{where}[]", old["items"], new["items"], sent=sent)
        yield from self.properties(where, old, new, sent=sent)

    def properties(self, where: str, old: Node, new: Node, *, sent: bool) -> Iterator[str]:
        """Compare the properties of two objects."""
        before, after = old.get("properties", {}), new.get("properties", {})
        for name, schema in before.items():
            if name not in after:
                yield f"{where}.{name} is removed"
            else:
                yield from self.schemas(f"{where}.{name}", schema, after[name], sent=sent)
        was, now = set(old.get("required", [])), set(new.get("required", []))
        if sent:
            yield from (f"{where}.{name} is newly required" for name in sorted(now - was))
        else:
            gone = sorted((was - now) & set(after))
            yield from (f"{where}.{name} is not always there any more" for name in gone)


def body(operation: Node) -> Node:
    """Return the schema of what an operation takes."""
    return content(operation.get("requestBody", {}))


def content(message: Node) -> Node:
    """Return the schema of a message, whatever its media type is called."""
    media: dict[str, Any] = next(iter(message.get("content", {}).values()), {})
    schema: Node = media.get("schema", {})
    return schema


def named(operation: Node) -> dict[str, Node]:
    """Return the parameters of an operation by place and name."""
    return {f"{each['in']} {each['name']}": each for each in operation.get("parameters", [])}


def resolved(schema: Node, root: Node) -> Node:
    """Return what a schema refers to; of something that may be null, the something."""
    choices = [each for each in schema.get("anyOf", []) if each.get("type") != "null"]
    if len(choices) == 1:
        return {"nullable": True, **resolved(choices[0], root)}
    if "$ref" not in schema:
        return schema
    found: Node = root["components"]["schemas"][schema["$ref"].rsplit("/", 1)[-1]]
    return found


def kinds(schema: Node, comparison: Comparison) -> set[str] | None:
    """Return the types that a value may have; None for any."""
    if "anyOf" in schema:
        each = [kinds(choice, comparison) for choice in schema["anyOf"]]
        return None if None in each else set().union(*filter(None, each))
    if "type" not in schema:
        return {"object"} if "$ref" in schema else None
    found = {schema["type"]} if isinstance(schema["type"], str) else set(schema["type"])
    return found | ({"null"} if schema.get("nullable") else set())


def values(schema: Node) -> set[str] | None:
    """Return the values that are possible, if they are listed; None for any."""
    found = schema.get("enum", [schema["const"]] if "const" in schema else None)
    return None if found is None else {json.dumps(value) for value in found}


def narrower(inner: set[str] | None, outer: set[str] | None) -> bool:
    """Tell whether all of the one is in the other."""
    return outer is None or (inner is not None and inner <= outer)


def listed(names: set[str] | None) -> str:
    """Return names for people."""
    return "anything" if names is None else " | ".join(sorted(names))


if __name__ == "__main__":
    with reported():
        main()
