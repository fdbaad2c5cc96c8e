import pytest

from tests.conftest import ROOT
from tests.deploying.engine import Engine


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Engine:
    """An engine of the test's own; the services are those of this repository."""
    monkeypatch.chdir(ROOT)
    for name in ("pipeline.deploy.watch", "pipeline.deploy.jobs"):
        monkeypatch.setattr(f"{name}.POLL_SECONDS", 0.01)
    return Engine()
