"""Workers that die under a server that lives are told by the replicas, and stop a release."""

import json
from dataclasses import fields
from itertools import cycle

import pytest

from pipeline.deploy.rollout.requests import WORKERS, requests
from pipeline.deploy.rollout.workers import (
    EACH_SECONDS,
    Told,
    Workers,
    WorkersDieError,
    asking,
    told,
)
from pipeline.deploy.smoke.scenario import Answer, Step
from tests.clock import Clock
from tests.conftest import ROOT
from tests.unit.deploy.factories import IMAGES
from tests.unit.deploy.fake_swarm import Engine

ENV = ["DEPLOY_ID=deploy-1"]
SERVICE = "shop_backend"


def answer(replica: str = "a", died: object = 0, deploy_id: object = "deploy-1") -> Answer:
    content = {"deploy_id": deploy_id, "replica": replica, "died": died}
    return Answer(200, "application/json", json.dumps(content).encode())


def workers(engine: Engine, *answers: Answer | None) -> tuple[Workers, list[int]]:
    """Return workers of two replicas that give these answers in turn, and how many they gave."""
    given: list[int] = []
    turns = cycle(answers)

    def ask() -> Answer | None:
        given.append(1)
        return next(turns)

    return Workers(engine, SERVICE, "deploy-1", 2, ask), given


@pytest.mark.parametrize(
    "given",
    [
        None,
        Answer(404),
        Answer(502, body=b"<html>"),
        Answer(200, body=b"[]"),
        answer(died=None),
        answer(deploy_id=None),
    ],
)
def test_an_answer_that_does_not_tell_is_none(given: Answer | None) -> None:
    assert told(given) is None


def test_replicas_that_lost_no_worker_are_well_once_both_have_told(
    engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    asked, given = workers(engine, answer("a"), answer("a"), answer("b"))
    asked.conclude()
    assert len(given) == 3
    assert capsys.readouterr().err == ""
    assert str(asked) == "none has died since its server started; 2 of 2 replicas tell"


def test_a_death_names_the_replica_how_many_died_and_where_to_look(
    engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    engine.start(SERVICE, IMAGES["backend"], ENV, 2, "running")
    replica = engine.run_of(SERVICE)[1]["Status"]["ContainerStatus"]["ContainerID"][:12]
    asked, _ = workers(engine, answer("a"), answer(replica, 3))
    with pytest.raises(WorkersDieError) as error:
        asked.conclude()
    assert str(error.value) == (
        f"3 of the workers of shop_backend.2 (container {replica}) died since its server started"
    )
    assert error.value.hint.startswith("docker service logs shop_backend: ")
    assert "the last words of shop_backend/1" in capsys.readouterr().err


def test_a_replica_whose_host_name_is_another_is_named_by_it(engine: Engine) -> None:
    asked, _ = workers(engine, answer("db7", 1))
    with pytest.raises(WorkersDieError, match=r"workers of shop_backend \(db7\) died"):
        asked.conclude()


def test_what_replicas_of_another_release_lost_is_not_this_one_s(engine: Engine) -> None:
    asked, _ = workers(engine, answer("x", 7, "deploy-0"), answer("a"), answer("b"))
    asked.conclude()
    assert not asked.fault()


@pytest.mark.parametrize("silent", [None, Answer(404)])
def test_a_release_that_does_not_tell_is_no_fault_and_said(
    engine: Engine, capsys: pytest.CaptureFixture[str], silent: Answer | None
) -> None:
    asked, given = workers(engine, silent)
    asked.conclude()
    said = "whether workers of shop_backend died, 0 of 2 replicas tell"
    assert said in capsys.readouterr().err
    assert len(given) == 3, "it is in vain"


def test_one_answer_that_is_lost_is_asked_for_again(
    engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    asked, _ = workers(engine, None, answer("a"), answer("b"))
    asked.conclude()
    assert capsys.readouterr().err == ""


def test_in_passing_it_is_asked_every_few_seconds(engine: Engine, clock: Clock) -> None:
    asked, given = workers(engine, answer("a"), answer("b"))
    for _ in range(4):
        asked.look()
    assert not given
    clock.sleep(EACH_SECONDS)
    asked.look()
    asked.look()
    assert len(given) == 8
    clock.sleep(EACH_SECONDS)
    asked.look()
    assert len(given) == 16


def test_in_passing_a_death_is_a_fault_at_once(engine: Engine, clock: Clock) -> None:
    asked, _ = workers(engine, answer("a"), answer("b", 1))
    clock.sleep(EACH_SECONDS)
    with pytest.raises(WorkersDieError):
        asked.look()


class Broken:
    """A visitor who gets no answer."""

    def ask(self, step: Step, _: float) -> Answer:
        assert step.path == WORKERS
        raise ConnectionRefusedError


def test_a_site_that_does_not_answer_is_judged_by_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.deploy.rollout.workers.new_visitor", lambda *_: Broken())
    assert asking("https://shop.example.com", {}, "")() is None


def test_what_the_deployer_asks_is_no_request_of_a_user() -> None:
    usual = {"timestamp": "2026-11-23T12:00:00+00:00", "next": "", "closed": ""}
    entry = {**usual, "status": 200, "seconds": 0.01}
    log = "\n".join(json.dumps({**entry, "path": path}) for path in (WORKERS, "/api/v1/version/"))
    assert [each.path for each in requests(log)] == ["/api/v1/version/"]


def test_the_app_tells_what_is_read() -> None:
    schema = json.loads((ROOT / "frontend/openapi.json").read_text())
    answer = schema["paths"][WORKERS]["get"]["responses"]["200"]["content"]["application/json"]
    assert answer["schema"] == {"$ref": "#/components/schemas/WorkersOut"}
    given = schema["components"]["schemas"]["WorkersOut"]["required"]
    assert given == [field.name for field in fields(Told)]
