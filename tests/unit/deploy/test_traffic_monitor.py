"""Failed requests of users are counted from the access log of the edge."""

from collections.abc import Callable
from dataclasses import replace
from json import dumps
from typing import ClassVar

import pytest

from pipeline.deploy.cluster import retry
from pipeline.deploy.cluster.client import JSONObject, SwarmClient
from pipeline.deploy.cluster.replicas import Replicas
from pipeline.deploy.cluster.retry import EngineUnavailableError
from pipeline.deploy.rollout.requests import (
    RequestSample,
    error_regression,
    latency_regression,
    parse_access_log,
)
from pipeline.deploy.rollout.traffic_monitor import TrafficMonitor, TrafficRegressionError
from pipeline.environments import TrafficTolerance
from pipeline.process import CommandResult
from tests.unit.deploy.factories import make_task

USUAL = TrafficTolerance()


def line(status: int = 200, seconds: str = "0.010", **given: str) -> str:
    usual = {"timestamp": "2026-11-23T12:00:00+00:00", "next": "", "closed": ""}
    entry = {**usual, "logger": "edge", **given}
    return dumps(entry)[:-1] + f', "status": {status}, "seconds": {seconds}}}'


def served(number: int, status: int = 200, seconds: float = 0.01) -> list[RequestSample]:
    return [RequestSample("2026-11-23T12:00:00+00:00", status, seconds)] * number


def test_requests_are_read_and_what_else_the_edge_says_is_not() -> None:
    log = "\n".join(
        [
            "2026/11/23 12:00:00 [warn] 7#7: a client body is buffered to a file",
            line(503, "0.250"),
            line(200, next="-next"),
            line(503, closed="1"),
            '{"a": 1}',
            line()[:-20],
        ]
    )
    assert parse_access_log(log) == [RequestSample("2026-11-23T12:00:00+00:00", 503, 0.25)]


def test_users_who_get_what_they_got_before_lost_nothing() -> None:
    assert error_regression(served(100), served(100), USUAL) is None
    assert error_regression([], [], USUAL) is None
    assert error_regression([], served(1000), USUAL) is None


def test_errors_that_were_not_there_before_are_a_fault_with_its_figures() -> None:
    after = served(95) + served(5, status=502)
    assert error_regression(served(100), after, USUAL) == (
        "5 of 100 requests of users failed since the roll began (5.0%; 0.0% before)"
    )


def test_a_site_that_failed_as_often_before_is_not_the_release_s_errors() -> None:
    failing = served(90) + served(10, status=500)
    assert error_regression(failing, failing, USUAL) is None
    assert error_regression(failing, served(80) + served(20, status=500), USUAL)


@pytest.mark.parametrize(("failed", "good"), [(1, 0), (2, 0), (3, 4), (4, 5)])
def test_a_few_errors_tell_nothing(failed: int, good: int) -> None:
    assert error_regression([], served(failed, status=500) + served(good), USUAL) is None


@pytest.mark.parametrize("path", ["/api/v1/projects/17/", "/api/v1/projects/", "/api/v1/projects"])
def test_a_part_of_the_site_that_fails_is_a_fault_however_small_its_share(path: str) -> None:
    some = [replace(each, path=path) for each in served(9, status=500)]
    assert error_regression(served(1000), served(1000) + some, USUAL) == (
        "9 of 9 requests for /api/v1/projects failed since the roll began (100.0%; 0.0% before)"
    )


def test_few_requests_that_all_fail_are_a_fault() -> None:
    assert error_regression([], served(4, status=500), USUAL) == (
        "4 of 4 requests of users failed since the roll began (100.0%; 0.0% before)"
    )


def test_a_part_that_failed_before_is_not_the_release_s_fault() -> None:
    broken = [replace(each, path="/api/v1/old/") for each in served(9, status=500)]
    assert error_regression(served(1000) + broken, served(1000) + broken, USUAL) is None


@pytest.mark.parametrize(
    ("path", "group"),
    [
        ("/", "/"),
        ("/api/v1/projects/7/notes/", "/api/v1/projects"),
        ("/assets/index-3fA9x_2b.js", "/assets/index-3fA9x_2b.js"),
        ("/u/0192f0c1-9d6e-7c3a-8b1e-5a4f3c2d1e0f", "/u"),
        ("/projects/deadbeef", "/projects"),
        ("/facade/", "/facade"),
    ],
)
def test_what_names_one_of_many_things_is_no_part_of_a_group(path: str, group: str) -> None:
    assert RequestSample("", 200, 0, path).group == group


