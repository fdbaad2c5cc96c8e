"""Just what was built of the commit is pushed, once to each registry."""

import json
from pathlib import Path

import pytest

from pipeline import errors
from pipeline.errors import CheckFailedError, InputError
from pipeline.git import head
from pipeline.images.build import build, resolve_targets
from pipeline.images.push import push
from pipeline.images.records import load_release
from pipeline.images.targets import platforms
from tests.unit.images.conftest import (
    AMD,
    APP,
    ARM,
    Calls,
    CopyProject,
    RunOnce,
    commit,
    write_vulnerability_report,
)
from tests.unit.images.pipeline_steps import HOST, build_and_scan, effectful_calls, run_chain


@pytest.fixture(autouse=True)
def tools(put: CopyProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put("docker", "syft", "trivy", "cosign")
    write_vulnerability_report(tmp_path)
    monkeypatch.setenv("IMAGES_REGISTRY", HOST)


def test_another_registry_gets_all_that_the_first_one_has(
    once: RunOnce, monkeypatch: pytest.MonkeyPatch
) -> None:
    once(run_chain)
    monkeypatch.setenv("IMAGES_REGISTRY", "localhost:5001/kit")
    run_chain()
    assert all(
        e.reference.repository.startswith("localhost:5001/")
        for e in load_release(head().sha).values()
    )


def test_what_is_not_from_the_commit_alone_is_not_pushed(calls: Calls) -> None:
    Path("new").touch()
    build([APP])
    calls()
    with pytest.raises(
        InputError, match=r"was not built from commit .* without other changes"
    ) as caught:
        push(["app"], platforms())
    assert caught.value.hint == "git commit, then: invoke build"
    assert effectful_calls(calls()) == []


def test_what_was_built_of_another_commit_is_not_pushed(once: RunOnce) -> None:
    once(build_and_scan)
    commit()
    with pytest.raises(InputError, match="was not built from commit"):
        push(["app"], platforms())


def test_what_was_never_built_is_not_pushed() -> None:
    with pytest.raises(InputError, match="app was not built"):
        push(["app"], platforms())


def test_a_platform_that_is_not_here_is_left_out_and_said_to_be() -> None:
    build([APP])
    with errors.handle_errors():
        push(["app"], platforms())
    (left_out,) = errors.read_inconclusive(errors.INCONCLUSIVE_DIR)
    assert str(left_out) == "push: some platforms were not built here and not pushed: linux/arm64"
    assert set(load_release(head().sha)["app"].platforms) == {AMD}
    build(resolve_targets("app", ARM))
    push(["app"], platforms())
    assert errors.read_inconclusive(errors.INCONCLUSIVE_DIR) == []


@pytest.mark.parametrize("name", ["app", "other"])
def test_an_archive_that_was_exchanged_is_not_pushed(
    name: str, once: RunOnce, calls: Calls
) -> None:
    once(build_and_scan)
    APP.archive.write_text(json.dumps({f"local/{name}:linux-amd64": "sha256:1", "on": AMD}))
    with pytest.raises(
        CheckFailedError, match=r"image\.tar does not contain the image of its build record"
    ):
        push(["app"], platforms())
    assert not [call for call in calls() if " push " in call]
