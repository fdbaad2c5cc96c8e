"""What images are called, and that a tag is never taken for a digest."""

from pathlib import Path

import pytest

from pipeline.errors import InputError
from pipeline.images import targets
from pipeline.images.targets import (
    ImageRef,
    Target,
    repository_for,
    require_tag,
    select_images,
    source_url,
)
from tests.unit.images.conftest import DIGEST, git

pytestmark = pytest.mark.usefixtures("project")


def test_an_image_belongs_to_the_owner_of_the_remote_in_small_letters() -> None:
    git("remote", "add", "origin", "git@github.com:Octo-Org/Shop.git")
    assert repository_for("app") == "ghcr.io/octo-org/shop/app"
    assert source_url() == "https://github.com/Octo-Org/Shop"


@pytest.mark.parametrize("registry", ["127.0.0.1:5000/kit", "127.0.0.1:5000/kit/"])
def test_a_registry_that_is_set_goes_before_the_remote(
    registry: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    git("remote", "add", "origin", "git@github.com:octo-org/shop.git")
    monkeypatch.setenv("IMAGES_REGISTRY", registry)
    assert repository_for("app") == "127.0.0.1:5000/kit/app"


def test_images_of_nobody_are_pushed_nowhere() -> None:
    with pytest.raises(InputError, match="the image repository is unknown") as caught:
        repository_for("app")
    assert "IMAGES_REGISTRY" in caught.value.hint
    assert source_url() == ""


def test_ours_and_those_of_others_are_released() -> None:
    assert select_images(None) == ["app", "store"]
    assert select_images("store") == ["store"]
    assert targets.is_built("app")
    assert not targets.is_built("store")


def test_an_unknown_image_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(InputError, match="no such image: `ap`") as caught:
        select_images("ap")
    assert caught.value.hint == "images: app, store"


def test_each_target_has_a_folder_of_its_own() -> None:
    target = Target("app", "linux/arm64")
    assert target.archive == Path("dist/images/app/linux-arm64/image.tar")
    assert str(target) == "app on linux/arm64"


def test_a_digest_is_split_from_its_repository() -> None:
    image = ImageRef(f"localhost:5000/app@{DIGEST}")
    assert (image.repository, image.digest) == ("localhost:5000/app", DIGEST)


@pytest.mark.parametrize(
    "reference",
    ["app", "app:v1", "app@sha256:123", f"app@{DIGEST} ", f"app@{DIGEST}0", f"@{DIGEST}", DIGEST],
)
def test_whatever_is_no_digest_is_refused(reference: str) -> None:
    with pytest.raises(InputError, match="does not name an image by its digest"):
        ImageRef(reference)


@pytest.mark.parametrize("version", ["v1.0.0+build.5", "v1/2", "v1.0.0~rc1", "vÄ", f"v{'1' * 128}"])
def test_a_version_that_no_image_can_bear_is_refused(version: str) -> None:
    with pytest.raises(InputError, match="cannot be the tag of an image"):
        require_tag(version)


@pytest.mark.parametrize("version", ["v1.0.0", "v1.0.0-rc.1", "v2026_11", f"v{'1' * 127}"])
def test_a_version_that_an_image_can_bear_is_taken(version: str) -> None:
    require_tag(version)
