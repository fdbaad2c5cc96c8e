"""The rows of a job's matrix, held against GitHub's documentation and its `==`."""

import copy
import datetime as dt
import itertools
import math
import re
from collections.abc import Mapping
from random import Random
from typing import Any

import pytest
from ruamel.yaml import YAML

from pipeline.errors import InputError
from pipeline.github.matrix import MAX_ROWS, Row, expand

SEEDS = range(20)

FRUIT = """
fruit: [apple, pear]
animal: [cat, dog]
include:
  - color: green
  - color: pink
    animal: cat
  - fruit: apple
    shape: circle
  - fruit: banana
  - fruit: banana
    animal: cat
"""
NINE = """
os: [macos-latest, windows-latest]
version: [12, 14, 16]
environment: [staging, production]
exclude:
  - os: macos-latest
    version: 12
    environment: production
  - os: windows-latest
    version: 16
"""
PERL = """
os: [ubuntu-latest]
perl: ['5.16', '5.20', '5.26', '5.30', latest]
include:
  - os: macos-latest
    perl: '5.26'
  - os: macos-latest
    perl: latest
"""
NPM = """
os: [windows-latest, ubuntu-latest]
node: [12, 14, 16]
include:
  - os: windows-latest
    node: 16
    npm: 6
"""
SEVENTEEN = """
os: [macos-latest, windows-latest, ubuntu-latest]
version: [12, 14, 16]
include:
  - os: windows-latest
    version: 17
"""
EXPERIMENTAL = """
version: [6, 7, 8]
experimental: [false]
include:
  - version: 9
    experimental: true
"""


def read(text: str, typ: str = "safe") -> Any:  # noqa: ANN401 - any value
    return YAML(typ=typ, pure=True).load(text)


def random(seed: int) -> Random:
    return Random(seed)  # noqa: S311 - shapes to try, and the same ones each time


# what the documentation shows


def test_the_documented_fruits_and_animals_become_exactly_these_six_rows() -> None:
    assert expand(read(FRUIT)) == [
        {"fruit": "apple", "animal": "cat", "color": "pink", "shape": "circle"},
        {"fruit": "apple", "animal": "dog", "color": "green", "shape": "circle"},
        {"fruit": "pear", "animal": "cat", "color": "pink"},
        {"fruit": "pear", "animal": "dog", "color": "green"},
        {"fruit": "banana"},
        {"fruit": "banana", "animal": "cat"},
    ]


def test_the_first_key_is_the_slowest() -> None:
    rows = expand({"version": [10, 12, 14], "os": ["ubuntu-latest", "windows-latest"]})
    assert [(row["version"], row["os"]) for row in rows] == [
        (10, "ubuntu-latest"),
        (10, "windows-latest"),
        (12, "ubuntu-latest"),
        (12, "windows-latest"),
        (14, "ubuntu-latest"),
        (14, "windows-latest"),
    ]


@pytest.mark.parametrize(
    ("text", "count"),
    [(NINE, 9), (PERL, 7), (NPM, 6), (SEVENTEEN, 10), (EXPERIMENTAL, 4)],
    ids=["nine", "perl", "npm", "seventeen", "experimental"],
)
def test_the_documented_matrices_have_the_documented_number_of_rows(text: str, count: int) -> None:
    assert len(expand(read(text))) == count


def test_the_documented_exclude_takes_away_every_partial_match() -> None:
    rows = expand(read(NINE))
    assert {"os": "macos-latest", "version": 12, "environment": "production"} not in rows
    assert not [row for row in rows if (row["os"], row["version"]) == ("windows-latest", 16)]


def test_the_documented_extra_joins_only_its_row() -> None:
    found = [row for row in expand(read(NPM)) if "npm" in row]
    assert found == [{"os": "windows-latest", "node": 16, "npm": 6}]


def test_the_documented_extra_combination_comes_last() -> None:
    assert expand(read(SEVENTEEN))[-1] == {"os": "windows-latest", "version": 17}


def test_without_vectors_each_include_is_a_row() -> None:
    sites = [{"site": "production", "datacenter": "a"}, {"site": "staging", "datacenter": "b"}]
    assert expand({"include": sites}) == sites


def test_objects_in_a_vector_are_rows_of_their_own() -> None:
    node = [{"version": 14}, {"version": 20, "env": "NODE_OPTIONS=--openssl-legacy-provider"}]
    rows = expand({"os": ["ubuntu-latest", "macos-latest"], "node": node})
    assert [row["node"] for row in rows] == node * 2


# include