@pytest.mark.parametrize(
    ("upstream", "replica"),
    [
        ("", ""),
        ("10.0.1.5:8000", "10.0.1.5"),
        ("10.0.1.5:8000, 10.0.1.6:8000", "10.0.1.6"),
        ("10.0.1.5:8080 : 10.0.1.7:8080", "10.0.1.7"),
        ("[fd00::5]:8000", "[fd00::5]"),
    ],
)
def test_the_replica_that_answered_is_the_last_that_was_asked(upstream: str, replica: str) -> None:
    assert parse_access_log(line(upstream=upstream))[0].replica == replica


def test_a_site_that_is_fifty_times_slower_is_a_fault_below_a_second_too() -> None:
    assert latency_regression(served(100, seconds=0.01), served(100, seconds=0.5), USUAL) == (
        "one request in two takes longer than 0.500 s (0.010 s before)"
    )


def test_what_a_client_did_wrong_is_no_error() -> None:
    assert error_regression(served(100), served(100, status=404), USUAL) is None


def test_a_release_that_is_much_slower_is_a_fault_with_its_figures() -> None:
    after = served(90) + served(10, seconds=4)
    assert latency_regression(served(100, seconds=0.5), after, USUAL) == (
        "one request in twenty takes longer than 4.00 s (0.50 s before)"
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (served(100, seconds=0.01), served(100, seconds=0.09)),  # still fast
        (served(100, seconds=2), served(100, seconds=5)),  # not thrice
        (served(10, seconds=0.01), served(100, seconds=5)),  # too few to compare with
        (served(100, seconds=0.01), served(10, seconds=5)),
    ],
)
def test_slower_is_no_fault_within_the_tolerance_or_without_enough_requests(
    before: list[RequestSample], after: list[RequestSample]
) -> None:
    assert latency_regression(before, after, USUAL) is None


def replica(deploy_id: str, *addresses: str) -> JSONObject:
    return {**make_task(deploy_id=deploy_id), "NetworksAttachments": [{"Addresses": [*addresses]}]}


CUT = CommandResult((), 1, "", "incomplete log stream: node x1 is not available")
HUNG = CommandResult((), 124, "", "no answer within 15 s")
GONE = CommandResult((), 1, "", "incomplete log stream: no such container")


class Edge(SwarmClient):
    """An engine that runs replicas of the edge, and what each of them answers for its log."""

    replicas: ClassVar[dict[str, CommandResult]] = {}
    ended: ClassVar[set[str]] = set()

    def tasks(self, service: str) -> list[JSONObject]:
        """Return the replicas, and one that never began; of the app, an old one and a new one."""
        if service == "edge_app":
            return [replica("deploy-1", "10.0.1.5/24"), replica("deploy-2", "10.0.1.6/24")]
        started = {"ContainerStatus": {"ContainerID": "c1"}}
        states = {name: "shutdown" if name in self.ended else "running" for name in self.replicas}
        received = [{"ID": k, "DesiredState": v, "Status": started} for k, v in states.items()]
        return [*received, {"ID": "waiting", "DesiredState": "running", "Status": {}}]

    def run(self, *arguments: str, **_: object) -> CommandResult:
        """Answer for one replica."""
        return self.replicas[arguments[-1]]


@pytest.fixture
def edge(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Edge]:
    """Return an engine whose replicas of the edge answer like this."""
    monkeypatch.setattr(retry, "RETRY_TIMEOUT", 0)

    def answering(*answers: CommandResult, ended: str = "") -> Edge:
        named = {str(number): answer for number, answer in enumerate(answers)}
        monkeypatch.setattr(Edge, "replicas", named)
        monkeypatch.setattr(Edge, "ended", {ended})
        return Edge()

    return answering


def exposed(edge: Edge, **given: bool) -> TrafficMonitor:
    return TrafficMonitor(
        edge, "edge_edge", USUAL, Replicas(edge, ["edge_app"], "deploy-2"), **given
    )


def output(*lines: str) -> CommandResult:
    return CommandResult((), 0, "\n".join(lines), "")


def test_every_replica_of_the_edge_is_asked(edge: Callable[..., Edge]) -> None:
    exposure = exposed(edge(output(line()), output(line(500), line())))
    assert [request.status for request in exposure.before] == [200, 500, 200]
    assert not exposure.partial


