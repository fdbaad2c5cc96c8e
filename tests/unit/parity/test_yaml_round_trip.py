"""A sample of the faults, written into the files and read from there."""

import pytest

from pipeline.parity.engine import find_violations
from tests.unit.parity.edits import Edit, round_trip
from tests.unit.parity.violations import ALL_VIOLATIONS


@pytest.mark.parametrize(
    "edit", ALL_VIOLATIONS[::150], ids=lambda edit: f"{edit.rule}: {edit.what}"
)
def test_it_is_caught_in_the_text_of_the_file_as_well(edit: Edit) -> None:
    findings = find_violations(round_trip(edit.make()))
    assert edit.rule in {finding.rule for finding in findings}