def test_an_include_joins_a_number_that_it_spells_as_a_string() -> None:
    rows = expand({"v": [1, 2], "include": [{"v": "1", "tag": "x"}]})
    assert rows == [{"v": 1, "tag": "x"}, {"v": 2}]


def test_an_include_joins_in_any_case_of_letters() -> None:
    rows = expand({"os": ["Ubuntu"], "include": [{"OS": "ubuntu", "tag": "x"}]})
    assert rows == [{"os": "Ubuntu", "tag": "x"}]


def test_an_include_of_nothing_but_known_values_changes_nothing() -> None:
    assert expand({"os": ["Ubuntu"], "include": [{"OS": "ubuntu"}]}) == [{"os": "Ubuntu"}]


def test_a_row_keeps_the_spelling_of_its_vector() -> None:
    rows = expand({"Os": ["linux"], "include": [{"tag": "x", "OS": "mac"}]})
    assert rows == [{"Os": "linux"}, {"Os": "mac", "tag": "x"}]
    assert list(rows[1]) == ["Os", "tag"]


def test_extras_that_differ_in_case_are_one_extra_and_the_later_wins() -> None:
    rows = expand({"a": [1], "include": [{"Tag": "x"}, {"tag": "y"}]})
    assert rows == [{"a": 1, "Tag": "y"}]


def test_an_include_joins_a_number_and_a_string_of_one_value() -> None:
    rows = expand(read("{py: [3.10, '3.10'], include: [{py: '3.10', z: 1}]}"))
    assert rows == [{"py": 3.1, "z": 1}, {"py": "3.10", "z": 1}]


def test_an_included_row_receives_no_later_extras() -> None:
    rows = expand({"a": [1], "include": [{"a": 2}, {"b": 3}]})
    assert rows == [{"a": 1, "b": 3}, {"a": 2}]


def test_an_include_may_bring_back_what_was_excluded() -> None:
    matrix = {"a": [1, 2], "exclude": [{"a": 1}], "include": [{"a": 1, "b": 3}]}
    assert expand(matrix) == [{"a": 2}, {"a": 1, "b": 3}]


def test_an_include_fits_an_object_by_its_leaves() -> None:
    node = [{"version": 14}, {"version": 20, "env": "x"}]
    rows = expand({"node": node, "include": [{"node": {"version": "20"}, "tag": "new"}]})
    assert rows == [{"node": node[0]}, {"node": node[1], "tag": "new"}]


def test_an_empty_include_beside_a_vector_is_allowed() -> None:
    assert expand({"a": [1], "include": [], "exclude": []}) == [{"a": 1}]


def test_include_and_exclude_are_keywords_in_lower_case_only() -> None:
    assert expand({"Include": [1, 2]}) == [{"Include": 1}, {"Include": 2}]


# exclude


def test_all_rows_excluded_leaves_none() -> None:
    assert expand({"a": [1], "exclude": [{"a": 1}]}) == []


def test_all_rows_excluded_turns_extras_into_a_row() -> None:
    assert expand({"a": [1], "exclude": [{"a": 1}], "include": [{"b": 2}]}) == [{"b": 2}]


def test_an_exclude_may_name_a_part_of_an_object() -> None:
    systems = [{"name": "Windows", "bits": 32}, {"name": "linux", "bits": 64}]
    matrix = {"os": systems, "py": [1, 2], "exclude": [{"os": {"NAME": "windows"}}]}
    assert expand(matrix) == [{"os": systems[1], "py": 1}, {"os": systems[1], "py": 2}]


@pytest.mark.parametrize(
    ("value", "wanted", "fits"),
    [
        ([1, 2], [1, 2], True),
        ([1, 2], [1], True),
        ([1], [1, 2], False),
        ([1, 2], {"1": 2}, True),
        ([1], {"x": 1}, False),
        ([1], {"-1": 1}, False),
        ({"0": 1}, [1], True),
        ({"a": {"b": [1, "X"]}}, {"A": {"B": [1, "x"]}}, True),
        ({"a": {"b": 1}}, {"a": {"b": 2}}, False),
        ({"a": 1}, 1, False),
        ([1], 1, False),
        ([], None, False),
        ({"a": 1}, {}, True),
        ("x", {"a": 1}, False),
    ],
)
def test_objects_and_lists_are_compared_leaf_by_leaf(
    *,
    value: Any,  # noqa: ANN401 - a row of a table
    wanted: Any,  # noqa: ANN401 - as above
    fits: bool,
) -> None:
    assert (expand({"v": [value], "exclude": [{"v": wanted}]}) == []) is fits


