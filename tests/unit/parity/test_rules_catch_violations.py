"""Every violation of a rule is reported with the id of the rule, in all places.

Thousands of them: a session of their own, `nox -s parity-rule-tests`, runs this file.
"""

from collections import Counter

import pytest

from pipeline.parity.engine import find_violations
from tests.unit.parity.edits import Edit, this_repository
from tests.unit.parity.violations import ALL_VIOLATIONS, IDS


def test_the_repository_itself_holds_every_rule() -> None:
    assert find_violations(this_repository()) == []


def test_every_rule_has_a_fault() -> None:
    assert {edit.rule for edit in ALL_VIOLATIONS} == IDS


def test_there_are_several_hundred_faults() -> None:
    assert len(ALL_VIOLATIONS) > 500
    assert Counter(edit.rule for edit in ALL_VIOLATIONS).most_common()[-1][1] >= 1


@pytest.mark.parametrize("edit", ALL_VIOLATIONS, ids=lambda edit: f"{edit.rule}: {edit.what}")
def test_a_fault_is_caught_by_its_rule(edit: Edit) -> None:
    findings = find_violations(edit.make())
    assert edit.rule in {finding.rule for finding in findings}
    assert all(finding.line >= 1 and finding.hint for finding in findings)
