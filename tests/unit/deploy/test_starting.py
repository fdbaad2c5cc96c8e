"""What does not run is given up in time, with its state, node, error, cause and a command."""

import json
import re
from collections.abc import Callable
from itertools import count

import pytest

from pipeline.deploy.cluster import failure_causes, start_failures
from pipeline.deploy.cluster.client import SwarmClient
from pipeline.deploy.cluster.convergence import (
    ExpectedState,
    NotConvergedError,
    wait_for_convergence,
    wait_until_running,
)
from pipeline.deploy.cluster.deploy_target import DeployTarget
from pipeline.deploy.cluster.one_shot_jobs import Job, JobFailedError, JobNotStartedError, run_job
from pipeline.deploy.commands.doctor import check_infrastructure
from pipeline.deploy.commands.status import find_outages
from pipeline.deploy.target import outdated_components
from pipeline.errors import CheckFailedError, PipelineError
from pipeline.images import registry
from pipeline.process import CommandResult
from tests.clock import Clock
from tests.unit.deploy.factories import DIGEST, IMAGES, INSTANT_TIMINGS, make_environment
from tests.unit.deploy.fake_swarm import FakeSwarm

STAGING = make_environment(timings=INSTANT_TIMINGS)
IMAGE = IMAGES["backend"]
JOB = Job("shop-check", IMAGE, ["python", "manage.py", "self_check"], {})
MINUTES = 600
MISSING_PATH = "no suitable node ({})"
PAUSED = MISSING_PATH.format("1 node not available for new tasks")


def node(engine: FakeSwarm, state: str = "Ready Active", machine: str = "x86_64") -> None:
    """Have the only node called anna."""
    engine.facts["node"] = f"anna {state}"
    platform = {"OS": "linux", "Architecture": machine}
    engine.objects("node")["node-1"] = {"Description": {"Hostname": "anna", "Platform": platform}}


def with_each_sleep(
    clock: Clock, monkeypatch: pytest.MonkeyPatch, act: Callable[[], object]
) -> None:
    """Do something after each sleep of what waits."""
    sleep = clock.sleep

    def sleep_and_act(seconds: float) -> None:
        sleep(seconds)
        act()

    monkeypatch.setattr(clock, "sleep", sleep_and_act)


def fault(engine: FakeSwarm, *, everywhere: bool = False) -> JobFailedError:
    """Return what a job comes to."""
    with pytest.raises(JobFailedError) as caught:
        run_job(DeployTarget(STAGING, engine), JOB, MINUTES, everywhere=everywhere)
    assert engine.objects("service") == {}, "nothing is left of it"
    return caught.value


KEPT_BACK = {
    "paused": (
        "pending",
        PAUSED,
        "Ready Pause",
        "no node takes new tasks; paused, drained or down: anna Ready Pause",
        "docker node update --availability=active anna",
    ),
    "drained": (
        "pending",
        PAUSED,
        "Ready Drain",
        "paused, drained or down: anna Ready Drain",
        "docker node update --availability=active anna",
    ),
    "down": (
        "pending",
        PAUSED,
        "Down Active",
        "paused, drained or down: anna Down Active",
        "restart the engine of anna",
    ),
    "memory": (
        "pending",
        MISSING_PATH.format("insufficient resources on 1 node"),
        "Ready Active",
        "no node has the reserved memory or processors free",
        "docker node inspect --pretty anna",
    ),
    "constraint": (
        "pending",
        MISSING_PATH.format("scheduling constraints not satisfied on 1 node"),
        "Ready Active",
        "no node fits its `constraints`",
        "docker node ls",
    ),
    "port": (
        "pending",
        MISSING_PATH.format("host-mode port already in use on 1 node"),
        "Ready Active",
        "another service uses its port on every node",
        "docker service ls",
    ),
    "platform": (
        "pending",
        MISSING_PATH.format("unsupported platform on 1 node"),
        "Ready Active",
        "not built for the platform of the node",
        f"imagetools inspect {IMAGE}",
    ),
    "driver": (
        "pending",
        MISSING_PATH.format("missing plugin on 1 node"),
        "Ready Active",
        "lacks a driver",
        "docker plugin ls",
    ),
    "crowd": (
        "pending",
        MISSING_PATH.format("max replicas per node limit exceed"),
        "Ready Active",
        "`max_replicas_per_node`",
        "docker node ls",
    ),
    "address": (
        "new",
        "",
        "Ready Active",
        "no address is left in the network shop-app",
        "docker network inspect --verbose shop-app",
    ),
    "waits": ("pending", "", "Ready Active", "no node started it", "docker node ls"),
    "silent": ("assigned", "", "Down Active", "no node started it", "docker node ls"),
}