@pytest.mark.parametrize("value", ["x", {"b": 1}, {"a": None}, [1], 7])
@pytest.mark.parametrize("wanted", [None, "", 0, False])
def test_what_is_not_there_is_null(value: object, wanted: object) -> None:
    assert expand({"v": [value], "exclude": [{"v": {"a": {"b": wanted}}}]}) == []


# GitHub's ==

EQUAL = [
    (None, None),
    (None, 0),
    (None, ""),
    (None, False),
    (True, 1),
    (True, "1"),
    (True, "1.0"),
    (False, ""),
    (False, "0"),
    (0, " "),
    (-0.0, 0),
    (1, 1.0),
    (1, " 1 "),
    (1, "+1"),
    (-1, "-1"),
    (3.1, "3.10"),
    (0.5, ".5"),
    (5, "5."),
    (1000, "1e3"),
    (1000, "1E+3"),
    (0.001, "1e-3"),
    (12, "012"),
    (31, "0x1F"),
    (15, "0o17"),
    (math.inf, "Infinity"),
    (-math.inf, "-Infinity"),
    (math.inf, "1e999"),
    (math.inf, 10**400),
    (-math.inf, -(10**400)),
    (2**53, 2**53 + 1),
    ("Ubuntu", "uBUNTU"),
    ("é", "É"),
    ("x", "x"),
    ("ß", "ß"),
]
UNEQUAL = [
    (None, "null"),
    (None, "x"),
    (True, "true"),
    (False, "false"),
    (True, 2),
    (1, 2),
    (1, "one"),
    (1, "1 1"),
    (1, "1_0"),
    (10, "1_0"),
    (1, "\u0661"),
    (0, "."),
    (0, "e3"),
    (31, "0X1F"),
    (31, "0x1G"),
    (15, "0O17"),
    (15, "0o18"),
    (2, "0b10"),
    (-31, "-0x1F"),
    (2**32 - 1, "0xFFFFFFFF"),
    (math.inf, "inf"),
    (math.nan, math.nan),
    (math.nan, "NaN"),
    (math.nan, 0),
    ("1", "1.0"),
    ("", " "),
    ("ß", "SS"),
    ("\u0149", "\u02bcN"),
    ("I", "\u0131"),
    ("S", "\u017f"),
    ("a", "b"),
]


@pytest.mark.parametrize(("left", "right"), EQUAL, ids=repr)
def test_these_are_equal_either_way_round(left: object, right: object) -> None:
    assert expand({"v": [left], "exclude": [{"v": right}]}) == []
    assert expand({"v": [right], "exclude": [{"v": left}]}) == []


@pytest.mark.parametrize(("left", "right"), UNEQUAL)
def test_these_are_not_equal_either_way_round(left: object, right: object) -> None:
    assert len(expand({"v": [left], "exclude": [{"v": right}]})) == 1
    assert len(expand({"v": [right], "exclude": [{"v": left}]})) == 1


# errors


def endless() -> list[Any]:
    found: list[Any] = []
    found.append(found)
    return found


