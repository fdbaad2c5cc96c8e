"""Fixtures and options of the acceptance tests of deploys: a site under traffic, and its faults."""

import random
from collections.abc import Iterator

import pytest

from tests.acceptance.deploy.fault_report import QUICK, FaultCase
from tests.acceptance.deploy.live_site import LiveSite, site_with_first_release


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--deploys", type=int, default=100, help="number of random deploys")
    parser.addoption("--quick", action="store_true", help="only the quick faults")
    parser.addoption("--rollouts", type=int, default=20, help="number of good releases in a row")
    parser.addoption("--seed", type=int, default=random.randrange(10**6), help="random seed")  # noqa: S311
    parser.addoption("--nodes", type=int, default=1, help="number of nodes, each an engine")
    parser.addoption("--hogs", type=int, default=0, help="processes that keep a processor busy")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "fault(id, injected): a fault of the catalogue")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect slow faults with `--quick`.

    Raises:
        UsageError: A fault of the quick set has no test.
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
    """The fault of a test, from its `fault` mark."""
    mark = request.node.get_closest_marker("fault")
    return FaultCase(site, *mark.args)


@pytest.fixture(autouse=True)
def _old_release_serves(site: LiveSite) -> Iterator[None]:
    """Check after each test that the first release serves and that the lock is free."""
    yield
    status = site.sandbox.invoke("status", "--env", "staging")
    expected = (f"sha-{site.first[:12]}", "lock      free")
    if missing := [text for text in expected if text not in status.stdout]:
        site.deploy(site.first)  # so that the next test starts from the first release
    assert (status.returncode, missing) == (0, []), status.stdout
