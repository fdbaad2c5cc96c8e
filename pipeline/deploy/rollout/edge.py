"""The edge of an environment: what ends TLS, and sends each request to a replica.

It is proved before it comes: nginx itself reads the configuration, the certificate and its key.
"""

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path

from pipeline.deploy.cluster.client import JSONObject, SwarmClient
from pipeline.deploy.cluster.one_shot_jobs import (
    Job,
    JobFailedError,
    JobNotStartedError,
    run_job,
    secret_option,
)
from pipeline.deploy.cluster.stackfile import Service, new_deploy_id, services_of_file
from pipeline.deploy.environment_secrets import secret_object_name
from pipeline.deploy.preflight import certificate
from pipeline.environments import Environment
from pipeline.errors import InputError
from pipeline.files import read_text

DEPLOY_DIR = Path("deploy")
EDGE_CONFIG_FILE = DEPLOY_DIR / "edge.conf"
PREVIEW_MAP_FILE = "preview.conf"
TOKEN_PATTERN = re.compile(r"[A-Za-z0-9_-]{16,}")
NGINX_UID = "101"


def edge_service(
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
    names = ("TLS_CERTIFICATE", "TLS_KEY", PREVIEW_MAP_FILE)
    known = {**credentials, PREVIEW_MAP_FILE: preview_token_map(credentials["PREVIEW_TOKEN"])}
    secrets = [secret_mount(stack, name, known, NGINX_UID) for name in names]
    port = {"target": 8443, "published": environment.port, "mode": "host", "protocol": "tcp"}
    service = {
        **services_of_file(DEPLOY_DIR / "edge.yml")["edge"],
        "image": image,
        "environment": {"DEPLOY_ID": new_deploy_id()},
        "ports": [port],
        "secrets": secrets,
        "configs": [{"source": edge_config_name(stack), "target": "/etc/nginx/edge.conf"}],
    }
    return service, {name: known[name] for name in names}


def prepare_edge(
    swarm: SwarmClient, environment: Environment, image: str, credentials: Mapping[str, str]
) -> Service:
    """Return the edge as it is to be, once what it reads is in the engine, and proved.

    The arguments are the swarm, and those of `edge_service`.

    Raises:
        InputError: Its certificate, its token or its configuration will not do.
    """
    certificate.require_certificate(environment, credentials)
    text = read_text(EDGE_CONFIG_FILE)
    if not text:  # the engine takes no empty config
        raise InputError(f"{EDGE_CONFIG_FILE} is empty", hint=f"git checkout {EDGE_CONFIG_FILE}")
    stack = environment.stack
    service, values = edge_service(environment, image, credentials)
    ensure_secrets(swarm, stack, values)
    swarm.create_config(edge_config_name(stack), text, {"pipeline.stack": stack})
    test_configuration(swarm, environment, service)
    return service


def ensure_secrets(swarm: SwarmClient, stack: str, values: Mapping[str, str]) -> None:
    """Have secrets in the engine, each under the name of its value."""
    named = {secret_object_name(stack, name, value): value for name, value in values.items()}
    swarm.ensure_secrets(named, f"pipeline.stack={stack}")


def test_configuration(swarm: SwarmClient, environment: Environment, service: Service) -> None:
    """Let nginx read the configuration and the certificate of an edge that is to come.

    Raises:
        JobNotStartedError: It could not be asked, such as where its image is gone.
        InputError: It does not take them; what it said is part of it.
    """
    (config,) = service["configs"]
    options = [
        *(secret_option(each) for each in service["secrets"]),
        f"--config=source={config['source']},target={config['target']}",
        f"--user={service['user']}",
        "--entrypoint=nginx",
    ]
    test = ["-t", "-e", "stderr", "-c", config["target"]]
    job = Job(f"{environment.stack}-edge-check", service["image"], test, {}, options)
    try:
        run_job(swarm, environment, job, environment.timings.start_timeout)
    except JobNotStartedError:
        raise
    except JobFailedError as error:
        hint = f"correct {EDGE_CONFIG_FILE}; what serves was not touched"
        raise InputError(f"nginx does not take the edge: {error}", hint=hint) from None


def secret_mount(stack: str, name: str, values: Mapping[str, str], user: str) -> dict[str, object]:
    """Return a secret as a file that one user may read.

    Raises:
        InputError: The environment does not name it.
    """
    if name not in values:
        raise InputError(
            f"the secret {name} is not among those of the environment",
            hint="add it to `secrets` of the environment in pipeline.toml",
        )
    source = secret_object_name(stack, name, values[name])
    return {"source": source, "target": name, "uid": user, "gid": user, "mode": 0o400}


def preview_token_map(token: str) -> str:
    """Return the edge's answer to who may see what is not live yet, or is closed.

    Raises:
        InputError: The token holds what would mean something to nginx.
    """
    if not TOKEN_PATTERN.fullmatch(token):
        raise InputError(
            "PREVIEW_TOKEN holds more than letters, digits, - and _, or is shorter than 16",
            hint="python -c 'import secrets; print(secrets.token_hex(24))' makes one",
        )
    return (
        f'map $http_x_preview $next {{ default ""; "{token}" -next; }}\n'
        f'map $http_x_preview$http_x_insider $insider {{ default ""; "~{token}" 1; }}\n'
    )


def edge_config_in_use(edge: JSONObject) -> str:
    """Return what the configuration of an edge that runs is called."""
    used = edge["Spec"]["TaskTemplate"]["ContainerSpec"].get("Configs") or [{}]
    return str(used[0].get("ConfigName", ""))


def edge_config_name(stack: str) -> str:
    """Return what the edge's configuration is called: another content is another name."""
    digest = hashlib.sha256(read_text(EDGE_CONFIG_FILE).encode()).hexdigest()[:8]
    return f"{stack}-edge-{digest}"
