"""A of the catalogue: what is wrong before anything changes, and is refused untouched."""

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


@pytest.mark.fault("A1", "images that nobody signed")
def test_a1_an_unsigned_image_is_refused(site: LiveSite, case: FaultCase) -> None:
    commit = site.variants.release("LABEL unsigned=1", sign=False)
    case.assert_caught(lambda: site.deploy(commit), code=UNTRUSTED, at="signature")


@pytest.mark.fault("A2", "images signed with another key")
def test_a2_an_image_that_somebody_else_signed_is_refused(
    site: LiveSite, case: FaultCase, tmp_path: Path
) -> None:
    commit = site.variants.release("LABEL theirs=1", sign=False)
    made = capture(["cosign", "generate-key-pair"], cwd=tmp_path, env={"COSIGN_PASSWORD": ""})
    assert made.returncode == 0, made.stderr
    site.yard.invoke_ok("sign", f"--key={tmp_path / 'cosign.key'}")
    case.assert_caught(lambda: site.deploy(commit), code=UNTRUSTED, at="signature")


@pytest.mark.fault("A3", "a tag that is moved while its release is deployed")
def test_a3_what_was_verified_is_what_runs(site: LiveSite, case: FaultCase) -> None:
    commit = site.variants.release("LABEL moved_later=1")
    act = partial(site.deploy_with_event, commit, "foundation", lambda _: move(site, commit))
    case.assert_served(act, "smoke done")
    assert site.rollback().returncode == 0


@pytest.mark.fault("A4", "a commit's tag that leads to an older, signed image")
def test_a4_a_commit_s_tag_that_was_moved_is_refused(site: LiveSite, case: FaultCase) -> None:
    commit = site.variants.release("LABEL moved=1", sign=False)
    move(site, commit)
    case.assert_caught(lambda: site.deploy(commit), code=UNTRUSTED, at="signature")


def move(site: LiveSite, commit: str) -> None:
    """Let the tags of a commit lead to the first release."""
    registry = site.yard.variables["IMAGES_REGISTRY"]
    for image in ("backend", "frontend"):
        name = f"{registry}/{image}"
        moved, signed = f"{name}:sha-{commit[:12]}", f"{name}:sha-{site.first[:12]}"
        docker("buildx", "imagetools", "create", f"--tag={moved}", signed)


@pytest.mark.fault("A4b", "a version that leads to another commit's image")
def test_a4b_a_version_that_was_moved_is_refused(site: LiveSite, case: FaultCase) -> None:
    commit = site.variants.release("LABEL version=1")
    site.yard.git("tag", "v9.9.9", commit)
    name = f"{site.yard.variables['IMAGES_REGISTRY']}/backend"
    docker(
        "buildx", "imagetools", "create", f"--tag={name}:v9.9.9", f"{name}:sha-{site.first[:12]}"
    )
    taken = "taken by another commit's images"
    said = case.assert_caught(lambda: site.deploy("v9.9.9"), code=UNTRUSTED, at=taken)
    assert f"{taken}: {name}:v9.9.9" in said


@pytest.mark.fault("A5", "a release that has not served in staging, for production")
def test_a5_what_has_not_served_in_staging_does_not_reach_production(
    site: LiveSite, case: FaultCase
) -> None:
    commit = site.variants.release("LABEL unproved=1")
    promote = ("deploy", "--env=production", "--yes", f"--release={commit}")
    at = "has not served in staging"
    case.assert_caught(lambda: site.yard.invoke(*promote), code=UNTRUSTED, at=at)
    services = docker("service", "ls", "--format={{.Name}}").split()
    assert not [name for name in services if name.startswith(site.yard.stack("production"))]


@pytest.mark.parametrize(
    ("release", "code", "at"),
    [
        pytest.param(
            "0" * 40,
            INPUT,
            "no such commit or tag",
            marks=pytest.mark.fault("A6", "a commit that is none"),
        ),
        pytest.param(
            "HEAD",
            FAILED,
            "the registry has no",
            marks=pytest.mark.fault("A6b", "a commit never built"),
        ),
    ],
    ids=["A6", "A6b"],
)
def test_a6_a_release_that_is_not_there_is_refused(
    site: LiveSite, case: FaultCase, release: str, code: int, at: str
) -> None:
    commit = site.yard.commit({}) if release == "HEAD" else release
    case.assert_caught(lambda: site.deploy(commit), code=code, at=at)


@pytest.mark.fault("A8", "a registry that is away")
def test_a8_without_the_registry_nothing_is_deployed(site: LiveSite, case: FaultCase) -> None:
    commit = site.variants.release("LABEL away=1")
    with site.without_registry():
        case.assert_caught(
            lambda: site.deploy(commit), code=FAILED, at="the registry does not answer"
        )


