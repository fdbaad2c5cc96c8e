from pathlib import Path

import pytest

from tests.acceptance.images.docker_cli import docker
from tests.acceptance.images.inspect import IMAGES


def pytest_addoption(parser: pytest.Parser) -> None:
    names = [image.name for image in IMAGES]
    parser.addoption("--image", choices=names, help="test this one, and the app as a whole")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test of all images for each, or for the selected one."""
    chosen = metafunc.config.getoption("image")
    images = [image for image in IMAGES if chosen in {None, image.name}]
    if "image" in metafunc.fixturenames:
        metafunc.parametrize("image", images, ids=lambda image: image.name)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out the file of the image that is not selected."""
    others = {f"test_{image.name}.py" for image in IMAGES} - {
        f"test_{config.getoption('image')}.py"
    }
    return True if config.getoption("image") and collection_path.name in others else None


@pytest.fixture(scope="session", autouse=True)
def _images() -> None:
    """Fail if the image does not exist."""
    for image in IMAGES:
        if docker("image", "inspect", image.reference).returncode:
            pytest.exit(f"no image {image.reference}\n\nhint: docker compose build", returncode=1)
