import pytest

from pipeline.rehearsal.report import format_table, render_html, verdict
from pipeline.rehearsal.scenario import Step
from pipeline.rehearsal.traffic import Sample

GOOD = Sample(1, 0.1, "get", "200", "v1.0.0")
FAILED = Sample(2, 0.1, "get", "502")
UNDER_WAY = Sample(3, 1, "get", "200", "v1.0.0", interrupted=True)
LOST = Sample(3, 30, "slow", "TimeoutError", interrupted=True)
STEPS = [Step("a node goes away", 0, 60, "v1.0.0")]


def test_what_a_node_took_with_it_is_counted_apart() -> None:
    output = verdict([GOOD, UNDER_WAY, LOST])
    assert output == "3 requests, 0 failed; lost with a node: 1 of the 2 in flight"


def test_what_failed_later_is_no_loss() -> None:
    assert verdict([GOOD, FAILED]) == "2 requests, 1 failed"


def test_the_table_says_what_became_of_every_request() -> None:
    output = "\n".join(format_table(STEPS, [GOOD, FAILED, UNDER_WAY, LOST]))
    assert "v1.0.0            4       1     1" in output
    assert "1 times get: 502" in output
    assert "1 times slow: TimeoutError" in output


def test_the_page_says_what_became_of_the_requests_of_every_step() -> None:
    row = "<tr><td>1<td>a node goes away<td>60 s<td>v1.0.0<td>4<td>1<td>1"
    assert row in render_html(STEPS, [GOOD, FAILED, UNDER_WAY, LOST])


@pytest.mark.parametrize(("samples", "named"), [([GOOD], False), ([GOOD, LOST], True)])
def test_the_picture_knows_losses_where_there_are_any(samples: list[Sample], named: bool) -> None:  # noqa: FBT001
    assert (">lost</text>" in render_html(STEPS, samples)) is named
