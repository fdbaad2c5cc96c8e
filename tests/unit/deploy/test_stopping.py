"""A stopping replica goes on serving, and ends in time; otherwise no rollout starts."""

import re

import pytest

from pipeline.deploy.cluster.convergence import ExpectedState, NotConvergedError
from pipeline.deploy.cluster.graceful_stop import check_graceful_stop
from pipeline.deploy.cluster.stackfile import previews, render_services, stack_file
from pipeline.environments import Timings
from tests.clock import Clock
from tests.unit.deploy.factories import make_environment, make_release
from tests.unit.deploy.fake_swarm import FakeSwarm

TIMINGS = Timings(drain=5, stop_grace_period=45)
SHOP = make_environment(timings=TIMINGS)
IMAGE = make_release().images["backend"]
IN_TIME = "and must exit on its own within 45 s"
NAMES = ("backend-next", "frontend-next")
WANTED = [
    ExpectedState(f"shop_{name}", make_release().images[name.removesuffix("-next")], "deploy-1", 1)
    for name in NAMES
]


@pytest.fixture
def shown(engine: FakeSwarm) -> FakeSwarm:
    """An engine with a preview, which serves on for eight seconds."""
    engine.deploy_stack("shop", stack_file("shop", previews(render_services(SHOP, make_release()))))
    engine.stops.update(dict.fromkeys(make_release().images.values(), (0, 16)))
    return engine


@pytest.mark.parametrize("code", [0, 143])
def test_a_replica_that_ends_by_itself_in_time_is_well(
    shown: FakeSwarm, clock: Clock, code: int
) -> None:
    shown.stops[IMAGE] = (code, 16)
    check_graceful_stop(shown, WANTED, TIMINGS)
    assert 8 <= clock.monotonic() < 10, "both stop at the same time"


@pytest.mark.parametrize(
    ("code", "looks", "output"),
    [
        (137, 94, f"it was killed 47 s after SIGTERM (exit code 137), {IN_TIME}"),
        (137, 14, f"it was killed 7 s after SIGTERM (exit code 137), {IN_TIME}"),
        (143, 2, "it exited 1 s after SIGTERM (exit code 143), and must serve on for 5 s"),
        (0, 2, "it exited 1 s after SIGTERM (exit code 0), and must serve on for 5 s"),
        (1, 16, "it exited with code 1 after SIGTERM"),
        (0, 1000, "it did not exit within 76 s of SIGTERM"),
    ],
    ids=["late", "out of memory", "shell", "no drain", "fault", "for ever"],
)
def test_a_replica_that_stops_badly_is_named_with_what_to_do(
    shown: FakeSwarm, code: int, looks: int, output: str
) -> None:
    shown.stops[IMAGE] = (code, looks)
    with pytest.raises(
        NotConvergedError, match=f"^shop_backend-next: {re.escape(output)}$"
    ) as error:
        check_graceful_stop(shown, WANTED, TIMINGS)
    assert "exec form" in error.value.hint
    assert "timings.stop_grace_period" in error.value.hint


@pytest.mark.parametrize("away", ["code", "history", "node"])
def test_an_end_that_cannot_be_known_is_told_and_no_fault(
    shown: FakeSwarm, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], away: str
) -> None:
    if away == "code":
        shown.stops[IMAGE] = (None, 16)
    elif away == "history":
        monkeypatch.setattr(FakeSwarm, "stop", lambda engine, name: engine.tasks_of(name).clear())
    else:
        shown.stops[IMAGE] = (0, 1000)
        shown.objects("node")["node-1"] = {"Status": {"State": "down"}}
    check_graceful_stop(shown, WANTED, TIMINGS)
    assert re.search("cannot check the shutdown of .*: ", capsys.readouterr().err)


def test_what_was_stopped_before_is_not_judged_again(shown: FakeSwarm) -> None:
    shown.tasks_of("shop_backend-next").append(
        {
            **shown.tasks_of("shop_backend-next")[0],
            "ID": "shop_backend-next/1",
            "DesiredState": "shutdown",
            "Status": {"State": "shutdown", "ContainerStatus": {"ExitCode": 137}},
        }
    )
    check_graceful_stop(shown, WANTED, TIMINGS)
