"""A yard with a release that serves, and what came of each fault."""

import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from pipeline.rehearsal.yard import yard
from tests.deploy.catalogue import Case
from tests.deploy.site import ENV, Site, listening
from tests.deploy.variants import Variants, docker

CHAIN = ("build", "sbom", "scan", "push", "sign")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--deploys", type=int, default=100, help="of the random mix")
    parser.addoption("--seed", type=int, default=random.randrange(10**6), help="of its order")  # noqa: S311


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "fault(id, injected): a fault of the catalogue")


@pytest.fixture(scope="session")
def site() -> Iterator[Site]:
    told: list[dict[str, Any]] = []
    with yard() as plain, listening(told) as url:
        place = replace(plain, variables={**plain.variables, "NOTIFY_URL": url})
        place.must(*CHAIN)
        first = place.git("rev-parse", "HEAD")
        place.must("deploy", *ENV)
        variants = Variants(place)
        yield Site(place, variants, first, told)
        docker("image", "rm", *variants.good.values())


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
