"""Command lines are built by pure functions: what is run is what is read here."""

from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.deploy.rollout.signatures import DEPLOY_WORKFLOW
from pipeline.errors import InputError
from pipeline.images.commands import cosign, docker, syft, trivy
from pipeline.images.commands.cosign import Signer, resolve_signer
from tests import settings
from tests.conftest import ROOT
from tests.unit.images.conftest import APP, DIGEST, CopyProject, git

DIST = "dist/images/app/linux-amd64"
LOCAL = f"127.0.0.1:5000/shop/app@{DIGEST}"
REMOTE = f"ghcr.io/octo-org/shop/app@{DIGEST}"
PLAIN = "--allow-http-registry --allow-insecure-registry"
KEYLESS = Signer(repository="Octo-Org/Shop", branch="main")
KEY = Signer(key=Path("cosign.key"))


def test_an_image_is_built_as_compose_defines_it_for_one_platform_and_one_time() -> None:
    assert " ".join(docker.build(APP, "local/app:linux-amd64", {"COMMIT": "abc"}, 7)) == (
        "docker buildx bake --file=docker-compose.yml --load --set=app.tags=local/app:linux-amd64"
        " --set=app.platform=linux/amd64 --set=app.args.COMMIT=abc"
        " --set=app.args.SOURCE_DATE_EPOCH=7 app"
    )


def test_an_index_is_made_of_digests() -> None:
    assert " ".join(docker.create_index("shop/app:v1", LOCAL, REMOTE)) == (
        f"docker buildx imagetools create --tag=shop/app:v1 {LOCAL} {REMOTE}"
    )


def test_both_bills_of_materials_are_made_at_once_from_the_archive() -> None:
    assert " ".join(syft.sbom_command(APP, "ghcr.io/octo-org/shop/app", "sha-1")) == (
        f"syft scan docker-archive:{DIST}/image.tar --config={syft.CONFIGURATION} --quiet"
        " --source-name=ghcr.io/octo-org/shop/app --source-version=sha-1"
        f" --output=spdx-json={DIST}/sbom.spdx.json --output=cyclonedx-json={DIST}/sbom.cdx.json"
    )


def test_a_scan_asks_nobody_for_news_and_reads_no_file_of_its_own() -> None:
    assert " ".join(trivy.scan_command(APP, "sarif")) == (
        f"trivy image --input={DIST}/image.tar --scanners=vuln,secret --config=/dev/null"
        " --ignorefile=/dev/null --secret-config= --quiet --skip-version-check --disable-telemetry"
        f" --format=sarif --output={DIST}/scan.sarif"
    )


def test_without_a_key_the_workflow_signs_and_only_main_s_is_accepted() -> None:
    assert " ".join(cosign.sign(KEYLESS, REMOTE, {"commit": "abc"})) == (
        f"cosign sign --yes --annotations=commit=abc {REMOTE}"
    )
    assert " ".join(cosign.verify(KEYLESS, REMOTE, {"commit": "abc"})) == (
        "cosign verify --certificate-identity=https://github.com/Octo-Org/Shop/"
        ".github/workflows/image-release.yml@refs/heads/main"
        " --certificate-oidc-issuer=https://token.actions.githubusercontent.com"
        f" --annotations=commit=abc {REMOTE}"
    )


def test_the_workflow_that_is_accepted_runs_on_the_main_branch(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("COSIGN_KEY", raising=False)
    Path("pipeline.toml").write_text(settings.text({"ci": {"main_branch": "master"}}))
    monkeypatch.setattr(cosign, "origin_repository", lambda: "Octo-Org/Shop")
    output = " ".join(cosign.verify(resolve_signer(None), REMOTE, {}))
    assert "/image-release.yml@refs/heads/master " in output


@pytest.mark.parametrize("workflow", [cosign.RELEASE_WORKFLOW, DEPLOY_WORKFLOW])
def test_a_workflow_that_signs_is_one_of_this_repository(workflow: str) -> None:
    assert (ROOT / ".github" / "workflows" / workflow).exists()


@pytest.mark.parametrize(("version", "extra"), [(2, ""), (3, " --use-signing-config=false")])
def test_a_key_signs_without_any_service_on_either_cosign(
    version: int, extra: str, put: CopyProject, tmp_path: Path
) -> None:
    put("cosign")
    if version == 3:
        (tmp_path / "cosign-3").touch()
    assert " ".join(cosign.attest(KEY, LOCAL, "vuln", Path("scan.json"))) == (
        f"cosign attest --yes --key=cosign.key --tlog-upload=false{extra} {PLAIN}"
        f" --type=vuln --predicate=scan.json {LOCAL}"
    )


def test_cosign_is_asked_for_its_version_once(
    put: CopyProject, calls: Callable[[], list[str]]
) -> None:
    put("cosign")
    for _ in range(3):
        cosign.sign(KEY, LOCAL, {})
    assert calls() == ["cosign sign --help"]


def test_a_key_is_verified_by_its_public_half_without_any_service() -> None:
    assert " ".join(cosign.verify_attestation(KEY, LOCAL, "vuln")) == (
        "cosign verify-attestation --key=cosign.pub --insecure-ignore-tlog=true"
        f" {PLAIN} --type=vuln {LOCAL}"
    )


def test_a_given_key_signs_and_otherwise_that_of_the_environment(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a.pub", "b.pub"):
        (project / name).touch()
    monkeypatch.setenv("COSIGN_KEY", "a.key")
    assert resolve_signer(None) == Signer(key=Path("a.key"))
    assert resolve_signer("b.key") == Signer(key=Path("b.key"))
    assert resolve_signer("b.pub").verify_options[0] == "--key=b.pub"


@pytest.mark.usefixtures("project")
def test_a_key_without_its_public_half_is_refused() -> None:
    with pytest.raises(InputError, match=r"there is no public key next to `cosign\.key`"):
        resolve_signer("cosign.key")


@pytest.mark.usefixtures("project")
def test_without_a_key_the_repository_signs_and_without_either_nobody() -> None:
    with pytest.raises(InputError, match="there is no key, and git has no remote"):
        resolve_signer(None)
    git("remote", "add", "origin", "https://github.com/Octo-Org/Shop")
    assert resolve_signer(None) == KEYLESS


def test_only_registries_of_this_machine_may_speak_plain_http() -> None:
    assert cosign.registry_options(LOCAL)
    assert cosign.registry_options("localhost/app")
    assert not cosign.registry_options(REMOTE)
    assert not cosign.registry_options("localhost.example.com/app")
