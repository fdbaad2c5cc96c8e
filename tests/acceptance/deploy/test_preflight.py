"""A of the catalogue: faults that are refused before anything changes."""

import base64
import signal
from functools import partial
from pathlib import Path

import pytest

from pipeline.process import CommandResult, capture
from tests.acceptance.deploy.fault_report import FaultCase
from tests.acceptance.deploy.live_site import ENV, LiveSite, send_signal_after
from tests.acceptance.deploy.release_variants import append_layer, docker
from tests.waiting import until

FAILED, INPUT, UNTRUSTED, STOPPED = 1, 2, 5, 6
SETTINGS = "config/settings/production.py"


@pytest.mark.fault("A1", "images without a signature")
def test_a1_unsigned_image_is_refused(site: LiveSite, case: FaultCase) -> None:
    commit = site.variants.release("LABEL unsigned=1", sign=False)
    case.assert_caught(lambda: site.deploy(commit), code=UNTRUSTED, at="signature")


@pytest.mark.fault("A2", "images signed with another key")
def test_a2_other_signer_is_refused(site: LiveSite, case: FaultCase, tmp_path: Path) -> None:
    commit = site.variants.release("LABEL theirs=1", sign=False)
    made = capture(["cosign", "generate-key-pair"], cwd=tmp_path, env={"COSIGN_PASSWORD": ""})
    assert made.returncode == 0, made.stderr
    site.sandbox.invoke_ok("sign", f"--key={tmp_path / 'cosign.key'}")
    case.assert_caught(lambda: site.deploy(commit), code=UNTRUSTED, at="signature")


@pytest.mark.fault("A3", "a tag that moves while its release is deployed")
def test_a3_moved_tag_keeps_verified_digest(site: LiveSite, case: FaultCase) -> None:
    commit = site.variants.release("LABEL moved_later=1")
    act = partial(site.deploy_with_event, commit, "foundation", lambda _: move(site, commit))
    case.assert_served(act, "smoke done")
    assert site.rollback().returncode == 0


@pytest.mark.fault("A4", "a commit tag that points to an older, signed image")
def test_a4_moved_commit_tag_is_refused(site: LiveSite, case: FaultCase) -> None:
    commit = site.variants.release("LABEL moved=1", sign=False)
    move(site, commit)
    case.assert_caught(lambda: site.deploy(commit), code=UNTRUSTED, at="signature")


def move(site: LiveSite, commit: str) -> None:
    """Move the tags of a commit to the images of the first release."""
    registry = site.sandbox.variables["IMAGES_REGISTRY"]
    for image in ("backend", "frontend"):
        name = f"{registry}/{image}"
        moved, signed = f"{name}:sha-{commit[:12]}", f"{name}:sha-{site.first[:12]}"
        docker("buildx", "imagetools", "create", f"--tag={moved}", signed)


@pytest.mark.fault("A4b", "a version tag that points to the image of another commit")
def test_a4b_moved_version_tag_is_refused(site: LiveSite, case: FaultCase) -> None:
    commit = site.variants.release("LABEL version=1")
    site.sandbox.git("tag", "v9.9.9", commit)
    name = f"{site.sandbox.variables['IMAGES_REGISTRY']}/backend"
    docker(
        "buildx", "imagetools", "create", f"--tag={name}:v9.9.9", f"{name}:sha-{site.first[:12]}"
    )
    taken = "tags of another commit's images"
    stderr = case.assert_caught(lambda: site.deploy("v9.9.9"), code=UNTRUSTED, at=taken)
    assert f"{taken}: {name}:v9.9.9" in stderr


@pytest.mark.fault("A5", "a production deploy of a release that never served in staging")
def test_a5_production_needs_staging(site: LiveSite, case: FaultCase) -> None:
    commit = site.variants.release("LABEL unproved=1")
    promote = ("deploy", "--env=production", "--yes", f"--release={commit}")
    at = "has not served in staging"
    case.assert_caught(lambda: site.sandbox.invoke(*promote), code=UNTRUSTED, at=at)
    services = docker("service", "ls", "--format={{.Name}}").split()
    assert not [name for name in services if name.startswith(site.sandbox.stack("production"))]


@pytest.mark.parametrize(
    ("release", "code", "at"),
    [
        pytest.param(
            "0" * 40,
            INPUT,
            "no such commit or tag",
            marks=pytest.mark.fault("A6", "an unknown commit"),
        ),
        pytest.param(
            "HEAD",
            FAILED,
            "the registry has no",
            marks=pytest.mark.fault("A6b", "a commit without images"),
        ),
    ],
    ids=["A6", "A6b"],
)
def test_a6_unknown_release_is_refused(
    site: LiveSite, case: FaultCase, release: str, code: int, at: str
) -> None:
    commit = site.sandbox.commit({}) if release == "HEAD" else release
    case.assert_caught(lambda: site.deploy(commit), code=code, at=at)


