"""What is wrong with a deployment is found before anything is touched."""

import subprocess
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeline.deploy.credentials import object_name
from pipeline.deploy.prepare import (
    Candidate,
    candidate,
    entry_of,
    new_id,
    our_own,
    release_of,
    require_clean,
    statement_of,
    versions,
)
from pipeline.errors import InputError
from pipeline.git import Commit
from tests.deploying.examples import IMAGES, environment, release

DIGEST = f"sha256:{'2' * 64}"
FOUND = Candidate("v1.0.1", "0" * 40, {**IMAGES, "postgres": "ghcr.io/octo/shop/postgres@sha256:2"})


@pytest.fixture
def _checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A clean checkout of the branch `feature`, where no engine and no registry is asked."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.delenv("GITHUB_REF_NAME", raising=False)
    git("init", "--quiet", "--initial-branch=feature")
    git("commit", "--quiet", "--allow-empty", "--message=Work")


def git(*arguments: str) -> None:
    name = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com"]
    command = ["git", *name, *arguments]
    subprocess.run(command, check=True)


def test_a_tree_with_changes_is_refused_since_no_image_has_them() -> None:
    commit = Commit("0" * 40, datetime.now(UTC), clean=True)
    require_clean(commit)
    with pytest.raises(InputError, match="changes that no commit has"):
        require_clean(replace(commit, clean=False))


@pytest.mark.usefixtures("_checkout")
@pytest.mark.parametrize(
    ("asked", "ref"), [(None, "feature"), ("HEAD", "feature"), ("v1.0.0", "v1.0.0")]
)
def test_a_ref_that_may_not_go_there_is_refused(asked: str | None, ref: str) -> None:
    with pytest.raises(InputError) as caught:
        candidate(environment(refs=["main", "v2.*"]), asked)
    assert str(caught.value) == f"staging takes main, v2.*, not `{ref}`"
    assert "correct `refs` in pipeline.toml" in caught.value.hint


@pytest.mark.usefixtures("_checkout")
def test_a_checkout_with_changes_is_refused_unless_something_else_is_deployed() -> None:
    Path("new").touch()
    with pytest.raises(InputError, match="changes that no commit has"):
        candidate(environment(), None)
    with pytest.raises(InputError, match="staging takes main"):
        candidate(environment(), "HEAD")


@pytest.mark.usefixtures("_checkout")
@pytest.mark.parametrize("asked", ["v9.9.9", "vineyard", "0123456", "sha-0123456", "--all"])
def test_a_release_that_does_not_exist_is_named_in_one_sentence(asked: str) -> None:
    git("branch", "vineyard")  # a version is a tag: whoever may push a branch names no version
    with pytest.raises(InputError, match=f"no such commit or tag here: `{asked}`") as caught:
        candidate(environment(refs=["*"]), asked)
    assert "git fetch --tags" in caught.value.hint


def test_a_release_holds_the_secrets_of_the_app_and_not_those_that_it_stands_on() -> None:
    values = {name: f"swordfish-{name}" for name in environment().secrets}
    found = release_of(environment(), FOUND, values)
    app = ("SMOKE_USER_EMAIL", "SMOKE_USER_PASSWORD", "DATABASE_URL")
    assert found.secrets == {name: object_name("shop", name, values[name]) for name in app}
    assert (found.version, found.commit, found.images) == (
        FOUND.version,
        FOUND.commit,
        FOUND.images,
    )
    assert "swordfish" not in repr(found)


def test_each_deployment_of_a_release_is_another_one() -> None:
    assert len({new_id() for _ in range(99)}) == 99


def test_an_entry_holds_all_that_is_needed_to_put_a_release_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GITHUB_ACTOR", "ada")
    services = {"backend": {"image": IMAGES["backend"]}}
    first = entry_of(release(), services, [], "deploy")
    assert (first.number, first.kind, first.by, first.outcome) == (1, "deploy", "ada", "")
    assert (first.version, first.deploy_id) == ("v1.0.1", "deploy-1")
    assert (first.images, first.services) == (release().images, services)
    assert datetime.fromisoformat(first.started).tzinfo


def test_entries_are_counted_on_though_old_ones_are_forgotten() -> None:
    first = entry_of(release(), {}, [], "deploy")
    assert entry_of(release(), {}, [replace(first, number=41)], "rollback").number == 42


def test_who_deploys_is_the_one_who_started_it_or_who_is_logged_in(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("GITHUB_ACTOR", raising=False)
    monkeypatch.setenv("USER", "grace")
    assert entry_of(release(), {}, [], "deploy").by == "grace"
    monkeypatch.delenv("USER")
    assert entry_of(release(), {}, [], "deploy").by == "somebody"


def test_only_a_version_is_a_name_of_its_own_in_the_registry() -> None:
    named = versions(replace(FOUND, images={"backend": f"ghcr.io/octo/shop/backend@{DIGEST}"}))
    assert named == {"ghcr.io/octo/shop/backend:v1.0.1": DIGEST}
    assert versions(replace(FOUND, version="sha-000000000000")) == {}


def test_the_statement_that_a_release_serves_names_where() -> None:
    assert statement_of("staging") == "urn:deployed-to:staging"


def test_only_what_is_built_here_is_stated_to_have_served(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.deploy.prepare.is_built", lambda image: image in IMAGES)
    assert our_own(FOUND) == list(IMAGES.values())
