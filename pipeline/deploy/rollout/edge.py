"""The edge of an environment: nginx, which terminates TLS and routes requests to replicas.

Before an edge starts, a job runs `nginx -t` with its configuration, certificate and key.
"""

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path

from pipeline.deploy.cluster.client import JSONObject, SwarmClient
from pipeline.deploy.cluster.deploy_target import DeployTarget
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

EDGE_CONFIG_FILE, _EDGE_FILE = Path("deploy", "edge.conf"), Path("deploy", "edge.yml")
_PREVIEW_MAP_FILE = "preview.conf"
_TOKEN_PATTERN = re.compile(r"[A-Za-z0-9_-]{16,}")
_NGINX_UID = "101"


def edge_service(
    environment: Environment, image: str, credentials: Mapping[str, str]
) -> tuple[Service, dict[str, str]]:
    """Return the service of the edge, and the secrets that it reads.

    Args:
        environment: The environment of the edge.
        image: Its image, by digest.
        credentials: The values of the environment's secrets.

    Raises:
        InputError: The preview token or a secret is missing or invalid.
    """
    stack = environment.stack
    names = ("TLS_CERTIFICATE", "TLS_KEY", _PREVIEW_MAP_FILE)
    known = {**credentials, _PREVIEW_MAP_FILE: preview_token_map(credentials["PREVIEW_TOKEN"])}
    secrets = [secret_mount(stack, name, known, _NGINX_UID) for name in names]
    port = {"target": 8443, "published": environment.port, "mode": "host", "protocol": "tcp"}
    service = {
        **services_of_file(_EDGE_FILE)["edge"],
        "image": str(image),
        "environment": {"DEPLOY_ID": new_deploy_id()},
        "ports": [port],
        "secrets": secrets,
        "configs": [{"source": edge_config_name(stack), "target": "/etc/nginx/edge.conf"}],
    }
    return service, {name: known[name] for name in names}


def prepare_edge(target: DeployTarget, image: str) -> Service:
    """Create the secrets and the config of the edge, test them, and return its service.

    Raises:
        InputError: The certificate, the preview token or the configuration is invalid.
    """
    certificate.require_certificate(target.environment, target.secrets)
    text = read_text(EDGE_CONFIG_FILE)
    if not text:  # the engine rejects an empty config
        raise InputError(f"{EDGE_CONFIG_FILE} is empty", hint=f"git checkout {EDGE_CONFIG_FILE}")
    stack = target.stack
    service, mounted = edge_service(target.environment, image, target.secrets)
    ensure_secrets(target.swarm, stack, mounted)
    target.swarm.create_config(edge_config_name(stack), text, {"pipeline.stack": stack})
    test_configuration(target, service)
    return service


def ensure_secrets(swarm: SwarmClient, stack: str, values: Mapping[str, str]) -> None:
    """Create secrets in the engine, each named after a hash of its value."""
    named = {secret_object_name(stack, name, value): value for name, value in values.items()}
    swarm.ensure_secrets(named, f"pipeline.stack={stack}")


def test_configuration(target: DeployTarget, service: Service) -> None:
    """Run `nginx -t` with the configuration and the certificate of a new edge.

    Raises:
        JobNotStartedError: The job did not start, for example because the image is missing.
        InputError: nginx rejects them; its output is part of the message.
    """
    (config,) = service["configs"]
    options = [
        *(secret_option(each) for each in service["secrets"]),
        f"--config=source={config['source']},target={config['target']}",
        f"--user={service['user']}",
        "--entrypoint=nginx",
    ]
    test = ["-t", "-e", "stderr", "-c", config["target"]]
    job = Job(f"{target.stack}-edge-check", service["image"], test, {}, options)
    try:
        run_job(target, job, target.environment.timings.start_timeout)
    except JobNotStartedError:
        raise
    except JobFailedError as error:
        hint = f"fix {EDGE_CONFIG_FILE}; the running edge was not changed"
        raise InputError(f"nginx rejects the edge configuration: {error}", hint=hint) from None


def secret_mount(stack: str, name: str, values: Mapping[str, str], user: str) -> dict[str, object]:
    """Return a secret as a file that only one user may read.

    Raises:
        InputError: The environment does not list the secret.
    """
    if name not in values:
        raise InputError(
            f"the secret {name} is not among those of the environment",
            hint="add it to `secrets` of the environment in pipeline.toml",
        )
    source = secret_object_name(stack, name, values[name])
    return {"source": source, "target": name, "uid": user, "gid": user, "mode": 0o400}


def preview_token_map(token: str) -> str:
    """Return the nginx maps that let the preview token reach a preview or a closed site.

    Raises:
        InputError: The token is too short, or has characters with a meaning in nginx.
    """
    if not _TOKEN_PATTERN.fullmatch(token):
        raise InputError(
            "PREVIEW_TOKEN must have at least 16 characters: letters, digits, - and _",
            hint="python -c 'import secrets; print(secrets.token_hex(24))' generates one",
        )
    return (
        f'map $http_x_preview $next {{ default ""; "{token}" -next; }}\n'
        f'map $http_x_preview$http_x_insider $insider {{ default ""; "~{token}" 1; }}\n'
    )


def edge_config_in_use(edge: JSONObject) -> str:
    """Return the name of the config of a running edge."""
    used = edge["Spec"]["TaskTemplate"]["ContainerSpec"].get("Configs") or [{}]
    return str(used[0].get("ConfigName", ""))


def edge_config_name(stack: str) -> str:
    """Return the name of the edge's config; it contains a hash of the content."""
    digest = hashlib.sha256(read_text(EDGE_CONFIG_FILE).encode()).hexdigest()[:8]
    return f"{stack}-edge-{digest}"
