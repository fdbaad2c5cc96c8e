"""J of the catalogue: what does not start, is given up in time, and is told with its cause."""

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
NARROW = 300  # more than an overlay network has addresses
ROLLED = "  endpoint_mode: dnsrr\n"


def availability(state: str) -> None:
    """Let the only node take work, or none."""
    (node,) = docker("node", "ls", "--format={{.Hostname}}").split()
    docker("node", "update", f"--availability={state}", node)


@contextmanager
def impatient(site: LiveSite) -> Iterator[None]:
    """Give a service ten seconds to start; whatever is paused meanwhile takes work again."""
    with site.with_config(f"start_timeout = {START_SECONDS}", "start_timeout = 10"):
        try:
            yield
        finally:
            availability("active")


def pause(_: object) -> None:
    availability("pause")


@pytest.mark.fault("J1", "a node that is paused")
def test_j1_a_job_on_a_paused_node_is_given_up(site: LiveSite, case: FaultCase) -> None:
    with impatient(site):
        commit = site.variants.release("LABEL paused=1")
        pause(None)
        said = case.assert_caught(lambda: site.deploy(commit), code=STOPPED, at=NONE_TAKES)
    assert "self-check failed" in said
    assert "docker node update --availability=active" in said


PAUSED = {
    "J2": ("a node that is paused before the migration", "dump"),
    "J3": ("a node that is paused before the preview", "assets"),
}


@pytest.mark.parametrize("step", fault_params(PAUSED))
def test_j2_what_comes_after_a_pause_is_given_up(
    site: LiveSite, case: FaultCase, step: str
) -> None:
    with impatient(site):
        commit = site.variants.release(migration_layer("9987_paused", COLUMN.format("paused")))
        act = partial(site.deploy_with_event, commit, step, pause)
        case.assert_caught(act, code=STOPPED, at=NONE_TAKES)


RESERVED = {
    "J4": ("a node without the memory that is reserved", 'memory: "900G"'),
    "J5": ("a node without the processors that are reserved", 'cpus: "900"'),
}


@pytest.mark.parametrize("reserved", fault_params(RESERVED))
def test_j4_a_preview_for_which_there_is_no_room_is_given_up(
    site: LiveSite, case: FaultCase, reserved: str
) -> None:
    room = f"{ROLLED}  resources: {{ reservations: {{ {reserved} }} }}\n"
    with impatient(site), site.with_config(ROLLED, room, STACK):
        commit = site.variants.release("LABEL reserved=1")
        at = "no node has the reserved memory or processors free"
        said = case.assert_caught(lambda: site.deploy(commit), code=STOPPED, at=at)
    assert "insufficient resources" in said
    assert "preview failed" in said


def of_platform(site: LiveSite, image: str) -> None:
    """Take off the registry what an index names, and leave the index."""
    for digest in platform_digests(image).values():
        site.forget(f"{image.partition('@')[0]}@{digest}")


def whole(site: LiveSite, image: str) -> None:
    """Take an index off the registry."""
    site.forget(image)


def silent(site: LiveSite, _: str) -> None:
    """Have no registry."""
    docker("stop", f"{site.yard.name}-registry")


LOSE = {
    "what an index names": (of_platform, "though its index names that"),
    "an index": (whole, "the registry has no"),
    "the registry": (silent, "the registry does not answer"),
}
GONE = {
    "J6": ("an index in the registry that names an image which is gone", "what an index names"),
    "J7": ("an image that is removed from the registry in the middle", "an index"),
    "J8": ("a registry that ends in the middle", "the registry"),
}


@pytest.mark.parametrize("what", fault_params(GONE))
def test_j6_an_image_that_does_not_come_is_looked_for(
    site: LiveSite, case: FaultCase, what: str
) -> None:
    act, sentence = LOSE[what]
    commit = site.variants.release(f"LABEL gone='{what}'")
    image = site.image(commit)
    site.forget_here(commit)
    lose = partial(site.deploy_with_event, commit, "foundation", lambda _: act(site, image))
    try:
        said = case.assert_caught(lose, code=STOPPED, at="No such image")
    finally:
        docker("start", f"{site.yard.name}-registry")
    assert sentence in said
    assert "hint: see its output above" not in said


