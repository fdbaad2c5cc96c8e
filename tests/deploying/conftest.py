import pytest

from pipeline.deploy.swarm import Swarm
from tests.conftest import ROOT
from tests.deploying.engine import Engine


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Engine:
    """An engine of the test's own; the services are those of this repository."""
    monkeypatch.chdir(ROOT)
    for name in ("patience", "watch", "jobs"):
        monkeypatch.setattr(f"pipeline.deploy.{name}.POLL_SECONDS", 0.01)
    engine = Engine()
    monkeypatch.setattr(Swarm, "ask", lambda _, *asked, **given: engine.ask(*asked, **given))
    return engine
