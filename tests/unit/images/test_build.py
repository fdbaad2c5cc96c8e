"""A commit is built once: what is there is left alone, what is not alone from it never counts."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.errors import CheckFailedError, InputError, MissingToolError
from pipeline.git import head
from pipeline.images.build import build, builder_id, can_build, resolve_targets
from pipeline.images.records import load_build
from pipeline.images.targets import Target
from tests.unit.images.conftest import (
    AMD,
    APP,
    ARM,
    DIGEST,
    Calls,
    CopyProject,
    commit,
    git,
    set_engine_state,
)

Change = Callable[[], object]
STORE = Target("store", AMD)
READS = ("docker version", "docker buildx version", "docker compose", "docker image inspect")


@pytest.fixture(autouse=True)
def engine(put: CopyProject) -> None:
    put("docker")


def test_a_build_is_written_down(project: Path) -> None:
    git("remote", "add", "origin", "https://github.com/Octo-Org/Shop")
    build([APP])
    found = load_build(APP)
    assert found
    assert (found.commit, found.clean) == (head().sha, True)
    assert found.bases == {"BASE_IMAGE": f"base:1@{DIGEST}"}
    assert found.builder == "https://localhost/"
    assert found.started < found.finished
    assert (project / APP.archive).exists()


def test_the_image_is_told_its_commit_and_where_it_comes_from(calls: Calls) -> None:
    git("remote", "add", "origin", "https://github.com/Octo-Org/Shop")
    build([APP])
    (bake,) = [call for call in calls() if "bake" in call]
    for argument in (
        f"COMMIT={head().sha}",
        f"RELEASE={head().tag}",
        f"SOURCE_DATE_EPOCH={int(head().time.timestamp())}",
        "SOURCE=https://github.com/Octo-Org/Shop",
    ):
        assert f"--set=app.args.{argument}" in bake


@pytest.mark.parametrize("given", ["", f"mirror/base:1@{DIGEST}"])
def test_the_base_that_is_written_down_is_the_one_that_is_taken(
    calls: Calls, monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    monkeypatch.setenv("BASE_IMAGE", given)
    build([APP])
    (bake,) = [call for call in calls() if "bake" in call]
    found = load_build(APP)
    assert found
    assert found.bases == {"BASE_IMAGE": given or f"base:1@{DIGEST}"}
    assert f"--set=app.args.BASE_IMAGE={found.bases['BASE_IMAGE']} " in bake


def test_what_was_built_of_this_commit_is_not_built_again(calls: Calls) -> None:
    build([APP, STORE])
    calls()
    build([APP, STORE])
    assert not [call for call in calls() if not call.startswith(READS)]


@pytest.mark.parametrize("change", ["commit", "dirt", "base", "archive", "engine"])
def test_what_changed_is_built_again(
    change: str, calls: Calls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build([APP])
    calls()
    alter: dict[str, Change] = {
        "commit": commit,
        "dirt": Path("new").touch,
        "base": lambda: monkeypatch.setenv("BASE_IMAGE", "base:2"),
        "archive": APP.archive.unlink,
        "engine": (tmp_path / "docker.json").unlink,
    }
    alter[change]()
    build([APP])
    assert [call for call in calls() if "bake" in call]


def test_an_image_of_others_that_stays_is_not_saved_again_for_a_new_commit(calls: Calls) -> None:
    build([APP, STORE])
    written = STORE.archive.stat().st_mtime_ns
    calls()
    commit()
    build([APP, STORE])

    saved = [call for call in calls() if call.startswith("docker save")]
    assert saved == [f"docker save --output={APP.archive} local/app:linux-amd64"]
    assert STORE.archive.stat().st_mtime_ns == written
    assert (found := load_build(STORE))
    assert found.commit == head().sha


def test_an_image_of_others_that_moved_is_saved_again(calls: Calls, tmp_path: Path) -> None:
    build([STORE])
    calls()
    (tmp_path / "compose.json").write_text(json.dumps({"store": f"store:2@sha256:{'3' * 64}"}))
    commit()
    build([STORE])

    assert f"docker save --output={STORE.archive} local/store:linux-amd64" in calls()


def test_an_image_of_others_is_pulled_by_its_digest(calls: Calls) -> None:
    build([STORE])
    reference = f"store:1@sha256:{'2' * 64}"
    assert f"docker pull --quiet --platform=linux/amd64 {reference}" in calls()
    found = load_build(STORE)
    assert found
    assert found.bases == {"IMAGE": reference}


def test_a_stand_in_without_a_digest_is_here_already(calls: Calls, tmp_path: Path) -> None:
    (tmp_path / "compose.json").write_text(json.dumps({"store": "store:local"}))
    with pytest.raises(CheckFailedError, match=r"`docker tag store:local …` failed"):
        build([STORE])
    assert not [call for call in calls() if call.startswith("docker pull")]


def test_an_image_that_came_out_for_another_platform_is_refused(tmp_path: Path) -> None:
    (tmp_path / "only-platform").write_text(AMD)
    with pytest.raises(CheckFailedError, match="app on linux/arm64 was built for linux/amd64"):
        build([Target("app", ARM)])
    assert load_build(Target("app", ARM)) is None


def test_a_dry_build_prints_and_makes_nothing(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    build([APP], dry_run=True)
    bake, save = capsys.readouterr().out.splitlines()
    assert bake.startswith("docker buildx bake --file=docker-compose.yml --load --set=app.tags=")
    assert save == f"docker save --output={APP.archive} local/app:linux-amd64"
    assert not (project / "dist").exists()


def test_all_images_are_meant_on_the_engine_s_own_platform() -> None:
    assert resolve_targets(None, None) == [APP, STORE]
    assert resolve_targets("app", ARM) == [Target("app", ARM)]


def test_a_platform_that_is_not_released_is_refused() -> None:
    with pytest.raises(InputError, match="no such platform: `linux/s390x`"):
        resolve_targets(None, "linux/s390x")


def test_without_an_engine_nothing_is_built(tmp_path: Path) -> None:
    set_engine_state(tmp_path, on=False)
    for begin in (lambda: resolve_targets(None, None), lambda: build([APP])):
        with pytest.raises(MissingToolError, match="no Docker Engine answers"):
            begin()


def test_the_builder_says_what_it_makes() -> None:
    assert can_build(AMD)
    assert not can_build(ARM)


def test_on_github_the_workflow_vouches_for_a_build(monkeypatch: pytest.MonkeyPatch) -> None:
    run = {"ACTIONS": "true", "SERVER_URL": "https://github.com", "REPOSITORY": "octo/shop",
           "REF": "refs/heads/main"}  # fmt: skip
    for name, value in run.items():
        monkeypatch.setenv(f"GITHUB_{name}", value)
    workflow = ".github/workflows/container-build.yml"
    assert builder_id() == f"https://github.com/octo/shop/{workflow}@refs/heads/main"