@pytest.mark.fault("J9", "a network that has no address left")
def test_j9_a_job_that_gets_no_address_is_given_up(site: LiveSite, case: FaultCase) -> None:
    filler, network = site.service("filler"), f"{site.yard.stack('staging')}-app"
    fill = (
        "--detach",
        "--quiet",
        f"--name={filler}",
        f"--network={network}",
        "--endpoint-mode=dnsrr",
    )
    nowhere = (f"--replicas={NARROW}", "--constraint=node.labels.is==nowhere", "--no-resolve-image")
    commit = site.variants.release("LABEL narrow=1")
    with impatient(site):
        docker("service", "create", *fill, *nowhere, site.image(commit))
        try:
            states = ("service", "ps", "--format={{.CurrentState}}", filler)
            until(lambda: docker(*states).count("Pending") > NARROW / 2, "none has an address")
            at = f"no address is left in the network {network}"
            said = case.assert_caught(lambda: site.deploy(commit), code=STOPPED, at=at)
        finally:
            docker("service", "rm", filler)
    assert f"docker network inspect --verbose {network}" in said
    assert site.deploy(site.first).returncode == 0


@pytest.fixture
def other_key(site: LiveSite) -> Iterator[dict[str, str]]:
    """Have a release serve that has another key, and take the key away that is gone back to."""
    older = site.yard.variables["FIELD_ENCRYPTION_KEY"]
    newer = base64.urlsafe_b64encode(b"known to every reader of a test.").decode()
    told = {"FIELD_ENCRYPTION_KEY": f"{newer},{older}"}
    assert site.deploy(site.variants.release("LABEL key=2"), **told).returncode == 0
    stack = site.yard.stack("staging")
    docker("secret", "rm", secret_object_name(stack, "FIELD_ENCRYPTION_KEY", older))
    yield told
    assert site.deploy(site.first).returncode == 0


@pytest.mark.fault("J10", "a secret that was removed, of the release to go back to")
def test_j10_a_secret_that_is_gone_is_made_anew(
    site: LiveSite, case: FaultCase, other_key: dict[str, str]
) -> None:
    del other_key
    case.assert_served(site.rollback, "smoke done")


@pytest.mark.fault("J11", "a secret that was removed, and whose value is another one today")
def test_j11_a_secret_that_nobody_knows_is_named(
    site: LiveSite, case: FaultCase, other_key: dict[str, str]
) -> None:
    told = site.with_env(other_key)
    at = "reads secrets that were removed and whose values have changed"
    said = case.assert_caught(told.rollback, code=INPUT, at=at)
    assert "FIELD_ENCRYPTION_KEY (" in said
    assert f"invoke deploy --env=staging --release=sha-{site.first[:12]}" in said


@pytest.mark.fault("J12", "a node that is paused, and a release that has to go back")
def test_j12_a_way_back_that_does_not_start_is_told(site: LiveSite, case: FaultCase) -> None:
    with impatient(site):
        commit = site.variants.release("LABEL paused=3")

        def break_off(process: subprocess.Popen[str]) -> None:
            pause(None)
            process.send_signal(signal.SIGINT)

        def act() -> CommandResult:
            output = site.deploy_with_event(commit, "bake", break_off)
            availability("active")
            site.yard.invoke_ok("rollback", *ENV, f"--to=sha-{site.first[:12]}")
            return output

        said = case.assert_served(act, NONE_TAKES, codes={BROKEN_WAY_BACK})
    assert "_frontend waits: pending" in said
    assert "and the rollback failed" in said
    assert "docker node update --availability=active" in said


@pytest.mark.fault("J13", "a job that is removed by hand")
def test_j13_a_job_that_is_removed_is_not_waited_for(site: LiveSite, case: FaultCase) -> None:
    """In the step that is long: the new replicas of it are not there yet."""
    pauses = 'migrations.RunSQL("SELECT pg_sleep(30)", "SELECT 1")'
    commit = site.variants.release(migration_layer("9986_removed", pauses))
    job = f"{site.yard.stack('staging')}-migrate"

    def remove(_: object) -> None:
        until(lambda: docker("service", "ls", "--quiet", f"--filter=name={job}"), "no job")
        docker("service", "rm", job)

    act = partial(site.deploy_with_event, commit, "migrate", remove)
    case.assert_caught(act, code=7, at="was removed by hand")


@pytest.mark.fault("J14", "Ctrl-C while a job waits for a node that is paused")
def test_j14_a_job_that_waits_can_be_ended(site: LiveSite, case: FaultCase) -> None:
    commit = site.variants.release("LABEL paused=4")
    pause(None)
    try:
        act = partial(
            site.deploy_with_event, commit, "self-check", send_signal_after(signal.SIGINT, after=5)
        )
        said = case.assert_caught(act, code=130, at="the running release was not changed")
    finally:
        availability("active")
    assert "interrupted" in said
