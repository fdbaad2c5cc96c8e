"""A job is judged by its tasks, and nothing of it is left."""

import pytest

from pipeline.deploy.jobs import Job, JobFailedError, arguments, of_backend, run_job
from tests.deploying.engine import Engine
from tests.deploying.examples import IMAGES, release

JOB = Job("shop-migrate", IMAGES["backend"], ["python", "manage.py", "migrate"], {"A": "1"})


def test_a_job_that_completes_leaves_nothing(engine: Engine) -> None:
    run_job(engine, "shop", JOB, 5)
    assert engine.of("service") == {}


@pytest.mark.parametrize("state", ["failed", "rejected", "orphaned"])
def test_a_job_that_fails_tells_why_and_what_it_said_last_and_leaves_nothing(
    engine: Engine, state: str
) -> None:
    engine.ends[JOB.image] = state
    with pytest.raises(JobFailedError) as caught:
        run_job(engine, "shop", JOB, 5)
    assert str(caught.value) == f"shop-migrate: {state}\nthe last words of shop-migrate"
    assert engine.of("service") == {}


def test_a_job_that_does_not_end_is_ended(engine: Engine) -> None:
    engine.ends[JOB.image] = "running"
    with pytest.raises(JobFailedError, match=r"^shop-migrate took more than 0 s"):
        run_job(engine, "shop", JOB, 0.05)
    assert engine.of("service") == {}


def test_a_job_of_a_deployer_who_died_in_it_is_no_hindrance(engine: Engine) -> None:
    engine.start("shop-migrate", "old", [], 1, "failed")
    run_job(engine, "shop", JOB, 5)


@pytest.mark.parametrize(
    ("everywhere", "mode"), [(True, "--mode=global-job"), (False, "--mode=replicated-job")]
)
def test_a_job_runs_once_and_may_write_nowhere(*, everywhere: bool, mode: str) -> None:
    told = arguments("shop", JOB, everywhere=everywhere)
    assert {mode, "--name=shop-migrate", "--restart-condition=none", "--env=A=1"} <= {*told}
    assert {"--read-only", "--cap-drop=ALL", "--network=shop-app", "--no-healthcheck"} <= {*told}
    assert told[-4:] == [IMAGES["backend"], "python", "manage.py", "migrate"]


def test_a_job_of_the_backend_has_its_secrets_as_only_the_app_may_read_them() -> None:
    job = of_backend("shop", "check", release(), {"A": "1"}, ["self_check"])
    assert (job.name, job.image) == ("shop-check", release().images["backend"])
    file = "--secret=source=shop-database_url-01234567,target=DATABASE_URL"
    assert job.options == [f"{file},uid=10001,gid=10001,mode=0400"]
