from collections.abc import Iterator

import pytest

from tests.acceptance.deploy.live_site import Site, first_release


@pytest.fixture(scope="session")
def site() -> Iterator[Site]:
    """A site on three nodes."""
    with first_release(nodes=3) as served:
        yield served