@pytest.mark.fault("A8b", "a registry that is away when a release has to go")
def test_a8b_without_the_registry_one_can_go_back(site: LiveSite, case: FaultCase) -> None:
    assert site.deploy(site.variants.release("LABEL away=2")).returncode == 0
    with site.without_registry():
        case.assert_served(site.rollback, "smoke done")


@pytest.mark.fault("A10", "secrets that are not set")
def test_a10_missing_secrets_are_named_and_no_value_is_printed(
    site: LiveSite, case: FaultCase
) -> None:
    unset = {"DJANGO_SECRET_KEY": "", "PREVIEW_TOKEN": ""}
    said = case.assert_caught(
        lambda: site.deploy(site.first, **unset), code=INPUT, at="DJANGO_SECRET_KEY, PREVIEW_TOKEN"
    )
    assert site.yard.variables["POSTGRES_PASSWORD"] not in said


@pytest.mark.fault("A11", "a secret with another value")
def test_a11_a_secret_that_changed_is_a_release_of_its_own(site: LiveSite, case: FaultCase) -> None:
    """The key is not the sessions': changing that takes two releases, or logs users out."""
    older = site.yard.variables["FIELD_ENCRYPTION_KEY"]
    newer = base64.urlsafe_b64encode(b"known to every reader of a test.").decode()
    rotated = {"FIELD_ENCRYPTION_KEY": f"{newer},{older}"}
    case.assert_served(lambda: site.deploy(site.first, **rotated), "smoke done")
    assert site.deploy(site.first).returncode == 0


@pytest.mark.fault("A12", "a variable in no form that the app reads")
def test_a12_a_malformed_variable_is_found_by_the_self_check(
    site: LiveSite, case: FaultCase
) -> None:
    malformed = {"REDIS_URL": "redis-without-a-scheme"}
    commit = site.variants.release("LABEL malformed=1")
    at = "self-check failed"
    said = case.assert_caught(lambda: site.deploy(commit, **malformed), code=STOPPED, at=at)
    assert "REDIS_URL is malformed" in said


@pytest.mark.fault("A14", "settings for a developer")
def test_a14_insecure_settings_are_found_by_the_self_check(site: LiveSite, case: FaultCase) -> None:
    commit = site.variants.release(append_layer(SETTINGS, "DEBUG = True"))
    case.assert_caught(lambda: site.deploy(commit), code=STOPPED, at="self-check failed")


@pytest.mark.fault("A15", "two deployments at once")
def test_a15_of_two_deployments_at_once_one_is_refused(site: LiveSite, case: FaultCase) -> None:
    commit = site.variants.release("LABEL both=1")

    def act() -> CommandResult:
        both = [site.begin(commit), site.begin(commit)]
        said = [process.communicate()[1] for process in both]
        codes = sorted(process.returncode for process in both)
        assert codes == [0, INPUT], said
        return CommandResult((), codes[0], "", "".join(said))

    case.assert_served(act, "is locked by")
    assert site.rollback().returncode == 0


@pytest.mark.fault("A16", "a lock whose holder died, and a fresh deployment")
def test_a16_a_dead_holder_s_lock_is_taken_over(site: LiveSite, case: FaultCase) -> None:
    commit = site.variants.release("LABEL stale=1")

    def act() -> CommandResult:
        site.deploy_with_event(commit, "roll backend", send_signal_after(signal.SIGKILL))
        site.outlive_lock()
        return site.deploy(commit)

    said = case.assert_served(act, "taking over a stale lock")
    assert "never ended" in said
    assert site.rollback().returncode == 0


@pytest.mark.fault("A17", "a file that no commit has")
def test_a17_what_is_in_no_commit_is_not_deployed(site: LiveSite, case: FaultCase) -> None:
    stray = site.yard.folder / "backend/stray.py"
    stray.write_text("")
    case.assert_caught(site.deploy, code=INPUT, at="the worktree has uncommitted changes")
    stray.unlink()


@pytest.mark.fault("A20", "a service that somebody left in the middle of an update")
def test_a20_what_others_left_half_done_is_put_right(site: LiveSite, case: FaultCase) -> None:
    update = ("service", "update", "--detach", "--quiet", "--update-failure-action=pause")
    docker(*update, "--args=python -c raise(SystemExit(3))", site.service("backend"))
    told = "--format={{with .UpdateStatus}}{{.State}}{{end}}"
    state = ("service", "inspect", told, site.service("backend"))
    until(lambda: docker(*state) == "paused", "the update is not paused")
    assert site.yard.invoke("status", *ENV[:2]).returncode == 1, "it drifted"
    case.assert_served(lambda: site.deploy(site.first), "smoke done")


@pytest.mark.fault("F10", "what is already live")
def test_f10_what_is_live_already_is_left_alone(site: LiveSite, case: FaultCase) -> None:
    before = site.history()
    case.assert_served(lambda: site.deploy(site.first), "is already live")
    assert site.history() == before
