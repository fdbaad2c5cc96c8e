"""What became of a service is read from what the engine has, which may not say it in words."""

import pytest

from pipeline.deploy.cluster.convergence import (
    ExpectedState,
    describe_task,
    find_failure,
    has_converged,
    has_failed,
    tasks_of_deployment,
)
from tests.unit.deploy.factories import DIGEST, IMAGES, make_service, make_task

WANTED = ExpectedState("shop_backend", IMAGES["backend"], "deploy-1", 2)
OLD_IMAGE = f"ghcr.io/octo/shop/backend@{DIGEST.replace('1', '2')}"
RUNNING = [make_task(), make_task()]
FORMER = [
    make_task("shutdown", "shutdown", "deploy-0"),
    make_task("failed", "shutdown", "deploy-0"),
]


def test_a_service_with_all_its_replicas_has_come_to_what_is_wanted() -> None:
    assert find_failure(WANTED, make_service(), [*RUNNING, *FORMER]) is None
    assert has_converged(WANTED, make_service(), [*RUNNING, *FORMER])


def test_a_service_that_was_never_updated_has_no_state_and_is_judged_by_its_tasks() -> None:
    for fresh in (make_service(state=None), {**make_service(state=None), "UpdateStatus": None}):
        assert find_failure(WANTED, fresh, RUNNING) is None
        assert has_converged(WANTED, fresh, RUNNING)
        assert not has_converged(WANTED, fresh, RUNNING[:1])


def test_an_update_that_is_completed_with_the_old_image_was_rolled_back() -> None:
    output = "the engine rolled back to the previous release"
    assert find_failure(WANTED, make_service(image=OLD_IMAGE), RUNNING) == output


def test_the_same_image_of_another_deployment_was_rolled_back_as_well() -> None:
    output = "the engine rolled back to the previous release"
    assert find_failure(WANTED, make_service(deploy_id="deploy-0"), RUNNING) == output
    assert find_failure(WANTED, make_service(deploy_id="deploy-12"), RUNNING) == output


def test_a_service_that_is_told_nothing_is_another_one() -> None:
    found = make_service()
    found["Spec"]["TaskTemplate"]["ContainerSpec"]["Env"] = None
    assert find_failure(WANTED, found, []) == "the engine rolled back to the previous release"


def test_a_service_that_is_gone_is_a_fault() -> None:
    assert find_failure(WANTED, None, []) == "the service was removed"


@pytest.mark.parametrize(
    "state", ["paused", "rollback_started", "rollback_paused", "rollback_completed"]
)
def test_an_engine_that_stopped_or_goes_back_is_a_fault(state: str) -> None:
    assert (
        find_failure(WANTED, make_service(state=state), RUNNING) == f"the engine stopped: {state}"
    )


def test_an_update_under_way_is_neither_a_fault_nor_done() -> None:
    assert find_failure(WANTED, make_service(state="updating"), RUNNING) is None
    assert not has_converged(WANTED, make_service(state="updating"), RUNNING)


def test_a_restart_that_recovered_is_a_fault() -> None:
    died = make_task("failed", "shutdown", Err="task: non-zero exit (1)", code=1)
    output = "a replica failed: task: non-zero exit (1) (exit code 1)"
    assert find_failure(WANTED, make_service(), [*RUNNING, died]) == output


def test_a_replica_that_ended_by_itself_is_a_fault_though_it_said_that_all_is_well() -> None:
    ended = make_task("complete", "shutdown", Message="finished")
    assert find_failure(WANTED, make_service(), [*RUNNING, ended]) == "a replica complete: finished"


def test_what_became_of_the_former_deployment_s_replicas_is_no_fault() -> None:
    assert tasks_of_deployment(WANTED, [*FORMER, *RUNNING]) == RUNNING
    assert find_failure(WANTED, make_service(), [*FORMER, *RUNNING]) is None


def test_a_task_that_is_told_nothing_is_not_ours() -> None:
    silent = make_task()
    silent["Spec"]["ContainerSpec"].pop("Env")
    assert tasks_of_deployment(WANTED, [silent]) == []


def test_too_few_replicas_are_not_enough() -> None:
    assert not has_converged(WANTED, make_service(), RUNNING[:1])
    assert not has_converged(WANTED, make_service(), [make_task(), make_task("starting")])
    assert not has_converged(WANTED, make_service(), [])


def test_too_many_replicas_are_not_what_was_wanted() -> None:
    assert not has_converged(WANTED, make_service(), [*RUNNING, make_task()])


def test_a_replica_of_the_former_deployment_that_is_still_meant_to_run_is_waited_for() -> None:
    assert not has_converged(WANTED, make_service(), [*RUNNING, make_task(deploy_id="deploy-0")])


@pytest.mark.parametrize(
    ("state", "desired", "expected"),
    [
        ("failed", "shutdown", True),
        ("failed", "running", True),
        ("rejected", "shutdown", True),
        ("orphaned", "shutdown", True),
        ("complete", "shutdown", True),
        ("complete", "running", False),
        ("shutdown", "shutdown", False),
        ("starting", "running", False),
        ("pending", "running", False),
        ("running", "shutdown", False),
    ],
)
def test_only_an_end_that_nobody_ordered_is_broken(
    state: str, desired: str, *, expected: bool
) -> None:
    assert has_failed(make_task(state, desired)) is expected


@pytest.mark.parametrize(
    ("found", "sentence"),
    [
        (make_task("rejected", Err="No such image"), "a replica rejected: No such image"),
        (make_task("failed", Err="unhealthy container", code=137),
         "a replica failed: unhealthy container (exit code 137)"),
        (make_task("rejected", ContainerStatus=None), "a replica rejected: started"),
        (make_task("failed", Err="", Message="started"), "a replica failed: started"),
    ],
)  # fmt: skip
def test_what_became_of_a_replica_is_said_in_the_engine_s_words(
    found: dict[str, object], sentence: str
) -> None:
    assert describe_task(found) == sentence
