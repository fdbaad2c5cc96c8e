"""The two CI jobs of images: their commands, outputs and inconclusive results."""

import json
from pathlib import Path

import pytest

from pipeline import errors
from pipeline.errors import CheckFailedError, InconclusiveError
from pipeline.git import head
from pipeline.images import ci_jobs
from pipeline.images.commands.cosign import Signer
from pipeline.images.records import load_release
from pipeline.images.tools import INSTALL_ENGINE
from tests.unit.images.conftest import (
    AMD,
    ARM,
    Calls,
    CopyProject,
    RunOnce,
    git,
    set_engine_state,
    vulnerability,
    write_vulnerability_report,
)

KEY = Signer(key=Path("cosign.key"))


@pytest.fixture(autouse=True)
def tools(put: CopyProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put("docker", "syft", "trivy", "cosign", "pytest")
    write_vulnerability_report(tmp_path)
    monkeypatch.setenv("IMAGES_REGISTRY", "127.0.0.1:5000/kit")


def test_an_image_is_built_listed_tested_and_scanned(calls: Calls) -> None:
    ci_jobs.check_image("app", AMD)
    looks = ("docker version", "docker buildx version", "docker compose version", "docker image")
    acts = [call for call in calls() if not call.startswith(looks)]
    started = [" ".join(act.split()[:2]) for act in acts]
    assert started == [
        "docker buildx", "docker buildx", "docker save", "syft scan",
        "docker tag", "pytest tests/acceptance/images", *["trivy image"] * 4,
    ]  # fmt: skip
    assert "docker tag local/app:linux-amd64 local/app:dev" in acts
    assert "pytest tests/acceptance/images --image=app" in acts


def test_an_image_is_tested_beside_the_others_that_are_built(calls: Calls) -> None:
    config = Path("pipeline.toml")
    config.write_text(config.read_text().replace('["app"]', '["app", "web", "job"]'))
    ci_jobs.check_image("app", AMD)
    alone = "--env-file=/dev/null --file=docker-compose.yml"
    assert f"docker compose {alone} build web job" in calls()


def test_an_image_of_others_is_not_tested_as_ours(calls: Calls) -> None:
    ci_jobs.check_image("store", AMD)
    assert not [call for call in calls() if call.startswith("pytest")]


def test_an_image_is_not_judged_without_an_engine_or_for_a_foreign_platform(tmp_path: Path) -> None:
    with pytest.raises(
        InconclusiveError, match="image app linux-arm64: the builder does not support"
    ):
        ci_jobs.check_image("app", ARM)
    set_engine_state(tmp_path, on=False)
    with pytest.raises(InconclusiveError, match="no Docker Engine answers") as caught:
        ci_jobs.check_image("app", AMD)
    assert caught.value.hint == INSTALL_ENGINE


def test_an_image_with_a_mended_vulnerability_is_red(tmp_path: Path) -> None:
    write_vulnerability_report(tmp_path, vulnerability(fixed="3.0.2"))
    with pytest.raises(CheckFailedError, match="the scan found problems that block a release"):
        ci_jobs.check_image("app", AMD)


def build_all() -> None:
    """Leave everything behind as the jobs of all platforms do."""
    for platform in (AMD, ARM):
        Path("..", "builds").write_text(platform)
        for image in ("app", "store"):
            ci_jobs.check_image(image, platform)


def test_a_release_hands_back_the_digest_of_each_image(
    once: RunOnce, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_OUTPUT", str(tmp_path / "output"))
    once(build_all)
    ci_jobs.release_images(KEY)
    digests = {image: entry.reference for image, entry in load_release(head().sha).items()}
    assert (tmp_path / "output").read_text() == f"digests={json.dumps(digests)}\n"
    assert set(digests) == {"app", "store"}


def test_a_release_of_one_platform_is_verified_but_not_judged() -> None:
    for image in ("app", "store"):
        ci_jobs.check_image(image, AMD)
    with pytest.raises(InconclusiveError, match=r"not pushed: linux/arm64"):
        ci_jobs.release_images(KEY)
    assert set(load_release(head().sha)) == {"app", "store"}


def test_a_release_that_is_judged_at_last_leaves_the_list(once: RunOnce, tmp_path: Path) -> None:
    once(build_all)
    set_engine_state(tmp_path, on=False)
    with errors.handle_errors():
        ci_jobs.release_images(KEY)
    (listed,) = errors.read_inconclusive(errors.INCONCLUSIVE_DIR)
    assert str(listed) == "release-image: no Docker Engine answers"
    set_engine_state(tmp_path, on=True)
    ci_jobs.release_images(KEY)
    assert errors.read_inconclusive(errors.INCONCLUSIVE_DIR) == []


def test_only_main_pushes_to_a_registry_that_others_read(
    calls: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("IMAGES_REGISTRY")
    git("remote", "add", "origin", "https://github.com/octo/shop")
    with pytest.raises(InconclusiveError, match="only CI on main pushes"):
        ci_jobs.release_images(KEY)
    assert not [call for call in calls() if "push" in call]
