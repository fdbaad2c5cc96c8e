"""J of the catalogue: jobs and replicas that do not start are reported with their cause."""

import base64
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import pytest

from pipeline.deploy.environment_secrets import secret_object_name
from pipeline.images.registry import platform_digests
from pipeline.process import CommandResult
from pipeline.rehearsal.workspace import START_SECONDS
from tests.acceptance.deploy.fault_report import FaultCase, fault_params
from tests.acceptance.deploy.live_site import ENV, LiveSite, send_signal_after
from tests.acceptance.deploy.release_variants import docker, migration_layer
from tests.acceptance.deploy.test_bad_releases import BROKEN_WAY_BACK, STACK, STOPPED
from tests.acceptance.deploy.test_migrations import COLUMN
from tests.acceptance.deploy.test_preflight import INPUT
from tests.waiting import until

NONE_TAKES = "no node takes new tasks; paused, drained or down"
NARROW = 300  # more replicas than an overlay network has addresses
ROLLED = "  endpoint_mode: dnsrr\n"


def availability(state: str) -> None:
    """Set the availability of the only node."""
    (node,) = docker("node", "ls", "--format={{.Hostname}}").split()
    docker("node", "update", f"--availability={state}", node)


@contextmanager
def short_timeout(site: LiveSite) -> Iterator[None]:
    """Set a start timeout of ten seconds inside the block; activate the node afterwards."""
    with site.with_config(f"start_timeout = {START_SECONDS}", "start_timeout = 10"):
        try:
            yield
        finally:
            availability("active")


def pause(_: object) -> None:
    availability("pause")


@pytest.mark.fault("J1", "a paused node")
def test_j1_paused_node_stops(site: LiveSite, case: FaultCase) -> None:
    with short_timeout(site):
        commit = site.variants.release("LABEL paused=1")
        pause(None)
        stderr = case.assert_caught(lambda: site.deploy(commit), code=STOPPED, at=NONE_TAKES)
    assert "self-check failed" in stderr
    assert "docker node update --availability=active" in stderr


PAUSED = {
    "J2": ("a node paused before the migration", "dump"),
    "J3": ("a node paused before the preview", "assets"),
}


@pytest.mark.parametrize("step", fault_params(PAUSED))
def test_j2_node_paused_later_stops(site: LiveSite, case: FaultCase, step: str) -> None:
    with short_timeout(site):
        commit = site.variants.release(migration_layer("9987_paused", COLUMN.format("paused")))
        act = partial(site.deploy_with_event, commit, step, pause)
        case.assert_caught(act, code=STOPPED, at=NONE_TAKES)


RESERVED = {
    "J4": ("a node without the reserved memory", 'memory: "900G"'),
    "J5": ("a node without the reserved processors", 'cpus: "900"'),
}


@pytest.mark.parametrize("reserved", fault_params(RESERVED))
def test_j4_missing_resources_stop(site: LiveSite, case: FaultCase, reserved: str) -> None:
    room = f"{ROLLED}  resources: {{ reservations: {{ {reserved} }} }}\n"
    with short_timeout(site), site.with_config(ROLLED, room, STACK):
        commit = site.variants.release("LABEL reserved=1")
        at = "no node has the reserved memory or processors free"
        stderr = case.assert_caught(lambda: site.deploy(commit), code=STOPPED, at=at)
    assert "insufficient resources" in stderr
    assert "preview failed" in stderr


def of_platform(site: LiveSite, image: str) -> None:
    """Delete the manifests of an index from the registry, and keep the index."""
    for digest in platform_digests(image).values():
        site.delete_manifest(f"{image.partition('@')[0]}@{digest}")


def whole(site: LiveSite, image: str) -> None:
    """Delete an index from the registry."""
    site.delete_manifest(image)


def silent(site: LiveSite, _: str) -> None:
    """Stop the registry."""
    docker("stop", f"{site.sandbox.name}-registry")


LOSE = {
    "what an index names": (of_platform, "although its index lists it"),
    "an index": (whole, "the registry has no"),
    "the registry": (silent, "the registry does not answer"),
}
GONE = {
    "J6": ("a registry index that names a deleted image", "what an index names"),
    "J7": ("an image deleted from the registry during the deploy", "an index"),
    "J8": ("a registry that stops during the deploy", "the registry"),
}


@pytest.mark.parametrize("what", fault_params(GONE))
def test_j6_missing_image_stops(site: LiveSite, case: FaultCase, what: str) -> None:
    act, sentence = LOSE[what]
    commit = site.variants.release(f"LABEL gone='{what}'")
    image = site.image(commit)
    site.delete_local_image(commit)
    lose = partial(site.deploy_with_event, commit, "foundation", lambda _: act(site, image))
    try:
        stderr = case.assert_caught(lose, code=STOPPED, at="No such image")
    finally:
        docker("start", f"{site.sandbox.name}-registry")
    assert sentence in stderr
    assert "hint: see its output above" not in stderr


