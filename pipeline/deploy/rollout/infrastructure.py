"""The network, the edge, PostgreSQL and Redis of an environment.

They are not part of a release. A deployment creates missing ones, and never changes running ones.
"""

from collections.abc import Mapping

from pipeline.config import load
from pipeline.deploy.cluster.client import SwarmClient
from pipeline.deploy.cluster.convergence import is_running, wait_until_running
from pipeline.deploy.cluster.deploy_target import DeployTarget
from pipeline.deploy.cluster.stackfile import DATA_FILE, Service, services_of_file, stack_file
from pipeline.deploy.environment_secrets import secret_object_name
from pipeline.deploy.rollout.edge import ensure_secrets, prepare_edge, secret_mount
from pipeline.errors import InputError

_POSTGRES_SECRETS = ("POSTGRES_PASSWORD",)


def ensure_infrastructure(target: DeployTarget, images: Mapping[str, str]) -> None:
    """Create the network, the edge and, with `managed_data`, PostgreSQL and Redis.

    Args:
        target: The environment.
        images: The images of a release, by digest.

    Raises:
        InputError: The certificate of a new edge is not valid.
        CheckFailedError: The engine rejects a service, or it does not start.
    """
    stack = target.stack
    target.swarm.ensure_network(f"{stack}-app")
    new = {}
    if not is_running(target.swarm, f"{stack}_edge"):
        new["edge"] = prepare_edge(target, images[load().app.edge])
    if target.environment.managed_data:
        new |= {
            name: service
            for name, service in _data_services(
                stack, images, target.secrets, _data_node_id(target.swarm, stack)
            ).items()
            if not is_running(target.swarm, f"{stack}_{name}")
        }
    if not new:
        return
    if "postgres" in new:
        ensure_secrets(
            target.swarm, stack, {name: target.secrets[name] for name in _POSTGRES_SECRETS}
        )
    target.swarm.deploy(stack, stack_file(stack, new))
    for name in new:
        wait_until_running(
            target.swarm, f"{stack}_{name}", target.environment.timings.start_timeout
        )


def bring_app_secrets(target: DeployTarget, services: Mapping[str, Service]) -> None:
    """Create the missing secrets of services in the engine.

    The name of a secret contains a hash of its value, so only an unchanged value can be created
    again.

    Raises:
        InputError: A secret is missing, and its value has changed.
    """
    used = {each["source"]: each["target"] for it in services.values() for each in it["secrets"]}
    current = {
        secret_object_name(target.stack, name, value): value
        for name, value in target.secrets.items()
    }
    known = {source: current[source] for source in used if source in current}
    target.swarm.ensure_secrets(known, f"pipeline.stack={target.stack}")
    there = target.swarm.secrets()
    if lost := [f"{name} ({source})" for source, name in used.items() if source not in there]:
        environment = target.environment.name
        version = services[load().app.api]["environment"]["RELEASE"]
        raise InputError(
            f"{version} reads secrets that were removed and whose values have changed: "
            f"{', '.join(sorted(lost))}",
            hint=f"invoke deploy --env={environment} --release={version} uses current ones",
        )


def _data_services(
    stack: str, images: Mapping[str, str], values: Mapping[str, str], node: str
) -> dict[str, Service]:
    """Return the services PostgreSQL and Redis, pinned to one node.

    Raises:
        InputError: The environment does not list the password.
    """
    secrets = {"postgres": _POSTGRES_SECRETS}
    return {
        name: {
            **_pin_to_node(service, node),
            "image": str(images[name]),
            "secrets": [secret_mount(stack, each, values, "999") for each in secrets.get(name, ())],
        }
        for name, service in services_of_file(DATA_FILE).items()
    }


def _data_node_id(swarm: SwarmClient, stack: str) -> str:
    """Return the id of the node with the data: the last node of PostgreSQL, or this manager.

    On any other node PostgreSQL would start with an empty volume.
    """
    tasks = [task for task in swarm.tasks(f"{stack}_postgres") if task.get("NodeID")]
    last = max(tasks, key=lambda task: str(task["CreatedAt"]), default=None)
    return str(last["NodeID"]) if last else swarm.node_id()


def _pin_to_node(service: Service, node: str) -> Service:
    deploy = service["deploy"]
    placement = {**deploy["placement"], "constraints": [f"node.id == {node}"]}
    return {**service, "deploy": {**deploy, "placement": placement}}
