"""What is wrong with a deployment is found before anything is touched."""

import json
import subprocess
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeline.deploy import prepare
from pipeline.deploy.credentials import object_name
from pipeline.deploy.prepare import (
    Candidate,
    candidate,
    entry_of,
    our_own,
    release_of,
    require_clean,
    statement_of,
    trust,
    versions,
    vouch,
)
from pipeline.deploy.stack import new_id
from pipeline.errors import CheckFailedError, InputError, UntrustedError
from pipeline.git import Commit
from pipeline.images.cosign import Signer
from pipeline.run import Output
from tests.deploying.examples import IMAGES, POSTGRES, environment, release

DIGEST = f"sha256:{'2' * 64}"
FOUND = Candidate("v1.0.1", "0" * 40, {**IMAGES, "postgres": POSTGRES})


@pytest.fixture
def _checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A clean checkout of the branch `feature`, where no engine and no registry is asked."""
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
def test_a_version_that_no_image_can_bear_is_refused_before_anything_is_asked() -> None:
    git("tag", "v1.0.0+build.5")
    with pytest.raises(InputError, match=r"`v1\.0\.0\+build\.5` cannot be the tag of an image"):
        candidate(environment(refs=["v*"]), "v1.0.0+build.5")


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


def test_a_release_holds_those_optional_secrets_that_are_set() -> None:
    place = environment(optional=["METRICS_TOKEN", "SENTRY_TOKEN"])
    values = {name: f"swordfish-{name}" for name in (*place.secrets, "METRICS_TOKEN")}
    assert {"METRICS_TOKEN", "SENTRY_TOKEN"} & {*release_of(place, FOUND, values).secrets} == {
        "METRICS_TOKEN"
    }


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


class Registry:
    """The digests behind tags, and what was asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def digest_of(self, reference: str) -> str:
        self.asked.append(reference)
        if self.asked.count(reference) > 1:
            raise AssertionError("a tag may have been moved since")
        return f"sha256:{len(self.asked)}"


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> Registry:
    registry = Registry()
    monkeypatch.setattr(prepare, "digest_of", registry.digest_of)
    monkeypatch.setattr(prepare, "images", lambda: ["backend", "frontend"])
    monkeypatch.setattr(prepare, "repository", lambda image: f"ghcr.io/octo/shop/{image}")
    return registry


@pytest.mark.usefixtures("_checkout")
def test_a_candidate_is_the_commit_that_is_checked_out_its_digests_looked_up_once(
    registry: Registry,
) -> None:
    found = candidate(environment(refs=["feature"]), None)
    tag = f"sha-{found.commit[:12]}"
    assert found.version == tag
    assert registry.asked == [
        f"ghcr.io/octo/shop/backend:{tag}",
        f"ghcr.io/octo/shop/frontend:{tag}",
    ]
    assert found.images == {
        "backend": "ghcr.io/octo/shop/backend@sha256:1",
        "frontend": "ghcr.io/octo/shop/frontend@sha256:2",
    }


@pytest.mark.usefixtures("_checkout")
def test_a_version_is_the_images_of_its_commit_and_not_whatever_has_its_name(
    registry: Registry,
) -> None:
    git("tag", "v1.0.0")
    git("commit", "--quiet", "--allow-empty", "--message=Later")
    found = candidate(environment(refs=["v*"]), "v1.0.0")
    assert found.version == "v1.0.0"
    assert registry.asked[0] == f"ghcr.io/octo/shop/backend:sha-{found.commit[:12]}"


SIGNER = Signer(repository="octo/shop")


class Cosign:
    """What is verified, and how it ends."""

    def __init__(self) -> None:
        self.verified: list[tuple[str, str, bool]] = []
        self.asked: list[str] = []
        self.code = 0

    def verify(self, reference: str, _: Signer, commit: str, *, unjudged: bool) -> None:
        self.verified.append((reference, commit, unjudged))

    def read(self, command: tuple[str, ...]) -> Output:
        self.asked.append(" ".join(command))
        return Output(command, self.code, "", "no matching attestations")


@pytest.fixture
def cosign(monkeypatch: pytest.MonkeyPatch) -> Cosign:
    cosign = Cosign()
    monkeypatch.setattr(prepare, "verify", cosign.verify)
    monkeypatch.setattr(prepare, "read", cosign.read)
    monkeypatch.setattr(prepare, "require_free", lambda _: None)
    monkeypatch.setattr(prepare, "is_built", lambda image: image in IMAGES)
    return cosign


def test_every_image_is_verified_those_of_others_as_well(cosign: Cosign) -> None:
    trust(environment(), FOUND, SIGNER)
    assert cosign.verified == [(image, FOUND.commit, False) for image in FOUND.images.values()]
    assert cosign.asked == []


def test_only_on_this_machine_may_run_what_nobody_has_scanned(cosign: Cosign) -> None:
    trust(environment(url="https://localhost:8443"), FOUND, SIGNER)
    assert {unjudged for _, _, unjudged in cosign.verified} == {True}


def test_what_is_built_here_has_to_have_served_where_it_is_to_serve_first(cosign: Cosign) -> None:
    production = environment(after="staging")
    trust(production, FOUND, SIGNER)
    assert len(cosign.asked) == len(IMAGES)
    assert all("--type=urn:deployed-to:staging" in asked for asked in cosign.asked)
    cosign.code = 1
    with pytest.raises(UntrustedError, match="has not served in staging") as caught:
        trust(production, FOUND, SIGNER)
    assert caught.value.hint == "invoke deploy --env=staging --release=v1.0.1"


def test_that_a_release_serves_is_stated_of_each_image_that_is_built_here(
    cosign: Cosign, monkeypatch: pytest.MonkeyPatch
) -> None:
    del cosign
    stated: list[tuple[str, dict[str, str]]] = []

    def answer(command: tuple[str, ...]) -> str:
        predicate = next(word for word in command if word.startswith("--predicate="))
        content = json.loads(Path(predicate.partition("=")[2]).read_text())
        assert "--type=urn:deployed-to:staging" in command
        stated.append((command[-1], content))
        return ""

    monkeypatch.setattr(prepare, "answer", answer)
    vouch(environment(), FOUND, SIGNER)
    assert [reference for reference, _ in stated] == list(IMAGES.values())
    content = stated[0][1]
    assert (content["environment"], content["version"]) == ("staging", "v1.0.1")
    assert datetime.fromisoformat(content["at"]).tzinfo


def test_a_statement_that_cannot_be_signed_is_a_fault(
    cosign: Cosign, monkeypatch: pytest.MonkeyPatch
) -> None:
    del cosign

    def answer(_: tuple[str, ...]) -> str:
        raise CheckFailedError("`cosign attest …` failed", hint="")

    monkeypatch.setattr(prepare, "answer", answer)
    with pytest.raises(CheckFailedError):
        vouch(environment(), FOUND, SIGNER)
