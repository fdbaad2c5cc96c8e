"""The journal records the live release, unfinished deployments, and rollback candidates."""

from dataclasses import replace

import pytest

from pipeline.deploy.state import journal
from pipeline.deploy.state.journal import (
    KEPT_RELEASES,
    SUCCEEDED,
    DeploymentRecord,
    find_rollback_target,
    last_successful,
    unfinished,
)
from pipeline.errors import CheckFailedError, InputError
from tests.unit.deploy.factories import IMAGES
from tests.unit.deploy.fake_swarm import FakeSwarm

FIRST = DeploymentRecord(
    number=1,
    kind="deploy",
    by="ada",
    started="2026-11-23T10:00:00+00:00",
    deploy_id="deploy-1",
    version="v1.0.1",
    commit="0" * 40,
    images=IMAGES,
    services={"backend": {"image": IMAGES["backend"], "deploy": {"replicas": 2}}},
)


def entry(number: int, outcome: str = "") -> DeploymentRecord:
    return replace(FIRST, number=number, outcome=outcome, version=f"v1.0.{number}")


def deployed(engine: FakeSwarm, *outcomes: str) -> list[DeploymentRecord]:
    for number, outcome in enumerate(outcomes, 1):
        journal.record_start(engine, "shop", entry(number))
        if outcome:
            journal.record_end(engine, "shop", entry(number), outcome)
    return journal.entries(engine, "shop")


def test_an_entry_that_began_and_ended_is_one_and_the_same(engine: FakeSwarm) -> None:
    journal.record_start(engine, "shop", FIRST)
    assert journal.entries(engine, "shop") == [FIRST]
    journal.record_end(engine, "shop", FIRST, "rolled back", "the bake failed")
    (found,) = journal.entries(engine, "shop")
    assert (found.outcome, found.note) == ("rolled back", "the bake failed")
    assert found.ended >= FIRST.started
    assert replace(found, outcome="", note="", ended="") == FIRST


def test_entries_come_in_their_order_and_each_stack_has_its_own(engine: FakeSwarm) -> None:
    for number in (12, 3, 7):
        journal.record_start(engine, "shop", entry(number))
    journal.record_start(engine, "shop-2", entry(1))
    assert [each.number for each in journal.entries(engine, "shop")] == [3, 7, 12]


def test_two_cannot_write_the_same_entry(engine: FakeSwarm) -> None:
    journal.record_start(engine, "shop", FIRST)
    with pytest.raises(CheckFailedError, match="the journal of shop cannot be written"):
        journal.record_start(engine, "shop", replace(FIRST, deploy_id="somebody-else-s"))


def test_a_long_fault_is_cut_since_the_engine_keeps_no_books(engine: FakeSwarm) -> None:
    journal.record_start(engine, "shop", FIRST)
    journal.record_end(engine, "shop", FIRST, "stopped", "a" * 9999)
    assert len(journal.entries(engine, "shop")[0].note) == 500


def test_live_is_what_went_well_last_whatever_came_after_it() -> None:
    known = [entry(1, SUCCEEDED), entry(2, SUCCEEDED), entry(3, "rolled back"), entry(4)]
    assert last_successful(known) == known[1]
    assert last_successful([entry(1, "stopped")]) is None
    assert last_successful([]) is None


def test_only_the_last_deployment_can_be_without_an_end() -> None:
    assert unfinished([entry(1, SUCCEEDED), entry(2)]) == entry(2)
    assert unfinished([entry(1), entry(2, SUCCEEDED)]) is None
    assert unfinished([]) is None


def test_the_last_good_releases_are_kept_with_all_that_came_after_them(engine: FakeSwarm) -> None:
    deployed(engine, *[SUCCEEDED] * 3, "stopped", *[SUCCEEDED] * KEPT_RELEASES, "rolled back")
    left = journal.prune(engine, "shop")
    assert [each.number for each in left] == [*range(5, 5 + KEPT_RELEASES), 5 + KEPT_RELEASES]
    assert journal.entries(engine, "shop") == left


