"""Find breaking changes of the API.

python -m pipeline.checks.openapi_diff

The schema is compared with that of the baseline commit. Breaking changes are allowed if the major
version of the API is higher than before. The API of the template itself has no clients.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline.checks.baseline import previous_release_commit
from pipeline.checks.json_schema_diff import Node, SchemaComparison
from pipeline.config import load
from pipeline.errors import CheckFailedError, InputError, clear_inconclusive, handle_errors
from pipeline.files import parse_json, read_json
from pipeline.git import read_file_at

_CHECK = "api-break"
_METHODS = {"delete", "get", "head", "options", "patch", "post", "put", "trace"}

_Schemas = Mapping[str, Node]


def main() -> None:
    """Compare the schemas.

    Raises:
        CheckFailedError: Names every breaking change.
        InputError: The API has no version that can be compared.
        InconclusiveError: The baseline commit does not exist here.
    """
    commit, file = previous_release_commit(_CHECK), load().layout.api_schema
    before = read_file_at(commit, file.as_posix()) if commit else None
    clear_inconclusive(_CHECK)
    if before is None:
        return
    old, new = parse_json(f"{file} of {commit}", before), read_json(file)
    found = list(dict.fromkeys(breaking_changes(old, new)))
    print("\n".join(found) or "no breaking change")
    if found and major_version(new) <= major_version(old):
        raise CheckFailedError(
            f"breaking changes of the API, listed above: {len(found)}",
            hint=f"add instead of changing; or raise the major version in {_version_file()}",
        )


def major_version(schema: Node) -> int:
    """Return the major version of an API.

    Raises:
        InputError: The version does not begin with a number.
    """
    version = str(schema["info"]["version"])
    if found := re.match(r"v?(\d+)", version):
        return int(found[1])
    raise InputError(
        f"the version of the API does not begin with a number: `{version}`",
        hint=f"set a version such as 2.0.0 in {_version_file()}",
    )


def _version_file() -> Path:
    layout = load().layout
    return Path(layout.backend, layout.api_version)


def breaking_changes(old: Node, new: Node) -> Iterator[str]:
    """Yield a sentence for every change that breaks a client of the old schema."""
    after = {(path, method): found for path, method, found in _operations(new)}
    for path, method, before in _operations(old):
        where = f"{method.upper()} {path}"
        if (path, method) not in after:
            yield f"{where} is removed"
        else:
            yield from _changed_operation(
                where, before, after[path, method], SchemaComparison(old, new)
            )


def _operations(schema: Node) -> Iterator[tuple[str, str, Node]]:
    """Yield every operation with its path and method, with shared parameters and security."""
    shared = {"security": schema.get("security", [])}
    for path, item in schema["paths"].items():
        for method in sorted(_METHODS & {*item}):
            parameters = [*item.get("parameters", []), *item[method].get("parameters", [])]
            yield path, method, {**shared, **item[method], "parameters": parameters}


def _changed_operation(
    where: str, old: Node, new: Node, comparison: SchemaComparison
) -> Iterator[str]:
    """Compare the security, the request and the responses of an operation."""
    if not all(
        any(way <= each for way in _security_alternatives(new))
        for each in _security_alternatives(old)
    ):
        ways = " or ".join(" and ".join(sorted(way)) for way in _security_alternatives(new))
        yield f"{where} newly needs {ways}"
    yield from _parameters(where, _parameters_by_name(old), _parameters_by_name(new), comparison)
    yield from _request(f"{where} request", old, new, comparison)
    for status, answer in old["responses"].items():
        if status not in new["responses"]:
            yield f"{where} no longer answers {status}"
        else:
            after = new["responses"][status]
            yield from _response(
                f"{where} {status}", _message_schemas(answer), _message_schemas(after), comparison
            )


def _response(
    where: str, old: _Schemas, new: _Schemas, comparison: SchemaComparison
) -> Iterator[str]:
    """Compare a response; any content may be added to a response without content."""
    if old and not new:
        yield f"{where} has no content any more"
    for kind in sorted(new.keys() - old.keys()) if old else ():
        yield f"{where} may come as {kind}"
    for kind in old.keys() & new.keys():
        yield from comparison.schemas(where, old[kind], new[kind], sent=False)


def _request(where: str, old: Node, new: Node, comparison: SchemaComparison) -> Iterator[str]:
    """Compare a request body."""
    before, after = (_message_schemas(each.get("requestBody", {})) for each in (old, new))
    for kind in sorted(before.keys() - after.keys()):
        yield f"{where} no longer accepts {kind}"
    for kind in before.keys() & after.keys():
        yield from comparison.schemas(where, before[kind], after[kind], sent=True)
    demanded = [bool(each.get("requestBody", {}).get("required")) for each in (old, new)]
    if demanded == [False, True]:
        yield f"{where} is newly required"


def _parameters(
    where: str, old: _Schemas, new: _Schemas, comparison: SchemaComparison
) -> Iterator[str]:
    """Compare the parameters in the path, the query and the headers."""
    for name, parameter in old.items():
        if name not in new:
            yield f"{where} {name} is removed"
        else:
            each = parameter.get("schema", {}), new[name].get("schema", {})
            yield from comparison.schemas(f"{where} {name}", *each, sent=True)
    for name, parameter in new.items():
        if parameter.get("required") and not old.get(name, {}).get("required"):
            yield f"{where} {name} is newly required"


def _security_alternatives(operation: Node) -> Sequence[set[str]]:
    """Return the alternatives of `security`, each as a set of schemes; an empty set, if public."""
    return [{*way} for way in operation["security"]] or [set()]


def _message_schemas(message: Node) -> _Schemas:
    """Return the schemas of a message by media type; all JSON media types are one."""
    content: Mapping[str, Any] = message.get("content", {})
    return {
        "json" if re.search(r"[/+]json\b", name) else name: each.get("schema", {})
        for name, each in content.items()
    }


def _parameters_by_name(operation: Node) -> _Schemas:
    """Return the parameters of an operation by location and name."""
    return {f"{each['in']} {each['name']}": each for each in operation["parameters"]}


if __name__ == "__main__":
    with handle_errors():
        main()
