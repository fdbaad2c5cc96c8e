"""Management commands run as jobs, and again if a job could not connect to the database."""

import pytest

from pipeline.deploy.cluster import management_commands
from pipeline.deploy.cluster.deploy_target import DeployTarget
from pipeline.deploy.cluster.management_commands import (
    management_arguments,
    run_management_command,
)
from pipeline.deploy.cluster.one_shot_jobs import JobFailedError
from pipeline.deploy.cluster.stackfile import render_services
from tests.unit.deploy.factories import make_environment, make_release
from tests.unit.deploy.fake_swarm import FakeSwarm

STAGING = make_environment()
SERVICE = render_services(STAGING, make_release())["backend"]
CUT_OFF = "django.db.utils.OperationalError: connection timeout expired"


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> list[str | list[str]]:
    """What the jobs print in turn; a text is the end of a job that failed."""
    given: list[str | list[str]] = []

    def run(*_: object) -> list[str]:
        found = given.pop(0)
        if isinstance(found, str):
            raise JobFailedError(found, hint="")
        return found

    monkeypatch.setattr(management_commands, "run_and_read_lines", run)
    return given


@pytest.fixture
def target(engine: FakeSwarm) -> DeployTarget:
    return DeployTarget(STAGING, engine)


def test_job_without_database_is_run_again(
    answers: list[str | list[str]], target: DeployTarget, capsys: pytest.CaptureFixture[str]
) -> None:
    answers += [CUT_OFF, ["one"]]
    assert run_management_command(target, SERVICE, "leftovers") == ["one"]
    assert "shop-barrier could not connect to the database" in capsys.readouterr().err


def test_job_is_run_three_times_at_most(
    answers: list[str | list[str]], target: DeployTarget
) -> None:
    answers += [CUT_OFF] * 3 + [["one"]]
    with pytest.raises(JobFailedError, match="connection timeout expired"):
        run_management_command(target, SERVICE, "leftovers")
    assert answers == [["one"]]


def test_other_failure_is_not_repeated(
    answers: list[str | list[str]], target: DeployTarget
) -> None:
    answers += ["Unknown command: 'leftovers'", ["one"]]
    with pytest.raises(JobFailedError, match="Unknown command"):
        run_management_command(target, SERVICE, "leftovers")
    assert answers == [["one"]]


def test_management_arguments() -> None:
    assert management_arguments("migrate --plan") == ["python", "manage.py", "migrate", "--plan"]
