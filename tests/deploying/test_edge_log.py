"""What users lost by a release is told by the edge's own log."""

from collections.abc import Callable
from json import dumps
from typing import ClassVar

import pytest

from pipeline.deploy import patience
from pipeline.deploy.edge_log import Exposure, Request, errors, requests, slowness
from pipeline.deploy.patience import EngineAwayError
from pipeline.deploy.swarm import Object, Swarm
from pipeline.environments import Tolerance
from pipeline.run import Output

USUAL = Tolerance()


def line(status: int = 200, seconds: str = "0.010", **given: str) -> str:
    usual = {"timestamp": "2026-11-23T12:00:00+00:00", "next": "", "closed": ""}
    entry = {**usual, "logger": "edge", **given}
    return dumps(entry)[:-1] + f', "status": {status}, "seconds": {seconds}}}'


def served(number: int, status: int = 200, seconds: float = 0.01) -> list[Request]:
    return [Request("2026-11-23T12:00:00+00:00", status, seconds)] * number


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
    assert requests(log) == [Request("2026-11-23T12:00:00+00:00", 503, 0.25)]


def test_users_who_get_what_they_got_before_lost_nothing() -> None:
    assert errors(served(100), served(100), USUAL) is None
    assert errors([], [], USUAL) is None
    assert errors([], served(1000), USUAL) is None


def test_errors_that_were_not_there_before_are_a_fault_with_its_figures() -> None:
    after = served(95) + served(5, status=502)
    assert errors(served(100), after, USUAL) == (
        "5 of 100 requests of users failed since the roll began (5.0%; 0.0% before)"
    )


def test_a_site_that_failed_as_often_before_is_not_the_release_s_errors() -> None:
    failing = served(90) + served(10, status=500)
    assert errors(failing, failing, USUAL) is None
    assert errors(failing, served(80) + served(20, status=500), USUAL)


@pytest.mark.parametrize("failed", [1, 4])
def test_a_few_errors_tell_nothing(failed: int) -> None:
    assert errors([], served(failed, status=500), USUAL) is None


def test_what_a_client_did_wrong_is_no_error() -> None:
    assert errors(served(100), served(100, status=404), USUAL) is None


def test_a_release_that_is_much_slower_is_a_fault_with_its_figures() -> None:
    after = served(90) + served(10, seconds=4)
    assert slowness(served(100, seconds=0.5), after, USUAL) == (
        "one request in twenty takes longer than 4.00 s (0.50 s before)"
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (served(100, seconds=0.01), served(100, seconds=0.9)),  # still fast
        (served(100, seconds=2), served(100, seconds=5)),  # not thrice
        (served(10, seconds=0.01), served(100, seconds=5)),  # too few to compare with
        (served(100, seconds=0.01), served(10, seconds=5)),
    ],
)
def test_slower_is_no_fault_within_the_tolerance_or_without_enough_requests(
    before: list[Request], after: list[Request]
) -> None:
    assert slowness(before, after, USUAL) is None


CUT = Output((), 1, "", "incomplete log stream: node x1 is not available")
HUNG = Output((), 124, "", "no answer within 15 s")
GONE = Output((), 1, "", "incomplete log stream: no such container")


class Edge(Swarm):
    """An engine that runs replicas of the edge, and what each of them answers for its log."""

    replicas: ClassVar[dict[str, Output]] = {}
    ended: ClassVar[set[str]] = set()

    def tasks(self, _: str) -> list[Object]:
        """Return the replicas, and one that never began."""
        begun = {"ContainerStatus": {"ContainerID": "c1"}}
        states = {name: "shutdown" if name in self.ended else "running" for name in self.replicas}
        told = [{"ID": k, "DesiredState": v, "Status": begun} for k, v in states.items()]
        return [*told, {"ID": "waiting", "DesiredState": "running", "Status": {}}]

    def ask(self, *arguments: str, **_: object) -> Output:
        """Answer for one replica."""
        return self.replicas[arguments[-1]]


@pytest.fixture
def edge(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Edge]:
    """Return an engine whose replicas of the edge answer like this."""
    monkeypatch.setattr(patience, "PATIENCE_SECONDS", 0)

    def answering(*answers: Output, ended: str = "") -> Edge:
        named = {str(number): answer for number, answer in enumerate(answers)}
        monkeypatch.setattr(Edge, "replicas", named)
        monkeypatch.setattr(Edge, "ended", {ended})
        return Edge()

    return answering


def said(*lines: str) -> Output:
    return Output((), 0, "\n".join(lines), "")


def test_every_replica_of_the_edge_is_asked(edge: Callable[..., Edge]) -> None:
    exposure = Exposure(edge(said(line()), said(line(500), line())), "edge_edge", USUAL)
    assert [request.status for request in exposure.before] == [200, 500, 200]
    assert not exposure.partial


@pytest.mark.parametrize("silent", [CUT, HUNG])
def test_users_are_judged_by_the_replicas_that_answer_and_it_is_said_once(
    silent: Output, edge: Callable[..., Edge], capsys: pytest.CaptureFixture[str]
) -> None:
    exposure = Exposure(edge(silent, said(line())), "edge_edge", USUAL)
    exposure.conclude()
    assert len(exposure.before) == 1
    told = capsys.readouterr().err
    assert told.count(f"a part of the log of edge_edge is out of reach: {silent.stderr}") == 1


def test_a_replica_that_ended_is_heard_while_it_is_kept_and_not_missed_afterwards(
    edge: Callable[..., Edge],
) -> None:
    kept = Exposure(edge(said(line(502)), said(line()), ended="0"), "edge_edge", USUAL)
    assert len(kept.before) == 2
    gone = Exposure(edge(GONE, said(line()), ended="0"), "edge_edge", USUAL)
    assert len(gone.before) == 1
    assert not gone.partial


@pytest.mark.parametrize("silent", [CUT, HUNG])
def test_an_engine_that_says_nothing_of_users_has_not_judged_them(
    silent: Output, edge: Callable[..., Edge]
) -> None:
    with pytest.raises(EngineAwayError, match=silent.stderr):
        Exposure(edge(silent, silent), "edge_edge", USUAL)


def test_nobody_is_judged_by_a_replica_alone_that_ended(edge: Callable[..., Edge]) -> None:
    with pytest.raises(EngineAwayError, match=HUNG.stderr):
        Exposure(edge(said(line()), HUNG, ended="0"), "edge_edge", USUAL)
