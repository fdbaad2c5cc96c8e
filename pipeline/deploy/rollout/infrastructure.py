"""What an environment stands on, and what changes rarely: its network, its edge, its data.

None of it is part of a release. What is there already is left as it is, until it is asked for.
"""

from collections.abc import Mapping

from pipeline.deploy.cluster.client import SwarmClient
from pipeline.deploy.cluster.convergence import is_running, wait_until_running
from pipeline.deploy.cluster.stackfile import Service, services_of_file, stack_file
from pipeline.deploy.environment_secrets import secret_object_name
from pipeline.deploy.rollout.edge import DEPLOY_DIR, ensure_secrets, prepare_edge, secret_mount
from pipeline.environments import Environment
from pipeline.errors import InputError

POSTGRES_SECRETS = ("POSTGRES_PASSWORD",)


def ensure_infrastructure(
    swarm: SwarmClient,
    environment: Environment,
    images: Mapping[str, str],
    credentials: Mapping[str, str],
) -> None:
    """Have the network, the edge and, where it brings none of its own, the data of an environment.

    Args:
        swarm: Where.
        environment: Which.
        images: The images of a release, by digest.
        credentials: The values of the environment's secrets.

    Raises:
        InputError: An edge is to come, and no browser would take its certificate.
        CheckFailedError: The engine does not take it, or it does not come up.
    """
    stack = environment.stack
    swarm.ensure_network(f"{stack}-app")
    new = {}
    if not is_running(swarm, f"{stack}_edge"):
        new["edge"] = prepare_edge(swarm, environment, images["frontend"], credentials)
    if environment.managed_data:
        new |= {
            name: service
            for name, service in data_services(
                stack, images, credentials, data_node_id(swarm, stack)
            ).items()
            if not is_running(swarm, f"{stack}_{name}")
        }
    if not new:
        return
    if "postgres" in new:
        ensure_secrets(swarm, stack, {name: credentials[name] for name in POSTGRES_SECRETS})
    swarm.deploy(stack, stack_file(stack, new))
    for name in new:
        wait_until_running(swarm, f"{stack}_{name}", environment.timings.start_timeout)


def bring_app_secrets(
    swarm: SwarmClient,
    environment: Environment,
    services: Mapping[str, Service],
    values: Mapping[str, str],
) -> None:
    """Have the secrets in the engine that services read; one that was removed is made anew.

    Raises:
        InputError: One is not there, and its value of that time is not known any more.
    """
    used = {each["source"]: each["target"] for it in services.values() for each in it["secrets"]}
    today = {
        secret_object_name(environment.stack, name, value): value for name, value in values.items()
    }
    known = {source: today[source] for source in used if source in today}
    swarm.ensure_secrets(known, f"pipeline.stack={environment.stack}")
    there = swarm.secrets()
    if lost := [f"{target} ({source})" for source, target in used.items() if source not in there]:
        version = services["backend"]["environment"]["RELEASE"]
        raise InputError(
            f"{version} reads secrets that were removed, and have other values today: "
            f"{', '.join(sorted(lost))}",
            hint=f"invoke deploy --env={environment.name} --release={version} takes today's values",
        )


def data_services(
    stack: str, images: Mapping[str, str], values: Mapping[str, str], node: str
) -> dict[str, Service]:
    """Return the data of an environment as the engine is to have them, on one node.

    Raises:
        InputError: The environment does not name the password.
    """
    secrets = {"postgres": POSTGRES_SECRETS}
    return {
        name: {
            **pin_to_node(service, node),
            "image": images[name],
            "secrets": [secret_mount(stack, each, values, "999") for each in secrets.get(name, ())],
        }
        for name, service in services_of_file(DEPLOY_DIR / "data.yml").items()
    }


def data_node_id(swarm: SwarmClient, stack: str) -> str:
    """Return the number of the node that holds the data: it was there last, or is to come there.

    Another manager that took it over would begin with an empty volume.
    """
    tasks = [task for task in swarm.tasks(f"{stack}_postgres") if task.get("NodeID")]
    last = max(tasks, key=lambda task: str(task["CreatedAt"]), default=None)
    return str(last["NodeID"]) if last else swarm.node_id()


def pin_to_node(service: Service, node: str) -> Service:
    """Return a service that runs on one node only."""
    deploy = service["deploy"]
    placement = {**deploy["placement"], "constraints": [f"node.id == {node}"]}
    return {**service, "deploy": {**deploy, "placement": placement}}
