"""A release is verified before it is deployed; that it serves is stated, signed."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from pipeline.deploy.rollout import signatures
from pipeline.deploy.rollout.candidate import ReleaseCandidate, new_record
from pipeline.deploy.rollout.signatures import (
    attest_deployment,
    built_images,
    deployment_predicate_type,
    verify_candidate,
    version_tags,
)
from pipeline.errors import CheckFailedError, InputError, VerificationError
from pipeline.images.commands.cosign import Signer
from pipeline.images.targets import ImageRef
from pipeline.process import CommandResult
from tests.unit.deploy.factories import DIGEST, IMAGES, POSTGRES, make_environment, make_release

FOUND = ReleaseCandidate("v1.0.1", "0" * 40, {**IMAGES, "postgres": POSTGRES})
OTHER = ImageRef(f"ghcr.io/octo/shop/postgres@sha256:{'3' * 64}")


def test_only_a_version_is_a_name_of_its_own_in_the_registry() -> None:
    named = version_tags(replace(FOUND, images={"backend": IMAGES["backend"]}))
    assert named == {"ghcr.io/octo/shop/backend:v1.0.1": DIGEST}
    assert version_tags(replace(FOUND, version="sha-000000000000")) == {}


def test_the_statement_that_a_release_serves_names_where() -> None:
    assert deployment_predicate_type("staging") == "urn:deployed-to:staging"


def test_only_what_is_built_here_is_stated_to_have_served(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "pipeline.deploy.rollout.signatures.is_built", lambda image: image in IMAGES
    )
    assert built_images(FOUND) == list(IMAGES.values())


SIGNER = Signer(repository="octo/shop")


class Cosign:
    """What is verified, and how it ends."""

    def __init__(self) -> None:
        self.verified: list[str] = []
        self.allow_unscanned: set[bool] = set()
        self.requested: list[str] = []
        self.code = 0

    def verify(
        self, requested: Sequence[str], _: Signer, commit: str, *, allow_unscanned: bool
    ) -> None:
        assert commit == FOUND.commit
        self.verified += requested
        self.allow_unscanned |= {allow_unscanned}

    def read(self, command: tuple[str, ...]) -> CommandResult:
        self.requested.append(" ".join(command))
        return CommandResult(command, self.code, "", "no matching attestations")


@pytest.fixture
def cosign(monkeypatch: pytest.MonkeyPatch) -> Cosign:
    cosign = Cosign()
    monkeypatch.setattr(signatures, "verify", cosign.verify)
    monkeypatch.setattr(signatures, "capture", cosign.read)
    monkeypatch.setattr(signatures, "require_unused_tags", lambda _: None)
    monkeypatch.setattr(signatures, "is_built", lambda image: image in IMAGES)
    return cosign


def test_every_image_is_verified_those_of_others_as_well(cosign: Cosign) -> None:
    verify_candidate(make_environment(), FOUND, SIGNER, None)
    assert cosign.verified == [*FOUND.images.values()]
    assert cosign.requested == []


def test_only_on_this_machine_may_run_what_nobody_has_scanned(cosign: Cosign) -> None:
    verify_candidate(make_environment(), FOUND, SIGNER, None)
    assert cosign.allow_unscanned == {False}
    cosign.allow_unscanned.clear()
    verify_candidate(make_environment(url="https://localhost:8443"), FOUND, SIGNER, None)
    assert cosign.allow_unscanned == {True}


LIVE = replace(new_record(make_release(), {}, [], "deploy"), commit="1" * 40, images=FOUND.images)
SAME, NAMED = LIVE.images, {"0" * 40: "postgres:18", "1" * 40: "postgres:18"}


@pytest.mark.parametrize(
    ("images", "names", "again"),
    [
        pytest.param(SAME, NAMED, False, id="same digest and name"),
        pytest.param({**SAME, "postgres": OTHER}, NAMED, True, id="another digest"),
        pytest.param({**SAME, "postgres": ""}, NAMED, True, id="no such image"),
        pytest.param(SAME, {**NAMED, "0" * 40: "postgres:19"}, True, id="another name"),
        pytest.param(SAME, {"0" * 40: "postgres:18"}, True, id="a commit that is not here"),
    ],
)
def test_what_others_made_and_the_live_release_has_is_not_verified_again(
    cosign: Cosign,
    monkeypatch: pytest.MonkeyPatch,
    images: dict[str, ImageRef],
    names: dict[str, str],
    again: bool,  # noqa: FBT001 - the case
) -> None:
    def named(_: str, commit: str) -> str:
        if commit not in names:
            raise InputError("no such commit", hint="")
        return names[commit]

    monkeypatch.setattr(signatures, "pinned_reference", named)
    verify_candidate(make_environment(), FOUND, SIGNER, replace(LIVE, images=images))
    assert cosign.verified == [*IMAGES.values(), *[POSTGRES] * again]


def test_what_is_not_verified_again_is_told(
    cosign: Cosign, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(signatures, "pinned_reference", lambda *_: "postgres:18")
    verify_candidate(make_environment(), FOUND, SIGNER, LIVE)
    assert cosign.verified == [*IMAGES.values()]
    output = "already verified when v1.0.1 was deployed: postgres"
    assert output in capsys.readouterr().err


def test_what_is_built_here_has_to_have_served_where_it_is_to_serve_first(cosign: Cosign) -> None:
    production = make_environment(promote_from="staging")
    verify_candidate(production, FOUND, SIGNER, None)
    assert len(cosign.requested) == len(IMAGES)
    assert all("--type=urn:deployed-to:staging" in requested for requested in cosign.requested)
    cosign.code = 1
    with pytest.raises(VerificationError, match="has not served in staging") as caught:
        verify_candidate(production, FOUND, SIGNER, None)
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

    monkeypatch.setattr(signatures, "command_output", answer)
    attest_deployment(make_environment(), FOUND, SIGNER)
    assert sorted(reference for reference, _ in stated) == sorted(IMAGES.values())
    content = stated[0][1]
    assert (content["environment"], content["version"]) == ("staging", "v1.0.1")
    assert datetime.fromisoformat(content["at"]).tzinfo


def test_a_statement_that_cannot_be_signed_is_a_fault(
    cosign: Cosign, monkeypatch: pytest.MonkeyPatch
) -> None:
    del cosign

    def answer(_: tuple[str, ...]) -> str:
        raise CheckFailedError("`cosign attest …` failed", hint="")

    monkeypatch.setattr(signatures, "command_output", answer)
    with pytest.raises(CheckFailedError):
        attest_deployment(make_environment(), FOUND, SIGNER)
