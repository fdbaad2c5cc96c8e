"""A yard with a release that serves, and what came of each fault."""

import random
from collections.abc import Iterator

import pytest

from tests.deploy.catalogue import Case
from tests.deploy.site import Site, first_release


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--deploys", type=int, default=100, help="of the random mix")
    parser.addoption("--seed", type=int, default=random.randrange(10**6), help="of its order")  # noqa: S311


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "fault(id, injected): a fault of the catalogue")


@pytest.fixture(scope="session")
def site() -> Iterator[Site]:
    with first_release() as served:
        yield served


@pytest.fixture
def case(request: pytest.FixtureRequest, site: Site) -> Case:
    """The fault that a test is about, by its mark."""
    mark = request.node.get_closest_marker("fault")
    return Case(site, *mark.args)


@pytest.fixture(autouse=True)
def _old_release_serves(site: Site) -> Iterator[None]:
    """Whatever a test does: afterwards the first release serves, and nobody holds the lock."""
    yield
    status = site.yard.invoke("status", "--env", "staging")
    expected = (f"sha-{site.first[:12]}", "lock      free")
    if missing := [text for text in expected if text not in status.stdout]:
        site.deploy(site.first)  # so that the next test says something about its own fault
    assert (status.returncode, missing) == (0, []), status.stdout