@pytest.mark.parametrize("silent", [CUT, HUNG])
def test_users_are_judged_by_the_replicas_that_answer_and_it_is_said_once(
    silent: CommandResult, edge: Callable[..., Edge], capsys: pytest.CaptureFixture[str]
) -> None:
    exposure = exposed(edge(silent, output(line())))
    exposure.final_check()
    assert len(exposure.before) == 1
    received = capsys.readouterr().err
    assert received.count(f"part of the log of edge_edge is unavailable: {silent.stderr}") == 1


def test_a_replica_that_ended_is_heard_while_it_is_kept_and_not_missed_afterwards(
    edge: Callable[..., Edge],
) -> None:
    kept = exposed(edge(output(line(502)), output(line()), ended="0"))
    assert len(kept.before) == 2
    gone = exposed(edge(GONE, output(line()), ended="0"))
    assert len(gone.before) == 1
    assert not gone.partial


@pytest.mark.parametrize("silent", [CUT, HUNG])
def test_an_engine_that_says_nothing_of_users_has_not_judged_them(
    silent: CommandResult, edge: Callable[..., Edge]
) -> None:
    with pytest.raises(EngineUnavailableError, match=silent.stderr):
        exposed(edge(silent, silent))


def test_nobody_is_judged_by_a_replica_alone_that_ended(edge: Callable[..., Edge]) -> None:
    with pytest.raises(EngineUnavailableError, match=HUNG.stderr):
        exposed(edge(output(line()), HUNG, ended="0"))


OTHERS, OURS, NONE = "10.0.1.5:8000", "10.0.1.6:8000", ""


def rolling(edge: Callable[..., Edge], since: list[str], *, outage: bool = False) -> TrafficMonitor:
    """Return what users get of a release, where the edge was quiet before it."""
    exposure = exposed(edge(output()), outage=outage)
    exposure.swarm.replicas["0"] = output(*since)  # type: ignore[attr-defined]
    return exposure


def test_a_release_is_not_judged_by_the_answers_of_the_one_that_it_replaces(
    edge: Callable[..., Edge],
) -> None:
    dying = [line(502, upstream=OTHERS)] * 100
    rolling(edge, dying + [line(upstream=OURS)] * 60).final_check()


@pytest.mark.parametrize("upstream", [OURS, f"{OTHERS}, {OURS}", NONE, "10.0.1.99:8000"])
def test_what_none_of_the_others_answered_is_the_release_s(
    edge: Callable[..., Edge], upstream: str
) -> None:
    with pytest.raises(TrafficRegressionError, match="100 of 160 requests of users failed"):
        rolling(
            edge, [line(502, upstream=upstream)] * 100 + [line(upstream=OURS)] * 60
        ).final_check()


def test_in_an_outage_what_no_replica_answered_tells_nothing_of_the_release(
    edge: Callable[..., Edge],
) -> None:
    since = [line(502, upstream=NONE)] * 100 + [line(upstream=OURS)] * 60
    rolling(edge, since, outage=True).final_check()


def test_in_an_outage_failing_before_is_no_excuse_for_failing_since(
    edge: Callable[..., Edge],
) -> None:
    failing = [line(500, upstream=OURS)] * 10
    exposure = exposed(edge(output(*[line(502)] * 100)), outage=True)
    exposure.since = ""
    exposure.swarm.replicas["0"] = output(*failing)  # type: ignore[attr-defined]
    with pytest.raises(TrafficRegressionError, match=r"10 of 10 .*0\.0% before"):
        exposure.final_check()


def test_times_are_compared_with_those_of_the_others_in_the_same_minutes(
    edge: Callable[..., Edge],
) -> None:
    """A machine that is busy slows both."""
    busy = [line(seconds="4.0", upstream=OTHERS)] * 60 + [line(seconds="5.0", upstream=OURS)] * 60
    exposure = exposed(edge(output(*[line(seconds="0.01", upstream=OTHERS)] * 60)))
    exposure.since = ""
    exposure.swarm.replicas["0"] = output(*busy)  # type: ignore[attr-defined]
    exposure.final_check()


def test_a_quiet_night_is_told_to_the_journal(
    edge: Callable[..., Edge], capsys: pytest.CaptureFixture[str]
) -> None:
    few = "12 requests of users since the roll began: too few to evaluate"
    assert rolling(edge, [line(upstream=OURS)] * 12).final_check() == few
    assert few in capsys.readouterr().err
