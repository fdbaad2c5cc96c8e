"""Which release there is to go back to."""

from dataclasses import replace

import pytest

from pipeline.deploy.rollout.candidate import new_record
from pipeline.deploy.state.journal import SUCCEEDED, DeploymentRecord, find_rollback_target
from pipeline.errors import InputError
from tests.unit.deploy.factories import make_release


def entry(number: int, outcome: str = SUCCEEDED) -> DeploymentRecord:
    return replace(
        new_record(make_release(number), {}, [], "deploy"), number=number, outcome=outcome
    )


KNOWN = [entry(1), entry(2), entry(3, "rolled back"), entry(4), entry(5, "stopped")]


@pytest.mark.parametrize(
    ("to", "number"), [(None, 2), ("v1.0.1", 1), ("2", 2), ("v1.0.4", 4), ("4", 4)]
)
def test_it_is_the_good_one_before_the_one_that_is_live_or_the_one_named(
    to: str | None, number: int
) -> None:
    assert find_rollback_target(KNOWN, to).number == number


@pytest.mark.parametrize("to", ["v1.0.3", "3", "5", "v9", "v1.0"])
def test_what_was_never_good_cannot_be_put_back(to: str) -> None:
    with pytest.raises(InputError, match=f"the journal has no good release `{to}`") as caught:
        find_rollback_target(KNOWN, to)
    assert caught.value.hint.startswith("good releases: v1.0.1, v1.0.2, v1.0.4;")


@pytest.mark.parametrize(
    ("known", "releases"), [([], "none"), ([entry(1)], "v1.0.1"), (KNOWN[2:3], "none")]
)
def test_where_nothing_was_before_nothing_can_be_put_back(
    known: list[DeploymentRecord], releases: str
) -> None:
    with pytest.raises(InputError, match="there is no release before") as caught:
        find_rollback_target(known, None)
    assert f"good releases: {releases};" in caught.value.hint


def test_of_a_version_that_was_good_twice_it_is_the_later_one() -> None:
    again = replace(entry(6), version="v1.0.1")
    assert find_rollback_target([*KNOWN, again, entry(7)], "v1.0.1") == again
