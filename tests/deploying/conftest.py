import pytest

from pipeline.deploy.swarm import Swarm
from tests.clock import Clock
from tests.conftest import ROOT
from tests.deploying.edge import Edge
from tests.deploying.engine import Engine
from tests.deploying.tls import signed


@pytest.fixture(scope="session")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """A certificate for shop.example.com that is good for a month, and its key."""
    return signed(tmp_path_factory.mktemp("tls"), "DNS:shop.example.com")


@pytest.fixture
def clock() -> Clock:
    """The time of what waits for an engine: a test is as long as its work takes."""
    return Clock()


@pytest.fixture
def edge(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Edge:
    """What leads to the replicas of the engine."""
    edge = Edge(engine)
    monkeypatch.setattr("pipeline.deploy.workers.new_visitor", edge.new_visitor)
    return edge


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> Engine:
    """An engine of the test's own; the services are those of this repository."""
    monkeypatch.chdir(ROOT)
    waiting = ("edge_log", "flow", "jobs", "lock", "notify", "patience", "renewal", "stopping")
    for name in (*waiting, "watch", "workers"):
        monkeypatch.setattr(f"pipeline.deploy.{name}.time", clock)
    for name in ("health", "site"):
        monkeypatch.setattr(f"pipeline.deploy.{name}.reach", lambda *_: None)  # it opens
    monkeypatch.setattr("pipeline.deploy.steps.keeps_sessions", lambda *_: True)
    engine = Engine(says={"barrier": "[]"})  # its database has no migrations
    monkeypatch.setattr("pipeline.deploy.workers.new_visitor", Edge(engine).new_visitor)
    monkeypatch.setattr(Swarm, "ask", lambda _, *asked, **given: engine.ask(*asked, **given))
    return engine