FAULTS: list[tuple[object, str]] = [
    ("x", "`matrix` is no map"),
    (["a"], "`matrix` is no map"),
    (None, "`matrix` is no map"),
    ({}, "`matrix` has no vector"),
    ({"include": []}, "`matrix` has no vector"),
    ({"exclude": [{"a": 1}]}, "`matrix` has no vector"),
    ({"a": []}, "`matrix.a` is empty"),
    ({"a": [1], "b": []}, "`matrix.b` is empty"),
    ({"a": 1}, "`matrix.a` is no list"),
    ({"a": "x"}, "`matrix.a` is no list"),
    ({"a": None}, "`matrix.a` is no list"),
    ({"a": {"b": 1}}, "`matrix.a` is no list"),
    ({"a": [1], "include": {"a": 1}}, "`matrix.include` is no list"),
    ({"a": [1], "include": None}, "`matrix.include` is no list"),
    ({"a": [1], "include": [{"a": 1}, "x"]}, "`matrix.include[1]` is no map"),
    ({"a": [1], "include": [{}]}, "`matrix.include` has an empty entry"),
    ({"a": [1], "exclude": "x"}, "`matrix.exclude` is no list"),
    ({"a": [1], "exclude": [1]}, "`matrix.exclude[0]` is no map"),
    ({"a": [1], "exclude": [{}]}, "`matrix.exclude` has an empty entry"),
    ({"a": [1], "exclude": [{"b": 1}]}, "`matrix.exclude` names `b`, which is no vector"),
    ({"exclude": [{"b": 1}], "include": [{"b": 1}]}, "`matrix.exclude` names `b`"),
    ({"a": [1], "A": [2]}, "`matrix` has `A` twice"),
    ({"a": [1], "include": [{"b": 1, "B": 2}]}, "`matrix.include` has `B` twice"),
    ({1: [1]}, "a key of `matrix` is no string"),
    ({"a": [{None: 1}]}, "a key of `matrix.a` is no string"),
    ({"a": [dt.date(2024, 1, 2)]}, "`matrix.a` holds a date"),
    ({"a": [b"x"]}, "`matrix.a` holds a bytes"),
    ({"a": (1, 2)}, "`matrix.a` holds a tuple"),
    ({"a": endless()}, "`matrix.a` is nested too deep"),
    ({"a": range(0)}, "`matrix.a` holds a range"),
    ({"a": [*range(257)]}, "`matrix` has more than 256 rows"),
    ({"a": [*range(256)], "include": [{"a": -1}]}, "`matrix` has more than 256 rows"),
    ({"include": [{"a": place} for place in range(257)]}, "`matrix` has more than 256 rows"),
    ({key: [*range(99)] for key in "abcdefgh"}, "`matrix` has more than 256 rows"),
    ("${{ fromJSON(needs.x.outputs.y) }}", "`matrix` holds an expression"),
    ({"a": "${{ fromJSON(needs.x.outputs.y) }}"}, "`matrix.a` holds an expression"),
    ({"a": [1, "v${{ inputs.x }}"]}, "`matrix.a` holds an expression"),
    ({"a": [{"b": "${{ inputs.x }}"}]}, "`matrix.a.b` holds an expression"),
    ({"${{ insert }}": [1]}, "`matrix` holds an expression"),
    ({"a": [1], "include": "${{ inputs.x }}"}, "`matrix.include` holds an expression"),
    ({"a": [1], "exclude": [{"a": "${{ inputs.x }}"}]}, "`matrix.exclude.a` holds an expression"),
]


@pytest.mark.parametrize(("matrix", "message"), FAULTS)
def test_a_wrong_matrix_is_an_error_that_names_the_key(matrix: Any, message: str) -> None:  # noqa: ANN401 - a wrong type is the point
    with pytest.raises(InputError) as error:
        expand(matrix)
    assert str(error.value).startswith(message)


@pytest.mark.parametrize("matrix", [matrix for matrix, _ in FAULTS])
def test_an_error_is_one_sentence_in_lower_case_with_a_hint(matrix: Any) -> None:  # noqa: ANN401 - as above
    with pytest.raises(InputError) as error:
        expand(matrix)
    own_words = re.sub("`.*?`", "", f"{error.value} {error.value.hint}")
    assert own_words == own_words.lower()
    assert not re.search(r"\n|\. |\.$", str(error.value))
    assert error.value.hint


def test_an_unknown_exclude_is_told_the_vectors_there_are() -> None:
    with pytest.raises(InputError) as error:
        expand({"os": [1], "py": [2], "exclude": [{"is": 1}]})
    assert error.value.hint == "vectors are: os, py"


def test_256_rows_are_allowed() -> None:
    assert len(expand({"a": [*range(16)], "b": [*range(16)]})) == MAX_ROWS


def test_rows_are_counted_after_exclude() -> None:
    excluded = [{"a": place} for place in range(44)]
    assert len(expand({"a": [*range(300)], "exclude": excluded})) == MAX_ROWS


# any matrix


def matrix_of_words(random: Random) -> dict[str, Any]:
    sizes = {key: random.randint(1, 4) for key in random.sample("abcd", random.randint(1, 4))}
    return {key: [f"{key}{place}" for place in range(size)] for key, size in sizes.items()}


def product(vectors: Mapping[str, list[Any]]) -> list[Row]:
    return [dict(zip(vectors, row, strict=True)) for row in itertools.product(*vectors.values())]


def entries(random: Random, vectors: Mapping[str, list[Any]], spare: str = "") -> list[Row]:
    found = []
    for _ in range(random.randint(0, 4)):
        keys = random.sample(sorted({*vectors, *spare}), random.randint(1, len(vectors)))
        found.append({key: random.choice([*vectors.get(key, []), "other"]) for key in keys})
    return found


