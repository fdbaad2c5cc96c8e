import pytest

from pipeline.deploy.cluster.client import SwarmClient
from tests.clock import Clock
from tests.conftest import ROOT
from tests.unit.deploy.edge import Edge
from tests.unit.deploy.fake_swarm import FakeSwarm
from tests.unit.deploy.tls import signed


@pytest.fixture(scope="session")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """A certificate for shop.example.com that is good for a month, and its key."""
    return signed(tmp_path_factory.mktemp("tls"), "DNS:shop.example.com")


@pytest.fixture
def clock() -> Clock:
    """The time of what waits for an engine: a test is as long as its work takes."""
    return Clock()


@pytest.fixture
def edge(engine: FakeSwarm, monkeypatch: pytest.MonkeyPatch) -> Edge:
    """What leads to the replicas of the engine."""
    edge = Edge(engine)
    monkeypatch.setattr("pipeline.deploy.rollout.workers.new_client", edge.new_visitor)
    return edge


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> FakeSwarm:
    """An engine of the test's own; the services are those of this repository."""
    monkeypatch.chdir(ROOT)
    waiting = (
        "rollout.traffic_monitor",
        "rollout.runbook",
        "cluster.one_shot_jobs",
        "state.deploy_lock",
        "rollout.notify",
        "cluster.retry",
        "commands.edge",
        "cluster.graceful_stop",
    )
    for name in (*waiting, "cluster.convergence", "rollout.workers"):
        monkeypatch.setattr(f"pipeline.deploy.{name}.time", clock)
    for name in ("rollout.health", "commands.site"):
        monkeypatch.setattr(f"pipeline.deploy.{name}.open_site", lambda *_: None)  # it opens
    monkeypatch.setattr("pipeline.deploy.rollout.steps.keeps_sessions", lambda *_: True)
    engine = FakeSwarm(message={"barrier": "[]"})  # its database has no migrations
    monkeypatch.setattr("pipeline.deploy.rollout.workers.new_client", Edge(engine).new_visitor)
    monkeypatch.setattr(
        SwarmClient, "run", lambda _, *requested, **given: engine.run(*requested, **given)
    )
    return engine