@pytest.mark.fault("A8", "an unreachable registry")
def test_a8_deploy_needs_registry(site: LiveSite, case: FaultCase) -> None:
    commit = site.variants.release("LABEL away=1")
    with site.without_registry():
        case.assert_caught(
            lambda: site.deploy(commit), code=FAILED, at="the registry does not answer"
        )


@pytest.mark.fault("A8b", "an unreachable registry during a rollback")
def test_a8b_rollback_without_registry(site: LiveSite, case: FaultCase) -> None:
    assert site.deploy(site.variants.release("LABEL away=2")).returncode == 0
    with site.without_registry():
        case.assert_served(site.rollback, "smoke done")


@pytest.mark.fault("A10", "missing secrets")
def test_a10_missing_secrets_are_named(site: LiveSite, case: FaultCase) -> None:
    unset = {"DJANGO_SECRET_KEY": "", "PREVIEW_TOKEN": ""}
    stderr = case.assert_caught(
        lambda: site.deploy(site.first, **unset), code=INPUT, at="DJANGO_SECRET_KEY, PREVIEW_TOKEN"
    )
    assert site.sandbox.variables["POSTGRES_PASSWORD"] not in stderr


@pytest.mark.fault("A11", "a secret with another value")
def test_a11_changed_secret_is_a_release(site: LiveSite, case: FaultCase) -> None:
    """This key does not sign sessions: to change that one takes two releases."""
    older = site.sandbox.variables["FIELD_ENCRYPTION_KEY"]
    newer = base64.urlsafe_b64encode(b"known to every reader of a test.").decode()
    rotated = {"FIELD_ENCRYPTION_KEY": f"{newer},{older}"}
    case.assert_served(lambda: site.deploy(site.first, **rotated), "smoke done")
    assert site.deploy(site.first).returncode == 0


@pytest.mark.fault("A12", "a malformed variable")
def test_a12_self_check_finds_malformed_variable(site: LiveSite, case: FaultCase) -> None:
    malformed = {"REDIS_URL": "redis-without-a-scheme"}
    commit = site.variants.release("LABEL malformed=1")
    at = "self-check failed"
    stderr = case.assert_caught(lambda: site.deploy(commit, **malformed), code=STOPPED, at=at)
    assert "REDIS_URL is malformed" in stderr


@pytest.mark.fault("A14", "development settings")
def test_a14_self_check_finds_debug(site: LiveSite, case: FaultCase) -> None:
    commit = site.variants.release(append_layer(SETTINGS, "DEBUG = True"))
    case.assert_caught(lambda: site.deploy(commit), code=STOPPED, at="self-check failed")


@pytest.mark.fault("A15", "two deployments at the same time")
def test_a15_second_deploy_is_refused(site: LiveSite, case: FaultCase) -> None:
    commit = site.variants.release("LABEL both=1")

    def act() -> CommandResult:
        both = [site.begin(commit), site.begin(commit)]
        stderr = [process.communicate()[1] for process in both]
        codes = sorted(process.returncode for process in both)
        assert codes == [0, INPUT], stderr
        return CommandResult((), codes[0], "", "".join(stderr))

    case.assert_served(act, "is locked by")
    assert site.rollback().returncode == 0


@pytest.mark.fault("A16", "a stale lock and a new deployment")
def test_a16_stale_lock_is_taken_over(site: LiveSite, case: FaultCase) -> None:
    commit = site.variants.release("LABEL stale=1")

    def act() -> CommandResult:
        site.deploy_with_event(commit, "roll backend", send_signal_after(signal.SIGKILL))
        site.outlive_lock()
        return site.deploy(commit)

    stderr = case.assert_served(act, "taking over a stale lock")
    assert "never ended" in stderr
    assert site.rollback().returncode == 0


@pytest.mark.fault("A17", "an uncommitted file")
def test_a17_uncommitted_file_is_refused(site: LiveSite, case: FaultCase) -> None:
    stray = site.sandbox.folder / "backend/stray.py"
    stray.write_text("")
    case.assert_caught(site.deploy, code=INPUT, at="the worktree has uncommitted changes")
    stray.unlink()


@pytest.mark.fault("A20", "a service whose update is paused")
def test_a20_deploy_repairs_paused_update(site: LiveSite, case: FaultCase) -> None:
    update = ("service", "update", "--detach", "--quiet", "--update-failure-action=pause")
    docker(*update, "--args=python -c raise(SystemExit(3))", site.service("backend"))
    template = "--format={{with .UpdateStatus}}{{.State}}{{end}}"
    state = ("service", "inspect", template, site.service("backend"))
    until(lambda: docker(*state) == "paused", "the update is not paused")
    assert site.sandbox.invoke("status", *ENV[:2]).returncode == 1, "it drifted"
    case.assert_served(lambda: site.deploy(site.first), "smoke done")


@pytest.mark.fault("F10", "the live release again")
def test_f10_live_release_is_unchanged(site: LiveSite, case: FaultCase) -> None:
    before = site.history()
    case.assert_served(lambda: site.deploy(site.first), "is already live")
    assert site.history() == before
