"""From a commit to a version: each step once, and none on top of a broken one.

Docker, Syft, Trivy and Cosign are doubles here; the real ones are in `tests/acceptance/signing`.
"""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipeline.errors import CheckFailedError, InputError, VerificationError
from pipeline.git import head
from pipeline.images import signing, vex
from pipeline.images.build import build, resolve_targets
from pipeline.images.inspection import sbom
from pipeline.images.push import push
from pipeline.images.records import load_release
from pipeline.images.targets import Target, platforms, select_images
from pipeline.images.verification import VERIFIED_CACHE, WAIVER_ANNOTATION, verify_all
from tests.unit.images.conftest import (
    AMD,
    APP,
    ARM,
    DIGEST,
    Calls,
    CopyProject,
    RunOnce,
    add_waiver,
    commit,
    publish,
    scan_of,
    write_vulnerability_report,
)
from tests.unit.images.pipeline_steps import (
    HOST,
    KEY,
    OTHER,
    build_and_scan,
    effectful_calls,
    run_chain,
)


@pytest.fixture(autouse=True)
def tools(put: CopyProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put("docker", "syft", "trivy", "cosign")
    write_vulnerability_report(tmp_path)
    monkeypatch.setenv("IMAGES_REGISTRY", HOST)


def test_the_whole_chain_passes_and_the_second_time_does_nothing(
    once: RunOnce, calls: Calls
) -> None:
    once(run_chain)
    assert effectful_calls(calls())
    run_chain()
    assert effectful_calls(calls()) == []


def test_a_release_is_an_index_of_both_platforms_named_by_its_digest(once: RunOnce) -> None:
    once(run_chain)
    entry = load_release(head().sha)["app"]
    assert entry.reference.startswith(f"{HOST}/app@sha256:")
    assert set(entry.platforms) == {AMD, ARM}


def test_the_papers_are_signed_before_the_index(once: RunOnce, calls: Calls) -> None:
    once(run_chain)
    signing = [call for call in calls() if call.startswith(("cosign sign --yes", "cosign attest"))]
    assert [call.split()[1] for call in signing] == ["attest"] * 8 + ["sign"] + ["attest"] * 8 + [
        "sign"
    ]


def test_an_image_of_others_is_signed_once_for_many_commits(once: RunOnce, calls: Calls) -> None:
    """Else each commit would leave its statements at the same digest, and every look read them."""
    once(run_chain)
    commit()
    calls()
    run_chain()
    signing = [call for call in calls() if call.startswith(("cosign sign --yes", "cosign attest"))]
    assert len(signing) == 9
    assert all("/app@sha256:" in call for call in signing)


def test_an_image_of_others_under_another_name_is_not_what_was_signed(once: RunOnce) -> None:
    once(run_chain)
    reference = load_release(head().sha)["store"].reference
    compose = Path("docker-compose.yml")
    compose.write_text(compose.read_text().replace("store:1", "store:2"))
    commit()
    with pytest.raises(VerificationError, match="signature: no matching signatures"):
        verify_all([reference], KEY, None, local=False)


def test_what_no_commit_here_names_is_not_trusted(once: RunOnce) -> None:
    once(run_chain)
    reference = load_release(head().sha)["store"].reference
    with pytest.raises(VerificationError, match="its commit is unknown: git failed"):
        verify_all([reference], KEY, "0" * 40, local=False)


def test_exceptions_are_attested_and_the_signature_says_so(once: RunOnce, calls: Calls) -> None:
    once(build_and_scan)
    tomorrow = datetime.now(UTC).date() + timedelta(days=1)
    add_waiver(tomorrow, "app on linux/arm64")
    commit()
    for platform in platforms():
        build(resolve_targets("app", platform))
        sbom([Target("app", platform)])
    for target in (APP, Target("app", ARM)):  # the scan has applied the exceptions
        (target.directory / "scan.attestation.json").write_text(json.dumps(scan_of()))
    push(["app"], platforms())
    calls()
    signing.sign(["app"], KEY)
    sign_calls = [
        call for call in calls() if call.startswith(("cosign sign --yes", "cosign attest"))
    ]
    assert [call for call in sign_calls if "--type=openvex" in call] == [
        sign_calls[4],
        sign_calls[9],
    ]
    assert "--annotations=exceptions=attested" in sign_calls[-1]
    verify_all(signing.resolve_references(["app"], None), KEY, None, local=False)
    (statement,) = json.loads(vex.vex_path("app").read_text())["statements"]
    assert statement["vulnerability"] == {"name": "CVE-2026-0001"}
    accepted = f"Accepted by ada@example.com until {tomorrow}: no fixed version"
    assert statement["action_statement"] == accepted
    (product,) = statement["products"]
    digest = load_release(head().sha)["app"].platforms[ARM]
    assert product["@id"].startswith(f"pkg:oci/app@{digest.replace(':', '%3A')}?repository_url=")


def test_exceptions_that_were_promised_and_are_gone_are_missed(
    once: RunOnce, tmp_path: Path
) -> None:
    once(run_chain)
    kept = json.loads((tmp_path / "cosign.json").read_text())
    reference = load_release(head().sha)["app"].reference
    promised = json.dumps(
        [
            f"--annotations={name}={value}"
            for name, value in ({"commit": head().sha} | WAIVER_ANNOTATION).items()
        ]
    )
    kept[reference]["signature"] = f"cosign {promised}"
    (tmp_path / "cosign.json").write_text(json.dumps(kept))
    VERIFIED_CACHE.clear()
    with pytest.raises(VerificationError) as caught:
        verify_all([reference], KEY, None, local=False)
    assert str(caught.value).splitlines()[1:] == [
        f"exceptions of {platform}: no matching attestations" for platform in (AMD, ARM)
    ]


def test_nothing_is_signed_that_was_not_pushed(once: RunOnce) -> None:
    once(build_and_scan)
    with pytest.raises(InputError, match=r"not pushed from commit .*: app, store"):
        signing.sign(select_images(None), KEY)


def test_nothing_is_signed_without_all_papers(once: RunOnce, calls: Calls) -> None:
    once(build_and_scan)
    push(["app"], platforms())
    (APP.directory / "sbom.cdx.json").unlink()
    with pytest.raises(InputError, match=r"missing files: .*sbom\.cdx\.json"):
        signing.sign(["app"], KEY)
    assert effectful_calls([call for call in calls() if call.startswith("cosign")]) == []


def test_an_old_scan_is_not_signed_again(once: RunOnce) -> None:
    once(build_and_scan)
    push(["app"], platforms())
    paper = APP.directory / "scan.attestation.json"
    paper.write_text(paper.read_text().replace('scanFinishedOn": "2', 'scanFinishedOn": "1'))
    with pytest.raises(InputError, match="cannot be attested: it is older than 7 days") as caught:
        signing.sign(["app"], KEY)
    assert caught.value.hint == "invoke scan"


def test_what_another_key_signed_is_signed_again(once: RunOnce, calls: Calls) -> None:
    once(run_chain)
    calls()
    signing.sign(["app"], OTHER)
    assert effectful_calls(calls())
    verify_all(signing.resolve_references(["app"], None), OTHER, None, local=False)


def test_a_version_is_one_more_name_of_the_same_digest(once: RunOnce, calls: Calls) -> None:
    once(run_chain)
    calls()
    signing.promote(["app"], "v1.0.0", KEY)
    (create,) = effectful_calls(calls())
    reference = load_release(head().sha)["app"].reference
    assert create == f"docker buildx imagetools create --tag={HOST}/app:v1.0.0 {reference}"


def test_no_image_gets_a_version_if_one_is_not_to_be_trusted(
    once: RunOnce, calls: Calls, tmp_path: Path
) -> None:
    once(run_chain)
    publish(tmp_path, f"{HOST}/store:{head().tag}", json.dumps({"manifests": []}))
    calls()
    with pytest.raises(VerificationError, match="it contains no image"):
        signing.promote(["app", "store"], "v1.0.0", KEY)
    assert effectful_calls(calls()) == []


def test_a_version_is_not_given_while_nobody_knows_whether_it_is_taken(
    once: RunOnce, calls: Calls, tmp_path: Path
) -> None:
    once(run_chain)
    (tmp_path / "busy-for").write_text(":v1.0.0")
    calls()
    with pytest.raises(CheckFailedError, match=r"does not answer for .*/app:v1\.0\.0: .*429"):
        signing.promote(["app"], "v1.0.0", KEY)
    assert effectful_calls(calls()) == []


def test_a_commit_that_was_never_pushed_gets_no_version() -> None:
    with pytest.raises(VerificationError, match=f"{HOST}/app has no image of commit"):
        signing.promote(["app"], "v1.0.0", KEY)


def test_dry_runs_print_and_change_nothing(
    once: RunOnce, calls: Calls, capsys: pytest.CaptureFixture[str]
) -> None:
    once(build_and_scan)
    push(["app"], platforms(), dry_run=True)
    assert f"docker push --quiet {HOST}/app:{head().tag}-linux-amd64\n" in capsys.readouterr().out
    push(["app"], platforms())
    calls()
    signing.sign(["app"], KEY, dry_run=True)
    assert capsys.readouterr().out.count("cosign attest") == 8
    assert not (APP.directory / "provenance.json").exists()
    assert effectful_calls(calls()) == []


def test_a_dry_promotion_verifies_and_adds_no_name(
    once: RunOnce, calls: Calls, capsys: pytest.CaptureFixture[str]
) -> None:
    once(run_chain)
    calls()
    signing.promote(["app"], "v1.0.0", KEY, dry_run=True)
    assert "imagetools create --tag=" in capsys.readouterr().out
    assert effectful_calls(calls()) == []


def test_a_registry_that_rewrites_what_it_is_given_is_red(once: RunOnce, tmp_path: Path) -> None:
    once(run_chain)
    (tmp_path / "registry-rewrites").touch()
    with pytest.raises(CheckFailedError, match=r"app:v1\.0\.0 has another digest"):
        signing.promote(["app"], "v1.0.0", KEY)


def test_a_given_digest_is_verified_instead_of_those_that_were_pushed() -> None:
    assert signing.resolve_references(["app"], f"shop/app@{DIGEST}") == [f"shop/app@{DIGEST}"]
