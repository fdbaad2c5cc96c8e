from collections.abc import Iterator

import pytest

from tests.acceptance.deploy.live_site import LiveSite, site_with_first_release


@pytest.fixture(scope="session")
def site() -> Iterator[LiveSite]:
    """A site on three nodes."""
    with site_with_first_release(nodes=3) as served:
        yield served
