"""A command runs as what serves would, and the journal knows of it without knowing secrets."""

import pytest

from pipeline.deploy.cluster.one_shot_jobs import JobFailedError
from pipeline.deploy.cluster.stackfile import render_services
from pipeline.deploy.commands import execute
from pipeline.deploy.commands.execute import redact_command, split_command
from pipeline.deploy.rollout.candidate import new_record
from pipeline.deploy.state import journal
from pipeline.deploy.state.audit_log import entries
from pipeline.errors import InputError
from tests.unit.deploy.factories import INSTANT_TIMINGS, make_environment, make_release
from tests.unit.deploy.fake_swarm import FakeSwarm

STAGING = make_environment(timings=INSTANT_TIMINGS)
BACKEND = make_release(1).images["backend"]


@pytest.fixture
def live(engine: FakeSwarm) -> FakeSwarm:
    entry = new_record(make_release(1), render_services(STAGING, make_release(1)), [], "deploy")
    journal.record_start(engine, "shop", entry)
    journal.record_end(engine, "shop", entry, journal.SUCCEEDED)
    return engine


def run(command: str, service: str = "backend", seconds: int = 5) -> int:
    return execute.run_command(STAGING, command, service=service, seconds=seconds)


def test_it_has_the_image_the_secrets_and_the_variables_of_what_serves(
    live: FakeSwarm, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("python manage.py showmigrations") == 0
    (received,) = [options for name, options in live.options.items() if "-exec-" in name]
    assert {BACKEND, "--entrypoint=python", "--network=shop-app", "--env=DEPLOY_ID=deploy-1"} <= {
        *received
    }
    assert received[-3:] == (BACKEND, "manage.py", "showmigrations")
    assert any("target=DATABASE_URL" in option for option in received)
    assert capsys.readouterr().out.startswith("last log lines of shop-exec-")
    assert live.objects("service") == {}


def test_its_exit_code_is_that_of_the_command(live: FakeSwarm) -> None:
    live.ends[BACKEND] = "failed"
    assert run("python -c 1/0") == 1
    assert entries(live, "shop")[-1].outcome == "exit code 1"


def test_one_that_does_not_end_is_ended(live: FakeSwarm) -> None:
    live.ends[BACKEND] = "running"
    with pytest.raises(JobFailedError, match="took more than 0 s"):
        run("sleep 1", seconds=0)
    assert live.objects("service") == {}
    assert entries(live, "shop")[-1].outcome == "started"


def test_only_a_service_that_serves_can_be_asked(live: FakeSwarm) -> None:
    with pytest.raises(InputError, match="no such service: `web`") as caught:
        run("ls", service="web")
    assert caught.value.hint == "known services: backend, frontend"
    live.objects("config").clear()
    with pytest.raises(InputError):
        run("ls")


def test_a_person_is_asked_where_the_environment_wants_that(live: FakeSwarm) -> None:
    with pytest.raises(InputError, match="not confirmed: run ls on staging"):
        execute.run_command(
            make_environment(confirm=True), "ls -l", service="backend", seconds=5, yes=False
        )
    assert entries(live, "shop") == []


@pytest.mark.parametrize(
    ("command", "fault"), [("", "there is no command"), ("echo 'a", "the command cannot be read")]
)
def test_what_is_no_command_is_refused(command: str, fault: str) -> None:
    with pytest.raises(InputError, match=fault):
        split_command(command)


@pytest.mark.parametrize(
    ("command", "kept"),
    [
        ("ls", "ls"),
        ("python manage.py showmigrations", "python manage.py showmigrations"),
        ("python manage.py shell -c 'secret'", "python manage.py shell …"),
        ("python -c 'secret'", "python …"),
        ("curl https://a:secret@example.com", "curl …"),
        ("env TOKEN=secret ls", "env …"),
    ],
)
def test_the_journal_keeps_the_first_words_of_a_command_and_no_more(
    command: str, kept: str
) -> None:
    program, *rest = split_command(command)
    assert redact_command(program, rest) == kept


def test_one_whose_container_cannot_be_made_says_why(live: FakeSwarm) -> None:
    live.ends[BACKEND], live.errors[BACKEND] = "rejected", "secret reference x1 not found"
    with pytest.raises(JobFailedError, match="secret reference x1 not found") as caught:
        run("python manage.py sleep")
    assert "docker secret ls" in caught.value.hint