@pytest.mark.parametrize("seed", SEEDS)
def test_without_exclude_and_include_the_rows_are_the_product(seed: int) -> None:
    vectors = matrix_of_words(random(seed))
    assert len(expand(vectors)) == math.prod(map(len, vectors.values()))
    assert expand(vectors) == product(vectors)


@pytest.mark.parametrize("seed", SEEDS)
def test_every_row_of_the_product_survives_unless_it_is_excluded(seed: int) -> None:
    vectors = matrix_of_words(random(seed))
    exclude = entries(random(seed), vectors)
    survivors = [
        row
        for row in product(vectors)
        if not any(entry.items() <= row.items() for entry in exclude)
    ]
    assert expand({**vectors, "exclude": exclude}) == survivors


@pytest.mark.parametrize("seed", SEEDS)
def test_include_changes_no_value_of_the_product_and_appends_the_rest_in_order(seed: int) -> None:
    vectors = matrix_of_words(random(seed))
    include = entries(random(seed), vectors, spare="xyz")
    original = product(vectors)
    rows = expand({**vectors, "include": include})
    joined, added = rows[: len(original)], rows[len(original) :]
    assert [{key: row[key] for key in vectors} for row in joined] == original
    wanted = [{key: entry[key] for key in entry if key in vectors} for entry in include]
    assert added == [
        entry
        for entry, fixed in zip(include, wanted, strict=True)
        if not any(fixed.items() <= row.items() for row in original)
    ]


@pytest.mark.parametrize("seed", SEEDS)
def test_the_order_of_excludes_does_not_matter(seed: int) -> None:
    vectors = matrix_of_words(random(seed))
    exclude = entries(random(seed), vectors)
    forward = expand({**vectors, "exclude": exclude})
    assert expand({**vectors, "exclude": exclude[::-1]}) == forward


LEAVES = [None, True, False, 0, 1, -2.5, math.nan, math.inf, 10**400, "", "x", "1", "0x1F", "a.b"]
ODDITIES = ["${{ x }}", b"x", (1,), {1}, dt.date(2024, 1, 2), object()]


def shape(random: Random, depth: int = 3) -> Any:  # noqa: ANN401 - anything that YAML can hold, and more
    kind = random.choice(["leaf", "leaf", "list", "map"] if depth else ["leaf"])
    if kind == "list":
        return [shape(random, depth - 1) for _ in range(random.randint(0, 3))]
    if kind == "map":
        return {key: shape(random, depth - 1) for key in random.sample(["a", "B", "0"], 2)}
    return random.choice(LEAVES if random.random() < 0.99 else ODDITIES)


def near_matrix(random: Random) -> Any:  # noqa: ANN401 - as above
    if random.random() < 0.05:
        return shape(random)
    unusual = ["A", "Include", 1] if random.random() < 0.05 else []
    keys = random.sample(["a", "b", *unusual], random.randint(1, 2))
    vectors = {key: [shape(random, 2) for _ in range(random.randint(1, 4))] for key in keys}
    spare = ["c"] if random.random() < 0.05 else []
    return vectors | {
        "exclude": [{key: shape(random, 2) for key in [*keys[:1], *spare]}],
        "include": [{key: shape(random, 2) for key in random.sample("abxyz", 2)} for _ in "12"],
    }


def outcome(matrix: Any) -> list[Row] | str:  # noqa: ANN401 - as above
    try:
        return expand(matrix)
    except InputError as error:
        return str(error)


@pytest.mark.parametrize("seed", SEEDS)
def test_any_shape_has_rows_or_an_input_error_and_stays_as_it_was(seed: int) -> None:
    source = random(seed)
    for _ in range(100):
        matrix = near_matrix(source)
        before = repr(matrix)
        first = outcome(matrix)
        assert repr(matrix) == before
        assert repr(outcome(matrix)) == repr(first)


def test_changing_a_row_leaves_the_matrix_as_it_was() -> None:
    matrix = {"a": [{"b": [1]}], "include": [{"c": {"d": 2}}]}
    before = copy.deepcopy(matrix)
    row = expand(matrix)[0]
    row["a"]["b"].append(2)
    row["c"]["d"] = 3
    assert matrix == before


def test_rows_are_plain_though_the_matrix_keeps_its_comments() -> None:
    matrix = read("os: [{name: a, of: [1]}]  # one\ninclude: [{x: {y: 1}}]\n", typ="rt")
    row = expand(matrix)[0]
    assert row == {"os": {"name": "a", "of": [1]}, "x": {"y": 1}}
    inside = [row, row["os"], row["os"]["of"], row["x"]]
    assert [type(value) for value in inside] == [dict, dict, list, dict]
