"""Check that a YAML document has the keys and types of a workflow or an action.

The keys are those of https://docs.github.com/actions/reference/workflow-syntax and
https://docs.github.com/actions/reference/metadata-syntax. Their values are not checked here.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple


class Problem(NamedTuple):
    """An error in a document, with its line."""

    line: int
    message: str


@dataclass(frozen=True)
class MapOf:
    """A mapping with any keys, whose values have one schema."""

    shape: Any


_SCALAR = (str, int, float, bool, type(None))
_BOOL_OR_EXPRESSION = (bool, str)
_NUMBER_OR_EXPRESSION = (int, float, str)
_VALUES = MapOf(_SCALAR)
_ENV = (str, _VALUES)
_STR_OR_LIST = (str, [str])
_EVENT = (dict, list, type(None))

_STEP = {
    "continue-on-error": _BOOL_OR_EXPRESSION,
    "env": _ENV,
    "id": str,
    "if": _SCALAR,
    "name": _SCALAR,
    "run": str,
    "shell": str,
    "timeout-minutes": _NUMBER_OR_EXPRESSION,
    "uses": str,
    "with": _VALUES,
    "working-directory": str,
}
JOB = {
    "concurrency": (str, dict),
    "container": (str, dict),
    "continue-on-error": _BOOL_OR_EXPRESSION,
    "defaults": dict,
    "env": _ENV,
    "environment": (str, dict),
    "if": _SCALAR,
    "name": _SCALAR,
    "needs": _STR_OR_LIST,
    "outputs": _VALUES,
    "permissions": (str, MapOf(str)),
    "runs-on": (str, [str], dict),
    "secrets": (str, _VALUES),
    "services": (dict, str),
    "snapshot": (str, dict),
    "steps": [_STEP],
    "strategy": (
        str,
        {
            "fail-fast": _BOOL_OR_EXPRESSION,
            "matrix": (str, dict),
            "max-parallel": _NUMBER_OR_EXPRESSION,
        },
    ),
    "timeout-minutes": _NUMBER_OR_EXPRESSION,
    "uses": str,
    "with": _VALUES,
}
WORKFLOW = {
    "concurrency": (str, dict),
    "defaults": dict,
    "env": _ENV,
    "jobs": MapOf(JOB),
    "name": _SCALAR,
    "on": (str, [str], MapOf(_EVENT)),
    "permissions": (str, MapOf(str)),
    "run-name": _SCALAR,
}
ACTION = {
    "author": _SCALAR,
    "branding": dict,
    "description": _SCALAR,
    "inputs": dict,
    "name": _SCALAR,
    "outputs": dict,
    "runs": {"using": str, "steps": [_STEP]},
}
_TYPE_NAMES = {
    bool: "true or false",
    dict: "a mapping",
    float: "a number",
    int: "a number",
    list: "a list",
    str: "text",
    type(None): "nothing",
}


def find_problems(value: Any, shape: Any, path: str = "", line: int = 1) -> Iterator[Problem]:  # noqa: ANN401 - YAML holds anything
    """Yield every part of a document that does not fit its schema.

    Args:
        value: The document, as ruamel.yaml's round-trip loader reads it.
        shape: A mapping of known keys, a list of one schema, `MapOf`, a type, or a choice of these.
        path: The path of the value in the document, as in `jobs.lint.steps`.
        line: The line of the value.
    """
    choices = shape if isinstance(shape, tuple) else (shape,)
    fitting = next((each for each in choices if isinstance(value, _type_of(each))), None)
    if fitting is None:
        wanted = " or ".join(dict.fromkeys(_TYPE_NAMES[_type_of(each)] for each in choices))
        yield Problem(line, f"{path or 'the document'} should be {wanted}")
    elif isinstance(fitting, (dict, MapOf)):
        yield from _of_mapping(value, fitting, path, line)
    elif isinstance(fitting, list):
        yield from _of_list(value, fitting[0], path, line)


def line_of(value: Any, key: Any, default: int = 1) -> int:  # noqa: ANN401 - YAML holds anything
    """Return the line of a key of a mapping, or of an item of a list.

    Args:
        value: A mapping or list of ruamel.yaml's round-trip loader.
        key: The key or the index.
        default: The line to return if there is no such key.
    """
    try:
        return int(value.lc.data[key][0]) + 1
    except (AttributeError, KeyError, IndexError, TypeError):
        return default


def as_mapping(value: object) -> Mapping[str, Any]:
    """Return a mapping unchanged, and an empty one for any other value, such as an expression."""
    return value if isinstance(value, Mapping) else {}


def _type_of(shape: Any) -> type:  # noqa: ANN401
    if isinstance(shape, MapOf):
        return dict
    return shape if isinstance(shape, type) else type(shape)


def _of_mapping(value: Any, shape: Any, path: str, line: int) -> Iterator[Problem]:  # noqa: ANN401
    for key, inner in value.items():
        where, here = f"{path}.{key}".lstrip("."), line_of(value, key, line)
        if not isinstance(key, str):
            yield Problem(here, f"{where} should be named by text")
        elif isinstance(shape, MapOf):
            yield from find_problems(inner, shape.shape, where, here)
        elif key in shape:
            yield from find_problems(inner, shape[key], where, here)
        else:
            yield Problem(here, f"{where} is not a known key")


def _of_list(value: Any, shape: Any, path: str, line: int) -> Iterator[Problem]:  # noqa: ANN401
    for index, inner in enumerate(value):
        yield from find_problems(inner, shape, f"{path}[{index}]", line_of(value, index, line))
