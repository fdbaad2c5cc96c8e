"""The rows of a job's matrix, expanded as GitHub does it."""

import itertools
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeAlias

from pipeline.errors import InputError
from pipeline.github.expressions import Scalar, fold_case, loosely_equal, to_number

Row = dict[str, Any]
_MatrixValue: TypeAlias = "Scalar | list[_MatrixValue] | dict[str, _MatrixValue]"

MAX_ROWS = 256
_MAX_DEPTH = 50
_EXPRESSION = "${{"


def expand(matrix: Mapping[str, Any]) -> list[Row]:
    """Return the rows of a matrix in the order of its jobs.

    The vectors are multiplied, the first key slowest; `exclude` takes rows away; each entry of
    `include` adds its extras to the rows that it fits, or becomes a row if it fits none. Keys are
    the same in any case of letters; a row spells them as they stand first, vectors before
    `include`. The rules are GitHub's:
    https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#jobsjob_idstrategymatrix

    Args:
        matrix: The value of a job's `strategy.matrix`, read as YAML 1.2.

    Raises:
        InputError: The matrix is not one, has no rows to begin with or more than 256, or holds
            an expression, whose value is only known in the run.
    """
    vectors = _map(_plain(matrix, "matrix"), "matrix")
    exclude = _entries(vectors.pop("exclude", []), "matrix.exclude")
    include = _entries(vectors.pop("include", []), "matrix.include")
    if not vectors and not include:
        raise InputError("`matrix` has no vector", hint="give it a list, such as `os: [a, b]`")
    _check_known(exclude, vectors)
    product = _product({key: _vector(value, key) for key, value in vectors.items()})
    rows = _limit_rows(row for row in product if not any(_matches(row, entry) for entry in exclude))
    return _limit_rows(_include(rows, include, vectors))


def _plain(value: object, where: str, depth: int = 0) -> _MatrixValue:
    if depth > _MAX_DEPTH:
        raise InputError(f"`{where}` is nested too deep", hint="write it flatter")
    if isinstance(value, Mapping):
        names = _names(value, where)
        return {key: _plain(value[key], f"{where}.{key}", depth + 1) for key in names}
    if isinstance(value, list):
        return [_plain(item, where, depth + 1) for item in value]
    if isinstance(value, str):
        return _literal(value, where)
    if value is None or isinstance(value, int | float):
        return value
    kind = type(value).__name__.lower()
    raise InputError(
        f"`{where}` holds a {kind}, which yaml 1.2 does not know", hint="put it in quotes"
    )


def _names(value: Mapping[Any, object], where: str) -> list[str]:
    seen: dict[str, str] = {}
    for key in value:
        if not isinstance(key, str):
            raise InputError(f"a key of `{where}` is no string", hint="put it in quotes")
        if fold_case(key) in seen:
            raise InputError(f"`{where}` has `{key}` twice", hint="the case of letters is ignored")
        seen[fold_case(key)] = _literal(key, where)
    return list(seen.values())


def _literal(text: str, where: str) -> str:
    if _EXPRESSION in text:
        raise InputError(
            f"`{where}` holds an expression, whose value is only known in the run",
            hint="write the values out, or treat the job's rows as unknown",
        )
    return text


def _map(value: _MatrixValue, where: str) -> dict[str, _MatrixValue]:
    if isinstance(value, dict):
        return value
    raise InputError(f"`{where}` is no map", hint="write `key: value`")


def _list(value: _MatrixValue, where: str) -> list[_MatrixValue]:
    if isinstance(value, list):
        return value
    raise InputError(f"`{where}` is no list", hint="write it in brackets, such as `[a, b]`")


def _vector(value: _MatrixValue, key: str) -> list[_MatrixValue]:
    values = _list(value, f"matrix.{key}")
    if not values:
        raise InputError(f"`matrix.{key}` is empty", hint="give it a value, or leave it out")
    return values


def _entries(value: _MatrixValue, where: str) -> list[dict[str, _MatrixValue]]:
    entries = [_map(entry, f"{where}[{place}]") for place, entry in enumerate(_list(value, where))]
    if {} in entries:
        raise InputError(f"`{where}` has an empty entry", hint="fill it, or leave it out")
    return entries


def _check_known(
    exclude: list[dict[str, _MatrixValue]], vectors: Mapping[str, _MatrixValue]
) -> None:
    known = {fold_case(key) for key in vectors}
    for key in itertools.chain.from_iterable(exclude):
        if fold_case(key) not in known:
            raise InputError(
                f"`matrix.exclude` names `{key}`, which is no vector",
                hint=f"vectors are: {', '.join(vectors) or 'none'}",
            )


def _product(vectors: Mapping[str, list[_MatrixValue]]) -> Iterator[Row]:
    # the product of no vectors would be one empty row
    for values in itertools.product(*vectors.values()) if vectors else ():
        yield dict(zip(vectors, values, strict=True))


def _include(
    rows: list[Row], entries: list[dict[str, _MatrixValue]], vectors: Mapping[str, _MatrixValue]
) -> list[Row]:
    spelling = {fold_case(key): key for key in vectors}
    added: list[Row] = []
    for entry in entries:
        spelled = {spelling.setdefault(fold_case(key), key): value for key, value in entry.items()}
        wanted = {key: value for key, value in spelled.items() if key in vectors}
        extras = {key: value for key, value in spelled.items() if key not in vectors}
        fitting = [row for row in rows if _matches(row, wanted)]
        for row in fitting:
            row.update(extras)
        if not fitting:
            added.append(wanted | extras)
    return rows + added


def _limit_rows(rows: Iterable[Row]) -> list[Row]:
    found = list(itertools.islice(rows, MAX_ROWS + 1))
    if len(found) > MAX_ROWS:
        raise InputError(
            f"`matrix` has more than {MAX_ROWS} rows", hint="shorten a list, or split the job"
        )
    return found


def _matches(found: _MatrixValue, wanted: _MatrixValue) -> bool:
    if isinstance(wanted, dict):
        return all(_matches(_lookup(found, key), value) for key, value in wanted.items())
    if isinstance(wanted, list):
        return all(
            _matches(_lookup(found, str(place)), value) for place, value in enumerate(wanted)
        )
    return not isinstance(found, dict | list) and loosely_equal(found, wanted)


def _lookup(value: _MatrixValue, key: str) -> _MatrixValue:
    # what is not there is null, as in an expression, so that it equals '', 0 and false
    if isinstance(value, dict):
        return next(
            (item for name, item in value.items() if fold_case(name) == fold_case(key)), None
        )
    if isinstance(value, list):
        place = to_number(key)
        return value[int(place)] if 0 <= place < len(value) else None
    return None
