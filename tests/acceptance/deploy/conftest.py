"""A yard with a release that serves, and what came of each fault."""

import random
from collections.abc import Iterator

import pytest

from tests.acceptance.deploy.fault_report import QUICK, FaultCase
from tests.acceptance.deploy.live_site import LiveSite, site_with_first_release


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--deploys", type=int, default=100, help="of the random mix")
    parser.addoption("--quick", action="store_true", help="only the faults that do not take long")
    parser.addoption("--rollouts", type=int, default=20, help="of good releases in a row")
    parser.addoption("--seed", type=int, default=random.randrange(10**6), help="of its order")  # noqa: S311
    parser.addoption("--nodes", type=int, default=1, help="of the swarm, each an engine")
    parser.addoption("--hogs", type=int, default=0, help="that never leave a processor alone")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "fault(id, injected): a fault of the catalogue")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what takes long, where few minutes have to do.

    Raises:
        UsageError: A fault that is to be injected has no test any more.
    """
    if not config.getoption("--quick"):
        return
    marks = {item: item.get_closest_marker("fault") for item in items}
    quick = {item: mark.args[0] for item, mark in marks.items() if mark and mark.args[0] in QUICK}
    if missing := QUICK - {*quick.values()}:
        raise pytest.UsageError(f"no test injects {', '.join(sorted(missing))}")
    config.hook.pytest_deselected(items=[item for item in items if item not in quick])
    items[:] = quick


@pytest.fixture(scope="session")
def site(request: pytest.FixtureRequest) -> Iterator[LiveSite]:
    with site_with_first_release(request.config.getoption("--nodes")) as served:
        yield served


@pytest.fixture
def case(request: pytest.FixtureRequest, site: LiveSite) -> FaultCase:
    """The fault that a test is about, by its mark."""
    mark = request.node.get_closest_marker("fault")
    return FaultCase(site, *mark.args)


@pytest.fixture(autouse=True)
def _old_release_serves(site: LiveSite) -> Iterator[None]:
    """Whatever a test does: afterwards the first release serves, and nobody holds the lock."""
    yield
    status = site.yard.invoke("status", "--env", "staging")
    expected = (f"sha-{site.first[:12]}", "lock      free")
    if missing := [text for text in expected if text not in status.stdout]:
        site.deploy(site.first)  # so that the next test says something about its own fault
    assert (status.returncode, missing) == (0, []), status.stdout
