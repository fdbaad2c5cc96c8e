"""What is wrong with a deployment is found before anything is touched."""

import subprocess
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeline.deploy.cluster.stackfile import new_deploy_id
from pipeline.deploy.environment_secrets import secret_object_name
from pipeline.deploy.rollout import candidate
from pipeline.deploy.rollout.candidate import (
    ReleaseCandidate,
    create_release,
    new_record,
    require_clean_worktree,
    resolve_candidate,
)
from pipeline.errors import InputError
from pipeline.git import Commit
from tests.unit.deploy.factories import IMAGES, POSTGRES, make_environment, make_release

DIGEST = f"sha256:{'2' * 64}"
FOUND = ReleaseCandidate("v1.0.1", "0" * 40, {**IMAGES, "postgres": POSTGRES})


@pytest.fixture
def _checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A clean checkout of the branch `feature`, without an engine and a registry."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    git("init", "--quiet", "--initial-branch=feature")
    git("commit", "--quiet", "--allow-empty", "--message=Work")


def git(*arguments: str) -> None:
    name = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com"]
    command = ["git", *name, *arguments]
    subprocess.run(command, check=True)


def test_a_tree_with_changes_is_refused_since_no_image_has_them() -> None:
    commit = Commit("0" * 40, datetime.now(UTC), clean=True)
    require_clean_worktree(commit)
    with pytest.raises(InputError, match="uncommitted changes"):
        require_clean_worktree(replace(commit, clean=False))


@pytest.mark.usefixtures("_checkout")
@pytest.mark.parametrize(
    ("requested", "ref"), [(None, "feature"), ("HEAD", "feature"), ("v1.0.0", "v1.0.0")]
)
def test_a_ref_that_may_not_go_there_is_refused(requested: str | None, ref: str) -> None:
    with pytest.raises(InputError) as caught:
        resolve_candidate(make_environment(allowed_refs=["main", "v2.*"]), requested)
    assert str(caught.value) == f"staging allows main, v2.*, not `{ref}`"
    assert "change `allowed_refs` in pipeline.toml" in caught.value.hint


@pytest.mark.usefixtures("_checkout")
def test_a_version_that_no_image_can_bear_is_refused_before_anything_is_asked() -> None:
    git("tag", "v1.0.0+build.5")
    with pytest.raises(InputError, match=r"`v1\.0\.0\+build\.5` cannot be the tag of an image"):
        resolve_candidate(make_environment(allowed_refs=["v*"]), "v1.0.0+build.5")


@pytest.mark.usefixtures("_checkout")
def test_a_checkout_with_changes_is_refused_unless_something_else_is_deployed() -> None:
    Path("new").touch()
    with pytest.raises(InputError, match="uncommitted changes"):
        resolve_candidate(make_environment(), None)
    with pytest.raises(InputError, match="staging allows main"):
        resolve_candidate(make_environment(), "HEAD")


@pytest.mark.usefixtures("_checkout")
@pytest.mark.parametrize("requested", ["v9.9.9", "vineyard", "0123456", "sha-0123456", "--all"])
def test_a_release_that_does_not_exist_is_named_in_one_sentence(requested: str) -> None:
    git("branch", "vineyard")  # a version is a tag, not a branch
    with pytest.raises(InputError, match=f"no such commit or tag here: `{requested}`") as caught:
        resolve_candidate(make_environment(allowed_refs=["*"]), requested)
    assert "git fetch --tags" in caught.value.hint


def test_a_release_holds_those_optional_secrets_that_are_set() -> None:
    place = make_environment(optional_secrets=["METRICS_TOKEN", "SENTRY_TOKEN"])
    values = {name: f"swordfish-{name}" for name in (*place.secrets, "METRICS_TOKEN")}
    assert {"METRICS_TOKEN", "SENTRY_TOKEN"} & {*create_release(place, FOUND, values).secrets} == {
        "METRICS_TOKEN"
    }


def test_a_release_holds_the_secrets_of_the_app_and_not_those_that_it_stands_on() -> None:
    values = {name: f"swordfish-{name}" for name in make_environment().secrets}
    found = create_release(make_environment(), FOUND, values)
    app = ("SMOKE_USER_EMAIL", "SMOKE_USER_PASSWORD", "DATABASE_URL")
    assert found.secrets == {name: secret_object_name("shop", name, values[name]) for name in app}
    assert (found.version, found.commit, found.images) == (
        FOUND.version,
        FOUND.commit,
        FOUND.images,
    )
    assert "swordfish" not in repr(found)


def test_each_deployment_of_a_release_is_another_one() -> None:
    assert len({new_deploy_id() for _ in range(99)}) == 99


def test_an_entry_holds_all_that_is_needed_to_put_a_release_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GITHUB_ACTOR", "ada")
    services = {"backend": {"image": IMAGES["backend"]}}
    first = new_record(make_release(), services, [], "deploy")
    assert (first.number, first.kind, first.by, first.outcome) == (1, "deploy", "ada", "")
    assert (first.version, first.deploy_id) == ("v1.0.1", "deploy-1")
    assert (first.images, first.services) == (make_release().images, services)
    assert datetime.fromisoformat(first.started).tzinfo


def test_entries_are_counted_on_though_old_ones_are_forgotten() -> None:
    first = new_record(make_release(), {}, [], "deploy")
    assert new_record(make_release(), {}, [replace(first, number=41)], "rollback").number == 42


def test_who_deploys_is_the_one_who_started_it_or_who_is_logged_in(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("USER", "grace")
    assert new_record(make_release(), {}, [], "deploy").by == "grace"
    monkeypatch.delenv("USER")
    assert new_record(make_release(), {}, [], "deploy").by == "unknown"


class Registry:
    """The digests behind tags, and the requests."""

    def __init__(self) -> None:
        self.requested: list[str] = []

    def digest_of(self, reference: str) -> str:
        self.requested.append(reference)
        if self.requested.count(reference) > 1:
            raise AssertionError("a tag may have been moved since")
        return f"sha256:{len(reference):064}"


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> Registry:
    registry = Registry()
    monkeypatch.setattr(candidate, "resolve_digest", registry.digest_of)
    monkeypatch.setattr(candidate, "image_names", lambda: ["backend", "frontend"])
    monkeypatch.setattr(candidate, "repository_for", lambda image: f"ghcr.io/octo/shop/{image}")
    return registry


@pytest.mark.usefixtures("_checkout")
def test_a_candidate_is_the_commit_that_is_checked_out_its_digests_looked_up_once(
    registry: Registry,
) -> None:
    found = resolve_candidate(make_environment(allowed_refs=["feature"]), None)
    tag = f"sha-{found.commit[:12]}"
    assert found.version == tag
    names = {image: f"ghcr.io/octo/shop/{image}" for image in ("backend", "frontend")}
    tags = {image: f"{name}:{tag}" for image, name in names.items()}
    assert sorted(registry.requested) == sorted(tags.values())
    assert found.images == {
        image: f"{name}@sha256:{len(tags[image]):064}" for image, name in names.items()
    }


@pytest.mark.usefixtures("_checkout")
def test_a_version_is_the_images_of_its_commit_and_not_whatever_has_its_name(
    registry: Registry,
) -> None:
    git("tag", "v1.0.0")
    git("commit", "--quiet", "--allow-empty", "--message=Later")
    found = resolve_candidate(make_environment(allowed_refs=["v*"]), "v1.0.0")
    assert found.version == "v1.0.0"
    assert f"ghcr.io/octo/shop/backend:sha-{found.commit[:12]}" in registry.requested
