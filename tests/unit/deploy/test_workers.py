"""Replicas report crashed workers of a running server, which stops a release."""

import json
from dataclasses import fields
from itertools import cycle

import pytest

from pipeline.config import load
from pipeline.deploy.rollout.requests import parse_access_log
from pipeline.deploy.rollout.workers import (
    CHECK_INTERVAL,
    WorkerMonitor,
    WorkerReport,
    WorkersDieError,
    parse_report,
    report_reader,
)
from pipeline.deploy.smoke.steps import Response, SmokeStep
from tests.clock import Clock
from tests.conftest import ROOT
from tests.unit.deploy.factories import IMAGES
from tests.unit.deploy.fake_swarm import FakeSwarm

ENV = ["DEPLOY_ID=deploy-1"]
SERVICE = "shop_backend"
WORKERS = load().app.paths.workers


def answer(replica: str = "a", died: object = 0, deploy_id: object = "deploy-1") -> Response:
    content = {"deploy_id": deploy_id, "replica": replica, "died": died}
    return Response(200, "application/json", json.dumps(content).encode())


def workers(engine: FakeSwarm, *answers: Response | None) -> tuple[WorkerMonitor, list[int]]:
    """Return workers of two replicas that give these answers in turn, and how many they gave."""
    given: list[int] = []
    turns = cycle(answers)

    def ask() -> Response | None:
        given.append(1)
        return next(turns)

    return WorkerMonitor(engine, SERVICE, "deploy-1", 2, ask), given


@pytest.mark.parametrize(
    "given",
    [
        None,
        Response(404),
        Response(502, body=b"<html>"),
        Response(200, body=b"[]"),
        answer(died=None),
        answer(deploy_id=None),
    ],
)
def test_an_answer_that_does_not_tell_is_none(given: Response | None) -> None:
    assert parse_report(given) is None


def test_replicas_that_lost_no_worker_are_well_once_both_have_told(
    engine: FakeSwarm, capsys: pytest.CaptureFixture[str]
) -> None:
    requested, given = workers(engine, answer("a"), answer("a"), answer("b"))
    requested.final_check()
    assert len(given) == 3
    assert capsys.readouterr().err == ""
    assert str(requested) == "no worker exited since its server started; 2 of 2 replicas report"


def test_a_death_names_the_replica_how_many_died_and_where_to_look(
    engine: FakeSwarm, capsys: pytest.CaptureFixture[str]
) -> None:
    engine.start_service(SERVICE, IMAGES["backend"], ENV, 2, "running")
    replica = engine.tasks_of(SERVICE)[1]["Status"]["ContainerStatus"]["ContainerID"][:12]
    requested, _ = workers(engine, answer("a"), answer(replica, 3))
    with pytest.raises(WorkersDieError) as error:
        requested.final_check()
    assert str(error.value) == (
        f"3 workers of shop_backend.2 (container {replica}) exited since its server started"
    )
    assert error.value.hint.startswith("docker service logs shop_backend: ")
    assert "last log lines of shop_backend/1" in capsys.readouterr().err


def test_a_replica_whose_host_name_is_another_is_named_by_it(engine: FakeSwarm) -> None:
    requested, _ = workers(engine, answer("db7", 1))
    with pytest.raises(WorkersDieError, match=r"workers of shop_backend \(db7\) exited"):
        requested.final_check()


def test_what_replicas_of_another_release_lost_is_not_this_one_s(engine: FakeSwarm) -> None:
    requested, _ = workers(engine, answer("x", 7, "deploy-0"), answer("a"), answer("b"))
    requested.final_check()
    assert not requested.fault()


@pytest.mark.parametrize("silent", [None, Response(404)])
def test_a_release_that_does_not_tell_is_no_fault_and_said(
    engine: FakeSwarm, capsys: pytest.CaptureFixture[str], silent: Response | None
) -> None:
    requested, given = workers(engine, silent)
    requested.final_check()
    output = "0 of 2 replicas of shop_backend report their workers"
    assert output in capsys.readouterr().err
    assert len(given) == 3, "it is in vain"


def test_one_answer_that_is_lost_is_asked_for_again(
    engine: FakeSwarm, capsys: pytest.CaptureFixture[str]
) -> None:
    requested, _ = workers(engine, None, answer("a"), answer("b"))
    requested.final_check()
    assert capsys.readouterr().err == ""


def test_in_passing_it_is_asked_every_few_seconds(engine: FakeSwarm, clock: Clock) -> None:
    requested, given = workers(engine, answer("a"), answer("b"))
    for _ in range(4):
        requested.check()
    assert not given
    clock.sleep(CHECK_INTERVAL)
    requested.check()
    requested.check()
    assert len(given) == 8
    clock.sleep(CHECK_INTERVAL)
    requested.check()
    assert len(given) == 16


def test_in_passing_a_death_is_a_fault_at_once(engine: FakeSwarm, clock: Clock) -> None:
    requested, _ = workers(engine, answer("a"), answer("b", 1))
    clock.sleep(CHECK_INTERVAL)
    with pytest.raises(WorkersDieError):
        requested.check()


class Broken:
    """A client that gets no response."""

    def send(self, step: SmokeStep, _: float) -> Response:
        assert step.path == WORKERS
        raise ConnectionRefusedError


def test_a_site_that_does_not_answer_is_judged_by_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.deploy.rollout.workers.new_client", lambda *_: Broken())
    assert report_reader("https://shop.example.com", {}, "")() is None


def test_what_the_deployer_asks_is_no_request_of_a_user() -> None:
    usual = {"timestamp": "2026-11-23T12:00:00+00:00", "next": "", "closed": ""}
    entry = {**usual, "status": 200, "seconds": 0.01}
    log = "\n".join(json.dumps({**entry, "path": path}) for path in (WORKERS, "/api/v1/version/"))
    assert [each.path for each in parse_access_log(log)] == ["/api/v1/version/"]


def test_the_app_tells_what_is_read() -> None:
    schema = json.loads((ROOT / "frontend/openapi.json").read_text())
    answer = schema["paths"][WORKERS]["get"]["responses"]["200"]["content"]["application/json"]
    assert answer["schema"] == {"$ref": "#/components/schemas/WorkersOut"}
    given = schema["components"]["schemas"]["WorkersOut"]["required"]
    assert given == [
        *(field.name for field in fields(WorkerReport) if field.name != "exited"),
        "died",
    ]
