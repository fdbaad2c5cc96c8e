"""The result of a job is that of its tasks, and the job is removed."""

from collections.abc import Callable

import pytest

from pipeline.deploy.cluster.client import SwarmClient
from pipeline.deploy.cluster.deploy_target import DeployTarget
from pipeline.deploy.cluster.one_shot_jobs import (
    END_MARKER,
    Job,
    JobFailedError,
    job_for_service,
    run_and_read_lines,
    run_job,
    service_create_args,
    wait_for_leftover_job,
)
from pipeline.deploy.cluster.stackfile import render_services
from pipeline.deploy.cluster.tasks import exit_code, representative_tasks
from pipeline.process import CommandResult
from tests.clock import Clock
from tests.unit.deploy.factories import (
    IMAGES,
    INSTANT_TIMINGS,
    make_environment,
    make_release,
    make_task,
)
from tests.unit.deploy.fake_swarm import FakeSwarm

STAGING = make_environment(timings=INSTANT_TIMINGS)
JOB = Job("shop-migrate", IMAGES["backend"], ["python", "manage.py", "migrate"], {"A": "1"})


def test_a_job_that_completes_leaves_nothing(engine: FakeSwarm) -> None:
    run_job(DeployTarget(STAGING, engine), JOB, 5)
    assert engine.objects("service") == {}


@pytest.mark.parametrize("state", ["failed", "rejected", "orphaned"])
def test_a_job_that_fails_tells_why_and_what_it_said_last_and_leaves_nothing(
    engine: FakeSwarm, state: str
) -> None:
    engine.ends[JOB.image] = state
    with pytest.raises(JobFailedError) as caught:
        run_job(DeployTarget(STAGING, engine), JOB, 5)
    words = "" if state == "rejected" else "\nlast log lines of shop-migrate"
    assert str(caught.value) == f"shop-migrate: {state}{words}"
    assert engine.objects("service") == {}


def test_a_job_that_does_not_end_is_ended(engine: FakeSwarm) -> None:
    engine.ends[JOB.image] = "running"
    with pytest.raises(JobFailedError, match=r"^shop-migrate took more than 0 s"):
        run_job(DeployTarget(STAGING, engine), JOB, 0.05)
    assert engine.objects("service") == {}


def test_a_job_of_a_deployer_who_died_in_it_is_no_hindrance(engine: FakeSwarm) -> None:
    engine.start_service("shop-migrate", "old", [], 1, "failed")
    run_job(DeployTarget(STAGING, engine), JOB, 5)


@pytest.mark.parametrize(
    ("everywhere", "mode"), [(True, "--mode=global"), (False, "--mode=replicated")]
)
def test_a_job_runs_once_and_may_write_nowhere(*, everywhere: bool, mode: str) -> None:
    received = service_create_args("shop", JOB, everywhere=everywhere)
    assert {mode, "--name=shop-migrate", "--restart-condition=none", "--env=A=1"} <= {*received}
    assert {"--read-only", "--cap-drop=ALL", "--network=shop-app", "--no-healthcheck"} <= {
        *received
    }
    assert received[-4:] == [IMAGES["backend"], "python", "manage.py", "migrate"]


def test_a_job_of_the_backend_has_its_secrets_as_only_the_app_may_read_them() -> None:
    service = render_services(make_environment(), make_release())["backend"]
    job = job_for_service("shop", "check", service, ["python", "manage.py", "self_check"])
    assert (job.name, job.image) == ("shop-check", make_release().images["backend"])
    assert job.environment == service["environment"]
    file = "--secret=source=shop-database_url-01234567,target=DATABASE_URL"
    assert job.options == [f"{file},uid=10001,gid=10001,mode=0400", "--entrypoint=python"]
    assert job.command == ["manage.py", "self_check"]


def test_what_a_job_says_counts_only_if_all_of_it_is_there(engine: FakeSwarm) -> None:
    engine.message["migrate"] = "one\ntwo"
    assert run_and_read_lines(DeployTarget(STAGING, engine), JOB, 5) == ["one", "two"]
    engine.message["migrate"] = f"one\n{END_MARKER}\n later, on standard error"
    assert run_and_read_lines(DeployTarget(STAGING, engine), JOB, 5) == ["one"]


def test_what_a_job_says_is_not_taken_for_all_when_the_engine_lost_the_end(
    engine: FakeSwarm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SwarmClient, "full_logs", lambda *_: CommandResult((), 0, "one\n", ""))
    with pytest.raises(JobFailedError, match="lost the output of shop-migrate"):
        run_and_read_lines(DeployTarget(STAGING, engine), JOB, 5)


def test_what_the_engine_began_anew_is_no_second_job() -> None:
    """Where managers choose another leader, a task that was lost is replaced."""
    lost, runs, done = make_task("failed"), make_task("running"), make_task("complete")
    assert representative_tasks([done, lost, runs]) == [done]
    assert representative_tasks([lost, runs]) == [runs]
    assert representative_tasks([lost]) == [lost]
    nodes = [{**each, "Slot": None, "NodeID": node} for each, node in ((done, "1"), (lost, "2"))]
    assert representative_tasks(nodes) == nodes[::-1]


def test_a_node_that_is_lost_is_not_waited_for() -> None:
    done, lost = (
        {**make_task(state, "shutdown"), "Slot": None, "NodeID": node}
        for state, node in (("complete", "1"), ("running", "2"))
    )
    assert representative_tasks([done, lost]) == [done]
    assert representative_tasks([lost]) == []


def test_a_job_on_several_nodes_has_failed_when_it_has_on_one() -> None:
    assert [exit_code(each) for each in (make_task("complete"), make_task("failed", code=7))] == [
        0,
        7,
    ]
    assert exit_code(make_task("rejected")) == 1


def test_a_job_of_a_dead_deployer_is_let_end_before_the_next_one(
    engine: FakeSwarm,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    engine.start_service("shop-migrate", IMAGES["backend"], [], 1, "running")
    (task,) = engine.tasks_of("shop-migrate")

    def passes(seconds: float, sleep: Callable[[float], None] = clock.sleep) -> None:
        sleep(seconds)
        if clock.monotonic() > 25:
            task["Status"]["State"] = "complete"

    monkeypatch.setattr(clock, "sleep", passes)
    wait_for_leftover_job(engine, "shop-migrate", 600)
    received = [line[10:] for line in capsys.readouterr().err.splitlines()]
    assert received == [
        f"shop-migrate of an earlier deployment still runs; waiting for {seconds} s"
        for seconds in (0, 10, 20)
    ]


def test_a_job_that_does_not_end_is_left_alone_and_named(engine: FakeSwarm) -> None:
    engine.start_service("shop-migrate", IMAGES["backend"], [], 1, "running")
    with pytest.raises(JobFailedError, match="still runs after 60 s") as caught:
        wait_for_leftover_job(engine, "shop-migrate", 60)
    assert "docker service logs shop-migrate" in caught.value.hint
    assert engine.tasks_of("shop-migrate")


@pytest.mark.parametrize("state", ["", "complete", "failed", "pending", "new"])
def test_what_has_ended_or_never_begun_is_not_waited_for(
    engine: FakeSwarm, clock: Clock, state: str
) -> None:
    if state:
        engine.start_service("shop-migrate", IMAGES["backend"], [], 1, state)
    before = clock.monotonic()
    wait_for_leftover_job(engine, "shop-migrate", 60)
    assert clock.monotonic() == before
