"""What an environment stands on, and what changes rarely: its network, its edge, its data.

None of it is part of a release. What is there already is left as it is, until it is asked for.
"""

from collections.abc import Mapping

from pipeline.deploy.cluster.client import Swarm
from pipeline.deploy.cluster.convergence import is_up, wait_until_running
from pipeline.deploy.cluster.stackfile import Service, document, services_in
from pipeline.deploy.environment_secrets import object_name
from pipeline.deploy.rollout.edge import FOLDER, bring_secrets, brought, secret
from pipeline.environments import Environment
from pipeline.errors import InputError

OF_POSTGRES = ("POSTGRES_PASSWORD",)


def lay(
    swarm: Swarm,
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
    if not is_up(swarm, f"{stack}_edge"):
        new["edge"] = brought(swarm, environment, images["frontend"], credentials)
    if environment.data:
        new |= {
            name: service
            for name, service in data(stack, images, credentials, home(swarm, stack)).items()
            if not is_up(swarm, f"{stack}_{name}")
        }
    if not new:
        return
    if "postgres" in new:
        bring_secrets(swarm, stack, {name: credentials[name] for name in OF_POSTGRES})
    swarm.deploy(stack, document(stack, new))
    for name in new:
        wait_until_running(swarm, f"{stack}_{name}", environment.timings.start)


def bring_app_secrets(
    swarm: Swarm,
    environment: Environment,
    services: Mapping[str, Service],
    values: Mapping[str, str],
) -> None:
    """Have the secrets in the engine that services read; one that was removed is made anew.

    Raises:
        InputError: One is not there, and its value of that time is not known any more.
    """
    used = {each["source"]: each["target"] for it in services.values() for each in it["secrets"]}
    today = {object_name(environment.stack, name, value): value for name, value in values.items()}
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


def data(
    stack: str, images: Mapping[str, str], values: Mapping[str, str], node: str
) -> dict[str, Service]:
    """Return the data of an environment as the engine is to have them, on one node.

    Raises:
        InputError: The environment does not name the password.
    """
    secrets = {"postgres": OF_POSTGRES}
    return {
        name: {
            **pinned(service, node),
            "image": images[name],
            "secrets": [secret(stack, each, values, "999") for each in secrets.get(name, ())],
        }
        for name, service in services_in(FOLDER / "data.yml").items()
    }


def home(swarm: Swarm, stack: str) -> str:
    """Return the number of the node that holds the data: it was there last, or is to come there.

    Another manager that took it over would begin with an empty volume.
    """
    tasks = [task for task in swarm.tasks(f"{stack}_postgres") if task.get("NodeID")]
    last = max(tasks, key=lambda task: str(task["CreatedAt"]), default=None)
    return str(last["NodeID"]) if last else swarm.node()


def pinned(service: Service, node: str) -> Service:
    """Return a service that runs on one node only."""
    deploy = service["deploy"]
    placement = {**deploy["placement"], "constraints": [f"node.id == {node}"]}
    return {**service, "deploy": {**deploy, "placement": placement}}
