"""What an environment stands on, and what changes rarely: its network, its edge, its data.

None of it is part of a release. What is there already is left as it is, until it is asked for.
"""

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path

from pipeline.deploy.credentials import object_name
from pipeline.deploy.stack import Service, document, services_in
from pipeline.deploy.swarm import Object, Swarm
from pipeline.deploy.watch import is_up, wait_until_running
from pipeline.environments import Environment
from pipeline.errors import InputError
from pipeline.files import read_text

FOLDER = Path("deploy")
EDGE_CONFIGURATION = FOLDER / "edge.conf"
PREVIEW = "preview.conf"
TOKEN = re.compile(r"[A-Za-z0-9_-]{16,}")
NGINX_USER = "101"


def lay(
    swarm: Swarm,
    environment: Environment,
    images: Mapping[str, str],
    credentials: Mapping[str, str],
    *,
    renew: bool = False,
) -> None:
    """Have the network, the edge and, where it brings none of its own, the data of an environment.

    Args:
        swarm: Where.
        environment: Which.
        images: The images of a release, by digest.
        credentials: The values of the environment's secrets.
        renew: Whether to replace the edge that is there, which costs its node a moment.

    Raises:
        CheckFailedError: The engine does not take it, or it does not come up.
    """
    stack = environment.stack
    swarm.ensure_network(f"{stack}-app")
    values = {**credentials, PREVIEW: preview_map(credentials["PREVIEW_TOKEN"])}
    wanted = services(environment, images, values, home(swarm, stack) if environment.data else "")
    new = {name: it for name, it in wanted.items() if not is_up(swarm, f"{stack}_{name}")}
    if renew:
        new["edge"] = wanted["edge"]
    if not new:
        return
    needed = {secret["target"] for service in new.values() for secret in service["secrets"]}
    label = f"pipeline.stack={stack}"
    swarm.ensure_secrets(
        {object_name(stack, name, values[name]): values[name] for name in needed}, label
    )
    configuration = read_text(EDGE_CONFIGURATION)
    swarm.create_config(edge_config(stack), configuration, {"pipeline.stack": stack})
    swarm.deploy(stack, document(stack, new))
    for name in new:
        wait_until_running(swarm, f"{stack}_{name}", environment.timings.start)


def services(
    environment: Environment, images: Mapping[str, str], values: Mapping[str, str], node: str
) -> dict[str, Service]:
    """Return what an environment stands on, as the engine is to have it; its data on one node."""
    edge = services_in(FOLDER / "edge.yml")["edge"]
    stack = environment.stack
    port = {"target": 8443, "published": environment.port, "mode": "host", "protocol": "tcp"}
    files = {
        name: secret(stack, name, values, NGINX_USER)
        for name in ("TLS_CERTIFICATE", "TLS_KEY", PREVIEW)
    }
    found = {
        "edge": {
            **edge,
            "image": images["frontend"],
            "ports": [port],
            "secrets": list(files.values()),
            "configs": [{"source": edge_config(stack), "target": "/etc/nginx/edge.conf"}],
        }
    }
    if environment.data:
        for name, service in services_in(FOLDER / "data.yml").items():
            secrets = (
                [secret(stack, "POSTGRES_PASSWORD", values, "999")] if name == "postgres" else []
            )
            found[name] = {**pinned(service, node), "image": images[name], "secrets": secrets}
    return found


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


def secret(stack: str, name: str, values: Mapping[str, str], user: str) -> dict[str, object]:
    """Return a secret as a file that one user may read.

    Raises:
        InputError: The environment does not name it.
    """
    if name not in values:
        raise InputError(
            f"the secret {name} is not among those of the environment",
            hint="add it to `secrets` of the environment in pipeline.toml",
        )
    source = object_name(stack, name, values[name])
    return {"source": source, "target": name, "uid": user, "gid": user, "mode": 0o400}


def preview_map(token: str) -> str:
    """Return the edge's answer to who may see what is not live yet, or is closed.

    Raises:
        InputError: The token holds what would mean something to nginx.
    """
    if not TOKEN.fullmatch(token):
        raise InputError(
            "PREVIEW_TOKEN holds more than letters, digits, - and _, or is shorter than 16",
            hint="python -c 'import secrets; print(secrets.token_hex(24))' makes one",
        )
    return (
        f'map $http_x_preview $next {{ default ""; "{token}" -next; }}\n'
        f'map $http_x_preview$http_x_insider $insider {{ default ""; "~{token}" 1; }}\n'
    )


def configuration_of(edge: Object) -> str:
    """Return what the configuration of an edge that runs is called."""
    used = edge["Spec"]["TaskTemplate"]["ContainerSpec"].get("Configs") or [{}]
    return str(used[0].get("ConfigName", ""))


def edge_config(stack: str) -> str:
    """Return what the edge's configuration is called: another content is another name."""
    digest = hashlib.sha256(EDGE_CONFIGURATION.read_bytes()).hexdigest()[:8]
    return f"{stack}-edge-{digest}"