@pytest.mark.fault("J9", "a network without a free address")
def test_j9_full_network_stops(site: LiveSite, case: FaultCase) -> None:
    filler, network = site.service("filler"), f"{site.sandbox.stack('staging')}-app"
    fill = (
        "--detach",
        "--quiet",
        f"--name={filler}",
        f"--network={network}",
        "--endpoint-mode=dnsrr",
    )
    no_node = (f"--replicas={NARROW}", "--constraint=node.labels.is==missing", "--no-resolve-image")
    commit = site.variants.release("LABEL narrow=1")
    with short_timeout(site):
        docker("service", "create", *fill, *no_node, site.image(commit))
        try:
            states = ("service", "ps", "--format={{.CurrentState}}", filler)
            until(lambda: docker(*states).count("Pending") > NARROW / 2, "none has an address")
            at = f"no address is left in the network {network}"
            stderr = case.assert_caught(lambda: site.deploy(commit), code=STOPPED, at=at)
        finally:
            docker("service", "rm", filler)
    assert f"docker network inspect --verbose {network}" in stderr
    assert site.deploy(site.first).returncode == 0


@pytest.fixture
def other_key(site: LiveSite) -> Iterator[dict[str, str]]:
    """Deploy with another key, and remove the secret of the release before."""
    older = site.sandbox.variables["FIELD_ENCRYPTION_KEY"]
    newer = base64.urlsafe_b64encode(b"known to every reader of a test.").decode()
    keys = {"FIELD_ENCRYPTION_KEY": f"{newer},{older}"}
    assert site.deploy(site.variants.release("LABEL key=2"), **keys).returncode == 0
    stack = site.sandbox.stack("staging")
    docker("secret", "rm", secret_object_name(stack, "FIELD_ENCRYPTION_KEY", older))
    yield keys
    assert site.deploy(site.first).returncode == 0


@pytest.mark.fault("J10", "a removed secret of the release to roll back to")
def test_j10_removed_secret_is_created_again(
    site: LiveSite, case: FaultCase, other_key: dict[str, str]
) -> None:
    del other_key
    case.assert_served(site.rollback, "smoke done")


@pytest.mark.fault("J11", "a removed secret whose value has changed")
def test_j11_changed_removed_secret_is_named(
    site: LiveSite, case: FaultCase, other_key: dict[str, str]
) -> None:
    rotated = site.with_env(other_key)
    at = "reads secrets that were removed and whose values have changed"
    stderr = case.assert_caught(rotated.rollback, code=INPUT, at=at)
    assert "FIELD_ENCRYPTION_KEY (" in stderr
    assert f"invoke deploy --env=staging --release=sha-{site.first[:12]}" in stderr


@pytest.mark.fault("J12", "a paused node during a rollback")
def test_j12_rollback_on_paused_node_fails(site: LiveSite, case: FaultCase) -> None:
    with short_timeout(site):
        commit = site.variants.release("LABEL paused=3")

        def break_off(process: subprocess.Popen[str]) -> None:
            pause(None)
            process.send_signal(signal.SIGINT)

        def act() -> CommandResult:
            output = site.deploy_with_event(commit, "bake", break_off)
            availability("active")
            site.sandbox.invoke_ok("rollback", *ENV, f"--to=sha-{site.first[:12]}")
            return output

        stderr = case.assert_served(act, NONE_TAKES, codes={BROKEN_WAY_BACK})
    assert "_frontend waits: pending" in stderr
    assert "and the rollback failed" in stderr
    assert "docker node update --availability=active" in stderr


@pytest.mark.fault("J13", "a job that is removed by hand")
def test_j13_removed_job_stops(site: LiveSite, case: FaultCase) -> None:
    """The job is removed in its longest step, while the migration runs."""
    pauses = 'migrations.RunSQL("SELECT pg_sleep(30)", "SELECT 1")'
    commit = site.variants.release(migration_layer("9986_removed", pauses))
    job = f"{site.sandbox.stack('staging')}-migrate"

    def remove(_: object) -> None:
        until(lambda: docker("service", "ls", "--quiet", f"--filter=name={job}"), "no job")
        docker("service", "rm", job)

    act = partial(site.deploy_with_event, commit, "migrate", remove)
    case.assert_caught(act, code=7, at="was removed by hand")


@pytest.mark.fault("J14", "Ctrl-C while a job waits for a paused node")
def test_j14_waiting_job_is_interrupted(site: LiveSite, case: FaultCase) -> None:
    commit = site.variants.release("LABEL paused=4")
    pause(None)
    try:
        act = partial(
            site.deploy_with_event, commit, "self-check", send_signal_after(signal.SIGINT, after=5)
        )
        stderr = case.assert_caught(act, code=130, at="the running release was not changed")
    finally:
        availability("active")
    assert "interrupted" in stderr