@pytest.mark.parametrize("case", KEPT_BACK)
def test_a_job_that_no_node_begins_with_is_given_up_with_its_cause(
    engine: FakeSwarm, clock: Clock, case: str
) -> None:
    state, error, nodes, sentence, hint = KEPT_BACK[case]
    node(engine, nodes)
    engine.ends[IMAGE], engine.errors[IMAGE] = state, error
    found = fault(engine)
    assert isinstance(found, JobNotStartedError)
    assert f"shop-check has not started after 6 s: {state} on anna" in str(found)
    assert error in str(found)
    assert sentence in str(found)
    assert hint in found.hint
    assert "database" not in found.hint
    assert clock.monotonic() < STAGING.timings.start_timeout + 2


@pytest.mark.parametrize("state", ["Ready Pause", "Ready Drain", "Down Active"])
def test_a_job_on_every_node_has_no_task_where_none_takes_any(
    engine: FakeSwarm, clock: Clock, state: str
) -> None:
    node(engine, state)
    found = fault(engine, everywhere=True)
    assert (
        f"no node has a task of it: no node takes new tasks; paused, drained or down: anna {state}"
        in str(found)
    )
    assert "anna" in found.hint
    assert clock.monotonic() < STAGING.timings.start_timeout + 2


def test_a_node_that_fetches_an_image_is_given_the_whole_time_and_that_is_said(
    engine: FakeSwarm, clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    node(engine)
    engine.ends[IMAGE] = "preparing"
    found = fault(engine)
    assert not isinstance(found, JobNotStartedError)
    assert clock.monotonic() > MINUTES
    assert f"took more than {MINUTES} s: preparing on anna (its node pulls the image" in str(found)
    assert f"docker pull {IMAGE}" in found.hint
    output = capsys.readouterr().err
    assert "shop-check has not started after 6 s: preparing on anna (its node pulls" in output
    assert output.count("has not started after") > MINUTES / 20, "every ten seconds"


def test_a_job_that_runs_for_too_long_says_that_it_runs(engine: FakeSwarm) -> None:
    node(engine)
    engine.ends[IMAGE] = "running"
    assert f"took more than {MINUTES} s: running on anna" in str(fault(engine))


def test_a_job_that_begins_late_is_not_given_up(
    engine: FakeSwarm, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    node(engine)
    engine.ends[IMAGE] = "pending"

    def begin() -> None:
        if clock.monotonic() > 4:
            engine.tasks_of(JOB.name)[0]["Status"]["State"] = "complete"

    with_each_sleep(clock, monkeypatch, begin)
    run_job(DeployTarget(STAGING, engine), JOB, MINUTES)


class Registry:
    """The manifests of a registry, by reference; others are not found."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.has: dict[str, str] = {}
        self.silent = False
        monkeypatch.setattr(registry, "capture", self.read)
        monkeypatch.setattr(registry, "manifest_digest", lambda _: DIGEST)

    def read(self, command: tuple[str, ...], **_: object) -> CommandResult:
        if self.silent:
            return CommandResult(command, 124, "", "no answer within 60 s")
        text = self.has.get(command[-1])
        return CommandResult(
            command, int(text is None), text or "", f"ERROR: {command[-1]}: not found"
        )

    def index(self, *platforms: str, whole: bool = True) -> None:
        """Have an index for these platforms, and what it names."""
        entries = []
        for number, platform in zip(count(2), platforms, strict=False):
            system, _, machine = platform.partition("/")
            digest = DIGEST.replace("1", str(number))
            entries.append({"platform": {"os": system, "architecture": machine}, "digest": digest})
            if whole:
                self.has[f"{IMAGE.partition('@')[0]}@{digest}"] = "{}"
        self.has[IMAGE] = json.dumps({"manifests": entries})


@pytest.fixture
def fake_registry(monkeypatch: pytest.MonkeyPatch) -> Registry:
    return Registry(monkeypatch)


def gone(registry: Registry) -> None:
    registry.has.clear()


def without_its_image(registry: Registry) -> None:
    registry.index("linux/amd64", whole=False)


def for_others(registry: Registry) -> None:
    registry.index("linux/arm64")


def away(registry: Registry) -> None:
    registry.silent = True


def well(registry: Registry) -> None:
    registry.index("linux/arm64", "linux/amd64")


ABSENT = {
    "gone": (gone, f"the registry has no {IMAGE}", "invoke build push, in its commit"),
    "index alone": (
        without_its_image,
        f"the registry has no {IMAGE.replace('1', '2')}, although its index lists it",
        "invoke build push, in its commit",
    ),
    "platform": (
        for_others,
        "it is built for linux/arm64, and anna is linux/amd64",
        "`platforms` in pipeline.toml",
    ),
    "registry away": (
        away,
        f"the registry does not answer for {IMAGE}: no answer within 60 s",
        "docker login",
    ),
    "node": (
        well,
        "the registry has it; anna has a full disk, or cannot reach the registry",
        f"on anna: docker pull {IMAGE}",
    ),
}


@pytest.mark.parametrize(("has", "sentence", "hint"), ABSENT.values(), ids=ABSENT)
def test_an_image_that_a_node_has_not_is_looked_for_where_it_should_be(
    engine: FakeSwarm,
    fake_registry: Registry,
    has: Callable[[Registry], None],
    sentence: str,
    hint: str,
) -> None:
    node(engine)
    has(fake_registry)
    engine.ends[IMAGE], engine.errors[IMAGE] = "rejected", f"No such image: {IMAGE}"
    found = fault(engine)
    assert f"shop-check: No such image: {IMAGE} ({sentence}" in str(found)
    assert hint in found.hint


ENDED = {
    "secret": (
        "rejected",
        "secret reference x1 not found",
        "a secret of the service was removed",
        "docker secret ls",
    ),
    "config": ("rejected", "config reference x1 not found", "a config of", "invoke renew-edge"),
    "network": (
        "rejected",
        "network shop-app not found",
        "a network of the service",
        "docker network ls",
    ),
    "bridge": (
        "failed",
        "no available IPv4 addresses on this network's address pools: docker_gwbridge",
        "no address is left",
        "docker network inspect",
    ),
    "disk": (
        "failed",
        "write /var/lib/docker: no space left on device",
        "the disk of the node is full",
        "on anna: docker system df",
    ),
    "memory": ("failed", "task: non-zero exit (137)", "exceeding its memory", "on anna: dmesg"),
    "sick": (
        "failed",
        "task: non-zero exit (137): dockerexec: unhealthy container",
        "health check",
        "HEALTHCHECK",
    ),
    "program": (
        "failed",
        'starting container failed: exec: "python": executable file not found in $PATH',
        "lacks the program",
        f"--entrypoint=sh {IMAGE}",
    ),
    "machine": (
        "failed",
        "exec /usr/bin/python: exec format error",
        "not built for the platform",
        "imagetools",
    ),
    "port": (
        "failed",
        "driver failed: Bind for 0.0.0.0:443 failed: port is already allocated",
        "another program on the node uses its port",
        "on anna: ss -ltnp",
    ),
    "mount": (
        "rejected",
        'invalid mount config for type "bind": bind source path does not exist: /x',
        "lacks a volume or path",
        "docker volume ls",
    ),
}


@pytest.mark.parametrize(("state", "error", "sentence", "hint"), ENDED.values(), ids=ENDED)
def test_a_replica_that_ends_is_given_the_cause_and_the_command(
    engine: FakeSwarm, state: str, error: str, sentence: str, hint: str
) -> None:
    node(engine)
    engine.ends[IMAGE], engine.errors[IMAGE] = state, error
    engine.start_service("shop_backend", IMAGE, ["DEPLOY_ID=deploy-1"], 1, "running")
    with pytest.raises(NotConvergedError) as caught:
        wait_for_convergence(engine, ExpectedState("shop_backend", IMAGE, "deploy-1", 1), MINUTES)
    assert f"a replica {state}: {error} (" in str(caught.value)
    assert sentence in str(caught.value)
    assert hint in caught.value.hint


@pytest.mark.parametrize("case", ["memory", "paused", "address", "port"])
def test_a_replica_that_does_not_start_is_given_the_cause_and_the_command(
    engine: FakeSwarm, case: str
) -> None:
    """As in the preview, and on the way back."""
    state, error, nodes, sentence, hint = KEPT_BACK[case]
    node(engine, nodes)
    engine.ends[IMAGE], engine.errors[IMAGE] = state, error
    engine.start_service("shop_backend-next", IMAGE, ["DEPLOY_ID=deploy-1"], 1, "running")
    waits: Callable[[], None]
    for waits in (
        lambda: wait_for_convergence(
            engine, ExpectedState("shop_backend-next", IMAGE, "deploy-1", 1), 5
        ),
        lambda: wait_until_running(engine, "shop_backend-next", 5),
    ):
        with pytest.raises(CheckFailedError, match=f"within 5 s: {state} on anna") as caught:
            waits()
        assert sentence in str(caught.value)
        assert hint in caught.value.hint


def test_the_cause_is_said_before_the_time_is_over(
    engine: FakeSwarm, capsys: pytest.CaptureFixture[str]
) -> None:
    """Once: the operator may let the node take tasks again while the deploy waits."""
    state, error, nodes, sentence, hint = KEPT_BACK["paused"]
    node(engine, nodes)
    engine.ends[IMAGE], engine.errors[IMAGE] = state, error
    engine.start_service("shop_backend", IMAGE, ["DEPLOY_ID=deploy-1"], 1, "running")
    with pytest.raises(CheckFailedError):
        wait_for_convergence(engine, ExpectedState("shop_backend", IMAGE, "deploy-1", 1), MINUTES)
    output = capsys.readouterr().err
    assert output.count("shop_backend waits: pending on anna") == 1
    assert sentence in output
    assert hint in output


REFUSALS = {
    "secret not found: shop-database_url-01234567": (
        "a secret of the service was removed",
        "docker secret ls",
    ),
    "config not found: shop-edge-1": ("a config of the service", "docker config ls"),
    "network shop-app not found": ("a network of the service", "docker network ls"),
    "rpc error: code = Unknown desc = update out of sequence": (
        "another client changed",
        "invoke status",
    ),
    "permission denied while trying to connect to the Docker daemon socket": (
        "has no access to the engine",
        "usermod",
    ),
    "write /var/lib/docker/x: no space left on device": (
        "the disk of the node is full",
        "docker system df",
    ),
    "what no table knows": ("what no table knows", "docker service ls; docker node ls"),
}


@pytest.mark.parametrize("output", REFUSALS)
def test_what_the_engine_refuses_is_given_the_cause_and_the_command(
    engine: FakeSwarm, monkeypatch: pytest.MonkeyPatch, output: str
) -> None:
    sentence, hint = REFUSALS[output]
    monkeypatch.setattr(
        SwarmClient,
        "run",
        lambda *requested, **_: CommandResult(requested, 1, "", f"Error: {output}"),
    )
    with pytest.raises(PipelineError, match=f"failed: Error: {output}") as caught:
        SwarmClient().check_output("stack", "deploy")
    assert sentence in str(caught.value)
    assert hint in caught.value.hint
    del engine


def test_an_engine_that_does_not_answer_hides_no_cause(
    engine: FakeSwarm, monkeypatch: pytest.MonkeyPatch
) -> None:
    del engine
    monkeypatch.setattr(
        SwarmClient, "run", lambda *requested, **_: CommandResult(requested, 1, "", "no way there")
    )
    waits = {"NodeID": "node-1", "Status": {"State": "pending", "Err": PAUSED}}
    found = start_failures.start_failure(SwarmClient(), "shop", IMAGE, [waits])
    assert found.sentence.startswith(f"pending on node-1: {PAUSED} (no node takes new tasks")


def test_every_cause_of_the_table_has_a_command() -> None:
    for _, sentence, hint in failure_causes.CAUSES:
        assert sentence[0].islower()
        assert any(
            word in hint for word in ("docker", "invoke", "ss ", "dmesg", "{activate}", "sudo")
        ), hint


HINTS = {
    "Cannot connect to the Docker daemon at unix:///var/run/docker.sock": "systemctl start docker",
    "rpc error: code = Unknown desc = The swarm does not have a leader": "start the engines of the",
    "rpc error: code = Unavailable desc = closing": "start the engines of the missing",
    "configured logging driver does not support reading": "'{{.LoggingDriver}}'",
    "permission denied while trying to connect to the Docker daemon socket": "usermod",
}


@pytest.mark.parametrize("output", HINTS)
def test_what_an_engine_says_instead_of_an_answer_leads_to_what_mends_it(
    monkeypatch: pytest.MonkeyPatch, output: str
) -> None:
    monkeypatch.setattr(
        SwarmClient,
        "run",
        lambda *requested, **_: CommandResult(requested, 1, "", f"Error: {output}"),
    )
    for ask in (
        SwarmClient().require_manager,
        lambda: SwarmClient().tasks("shop_edge"),
        lambda: outdated_components(SwarmClient()),
    ):
        with pytest.raises(PipelineError, match=re.escape(output)) as caught:
            ask()
        assert HINTS[output] in caught.value.hint
        assert "swarm init" not in caught.value.hint


def test_a_service_that_is_gone_is_not_looked_for(engine: FakeSwarm) -> None:
    with pytest.raises(NotConvergedError, match="the service was removed") as caught:
        wait_for_convergence(engine, ExpectedState("shop_backend", IMAGE, "deploy-1", 1), 5)
    assert "docker events" in caught.value.hint
    assert "service ps" not in caught.value.hint


def test_what_lacks_replicas_says_why(engine: FakeSwarm) -> None:
    state, error, nodes, sentence, hint = KEPT_BACK["memory"]
    node(engine, nodes)
    engine.ends["shop_edge"], engine.errors[IMAGE] = state, error
    engine.start_service("shop_edge", IMAGE, [], 1, "running")
    with pytest.raises(
        CheckFailedError, match="edge has 0 of 1 replicas: pending on anna"
    ) as caught:
        check_infrastructure(DeployTarget(STAGING, engine))
    assert sentence in str(caught.value)
    assert hint in caught.value.hint
    (line,) = [line for line in find_outages(DeployTarget(STAGING, engine)) if "edge" in line]
    assert sentence in line


def test_a_job_that_was_removed_by_hand_is_not_waited_for(
    engine: FakeSwarm, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    node(engine)
    engine.ends[IMAGE] = "running"

    with_each_sleep(clock, monkeypatch, lambda: engine.remove_services(JOB.name))
    found = fault(engine)
    assert str(found).startswith("shop-check was removed by hand")
    assert "docker events" in found.hint
    assert clock.monotonic() < 2


def test_a_node_that_is_passed_over_by_a_job_on_every_node_is_named(
    engine: FakeSwarm, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its edge is neither closed nor given the files of a page, and there is no other message."""
    engine.facts["node"] = "anna Ready Active\nbea Ready Pause"
    run_job(DeployTarget(STAGING, engine), JOB, MINUTES, everywhere=True)
    output = capsys.readouterr().err
    assert "shop-check skipped unavailable nodes: bea Ready Pause" in output


def test_a_job_that_is_begun_anew_on_another_node_is_given_the_time_again(
    engine: FakeSwarm, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    node(engine)
    engine.ends[IMAGE] = "running"

    def begin_anew() -> None:
        if clock.monotonic() > 60:
            (started,) = engine.tasks_of(JOB.name)
            started["Status"]["State"] = "pending" if clock.monotonic() < 63 else "complete"

    with_each_sleep(clock, monkeypatch, begin_anew)
    run_job(DeployTarget(STAGING, engine), JOB, MINUTES)
