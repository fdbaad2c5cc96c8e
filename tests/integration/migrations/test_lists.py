"""The cases cover what Django can do to a schema, and what the public lists call unsafe."""

import re

import pytest
from django.contrib.postgres import operations as postgres
from django.db.migrations import operations as django
from django.db.migrations.operations.base import Operation

from tests.integration.migrations.cases import SAFE, UNSAFE
from tests.integration.migrations.cases.lists import CAUGHT, LEFT_OUT

NOT_THERE = {"CryptoExtension": "pgcrypto is not in the package that brings the server"}
ABSTRACT = {"CollationOperation", "Operation"}
OPERATIONS = {*django.__all__} | {
    name
    for name, each in vars(postgres).items()
    if isinstance(each, type) and issubclass(each, Operation)
} - ABSTRACT
UNSAFE_NAMES = {case.name for case in UNSAFE}
NAMES = [case.name for case in UNSAFE + SAFE]
RULES = [
    pytest.param(cases.split(), id=f"{tool}: {rule}")
    for tool, rules in CAUGHT.items()
    for rule, cases in rules.items()
]


def test_no_two_cases_have_the_same_name() -> None:
    assert len({*NAMES}) == len(NAMES)


@pytest.mark.parametrize("cases", RULES)
def test_a_rule_of_a_list_has_unsafe_cases(cases: list[str]) -> None:
    assert {*cases} <= UNSAFE_NAMES


@pytest.mark.parametrize("tool", CAUGHT)
def test_a_rule_is_either_caught_or_left_out(tool: str) -> None:
    assert CAUGHT[tool].keys().isdisjoint(LEFT_OUT[tool])


@pytest.mark.parametrize("operation", sorted(OPERATIONS - NOT_THERE.keys()))
def test_each_operation_has_a_case(operation: str) -> None:
    text = "\n".join(body for case in UNSAFE + SAFE for body in case.migrations)
    assert re.search(rf"\b{operation}\(", text)
