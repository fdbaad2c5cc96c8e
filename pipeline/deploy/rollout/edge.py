"""The edge of an environment: what ends TLS, and sends each request to a replica.

It is proved before it comes: nginx itself reads the configuration, the certificate and its key.
"""

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path

from pipeline.deploy.cluster.client import Object, Swarm
from pipeline.deploy.cluster.one_shot_jobs import (
    Job,
    JobFailedError,
    JobNotStartedError,
    file_option,
    run_job,
)
from pipeline.deploy.cluster.stackfile import Service, new_id, services_in
from pipeline.deploy.environment_secrets import object_name
from pipeline.deploy.preflight import certificate
from pipeline.environments import Environment
from pipeline.errors import InputError
from pipeline.files import read_text

FOLDER = Path("deploy")
CONFIGURATION = FOLDER / "edge.conf"
PREVIEW = "preview.conf"
TOKEN = re.compile(r"[A-Za-z0-9_-]{16,}")
NGINX_USER = "101"


def edge_of(
    environment: Environment, image: str, credentials: Mapping[str, str]
) -> tuple[Service, dict[str, str]]:
    """Return the edge as the engine is to have it today, and the secrets that it reads.

    Args:
        environment: Whose.
        image: What it runs, by digest.
        credentials: The values of the environment's secrets.

    Raises:
        InputError: Its token or a secret will not do.
    """
    stack = environment.stack
    names = ("TLS_CERTIFICATE", "TLS_KEY", PREVIEW)
    known = {**credentials, PREVIEW: preview_map(credentials["PREVIEW_TOKEN"])}
    secrets = [secret(stack, name, known, NGINX_USER) for name in names]
    port = {"target": 8443, "published": environment.port, "mode": "host", "protocol": "tcp"}
    service = {
        **services_in(FOLDER / "edge.yml")["edge"],
        "image": image,
        "environment": {"DEPLOY_ID": new_id()},
        "ports": [port],
        "secrets": secrets,
        "configs": [{"source": edge_config(stack), "target": "/etc/nginx/edge.conf"}],
    }
    return service, {name: known[name] for name in names}


def brought(
    swarm: Swarm, environment: Environment, image: str, credentials: Mapping[str, str]
) -> Service:
    """Return the edge as it is to be, once what it reads is in the engine, and proved.

    The arguments are the swarm, and those of `edge_of`.

    Raises:
        InputError: Its certificate, its token or its configuration will not do.
    """
    certificate.require(environment, credentials)
    text = read_text(CONFIGURATION)
    if not text:  # the engine takes no empty config
        raise InputError(f"{CONFIGURATION} is empty", hint=f"git checkout {CONFIGURATION}")
    stack = environment.stack
    service, values = edge_of(environment, image, credentials)
    bring_secrets(swarm, stack, values)
    swarm.create_config(edge_config(stack), text, {"pipeline.stack": stack})
    prove(swarm, environment, service)
    return service


def bring_secrets(swarm: Swarm, stack: str, values: Mapping[str, str]) -> None:
    """Have secrets in the engine, each under the name of its value."""
    named = {object_name(stack, name, value): value for name, value in values.items()}
    swarm.ensure_secrets(named, f"pipeline.stack={stack}")


def prove(swarm: Swarm, environment: Environment, service: Service) -> None:
    """Let nginx read the configuration and the certificate of an edge that is to come.

    Raises:
        JobNotStartedError: It could not be asked, such as where its image is gone.
        InputError: It does not take them; what it said is part of it.
    """
    (config,) = service["configs"]
    options = [
        *(file_option(each) for each in service["secrets"]),
        f"--config=source={config['source']},target={config['target']}",
        f"--user={service['user']}",
        "--entrypoint=nginx",
    ]
    test = ["-t", "-e", "stderr", "-c", config["target"]]
    job = Job(f"{environment.stack}-edge-check", service["image"], test, {}, options)
    try:
        run_job(swarm, environment, job, environment.timings.start)
    except JobNotStartedError:
        raise
    except JobFailedError as error:
        hint = f"correct {CONFIGURATION}; what serves was not touched"
        raise InputError(f"nginx does not take the edge: {error}", hint=hint) from None


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
    digest = hashlib.sha256(read_text(CONFIGURATION).encode()).hexdigest()[:8]
    return f"{stack}-edge-{digest}"
