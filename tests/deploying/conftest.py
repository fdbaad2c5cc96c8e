import pytest

from pipeline.deploy.swarm import Swarm
from tests.clock import Clock
from tests.conftest import ROOT
from tests.deploying.engine import Engine


@pytest.fixture
def clock() -> Clock:
    """The time of what waits for an engine: a test is as long as its work takes."""
    return Clock()


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> Engine:
    """An engine of the test's own; the services are those of this repository."""
    monkeypatch.chdir(ROOT)
    for name in ("edge_log", "flow", "jobs", "notify", "patience", "watch"):
        monkeypatch.setattr(f"pipeline.deploy.{name}.time", clock)
    monkeypatch.setattr("pipeline.deploy.health.reach", lambda *_: None)  # the site opens
    engine = Engine()
    monkeypatch.setattr(Swarm, "ask", lambda _, *asked, **given: engine.ask(*asked, **given))
    return engine