@pytest.mark.parametrize(
    "outcomes", [[], ["stopped"] * 9, [SUCCEEDED] * KEPT_RELEASES, [SUCCEEDED, ""]]
)
def test_nothing_is_forgotten_while_there_are_few(engine: FakeSwarm, outcomes: list[str]) -> None:
    known = deployed(engine, *outcomes)
    assert journal.prune(engine, "shop") == known == journal.entries(engine, "shop")


def test_the_rest_of_an_entry_that_was_being_forgotten_is_passed_over(engine: FakeSwarm) -> None:
    deployed(engine, SUCCEEDED, SUCCEEDED)
    engine.run("config", "rm", "shop-journal-00001-started")
    assert [each.number for each in journal.entries(engine, "shop")] == [2]


def back(number: int, to: int) -> DeploymentRecord:
    return replace(entry(number, SUCCEEDED), restores=to, version=f"v1.0.{to}", kind="rollback")


@pytest.mark.parametrize(
    ("known", "target"),
    [
        ([entry(1, SUCCEEDED), entry(2, SUCCEEDED)], 1),
        ([entry(1, SUCCEEDED), entry(2, SUCCEEDED), entry(3, "rolled back")], 1),
        ([entry(1, SUCCEEDED), entry(2, SUCCEEDED), entry(3, SUCCEEDED), back(4, 2)], 1),
        ([entry(1, SUCCEEDED), entry(2, SUCCEEDED), back(3, 1), entry(4, SUCCEEDED)], 3),
        (
            [entry(1, SUCCEEDED), entry(2, SUCCEEDED), entry(3, SUCCEEDED), back(4, 1), back(5, 3)],
            4,
        ),
    ],
)
def test_to_go_back_again_is_to_go_back_further(known: list[DeploymentRecord], target: int) -> None:
    assert find_rollback_target(known, None).number == target


@pytest.mark.parametrize(
    "known",
    [
        [],
        [entry(1, SUCCEEDED)],
        [entry(1, "stopped"), entry(2, SUCCEEDED)],
        [entry(1, SUCCEEDED), entry(2, SUCCEEDED), back(3, 1)],
        [entry(4, SUCCEEDED), entry(5, SUCCEEDED), back(6, 1)],
    ],
)
def test_what_was_gone_back_from_is_not_gone_back_to_unless_it_is_named(
    known: list[DeploymentRecord],
) -> None:
    with pytest.raises(InputError, match="there is no release before") as caught:
        find_rollback_target(known, None)
    assert "select one with --to" in caught.value.hint


def test_a_release_is_named_by_its_version_or_its_number() -> None:
    known = [entry(1, SUCCEEDED), entry(2, SUCCEEDED), back(3, 1)]
    assert find_rollback_target(known, "v1.0.2").number == 2
    assert find_rollback_target(known, "2").number == 2
    assert find_rollback_target(known, "v1.0.1").number == 3
    with pytest.raises(InputError, match="no good release `v9`"):
        find_rollback_target(known, "v9")


def test_the_deployment_that_brought_a_version_is_known_through_those_that_put_it_back() -> None:
    known = [entry(1, SUCCEEDED), entry(2, SUCCEEDED), back(3, 1)]
    assert [
        journal.number_for_version(known, version) for version in ("v1.0.1", "v1.0.2", "v9")
    ] == [
        1,
        2,
        0,
    ]


def test_what_is_put_back_again_and_again_does_not_crowd_out_what_was_deployed(
    engine: FakeSwarm,
) -> None:
    for known in (entry(1, SUCCEEDED), *(back(number, 1) for number in range(2, 9))):
        journal.record_start(engine, "shop", known)
        journal.record_end(engine, "shop", known, SUCCEEDED)
    assert len(journal.prune(engine, "shop")) == 8
