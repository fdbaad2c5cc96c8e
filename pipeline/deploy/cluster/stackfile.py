"""Render the services of a release: deploy/stack.yml, and what differs from deploy to deploy."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from pipeline import yaml
from pipeline.environments import Environment
from pipeline.errors import InputError

STACK_FILE = Path("deploy", "stack.yml")
PREVIEW_SUFFIX = "-next"
"""What a service's preview is called, behind its name."""
PUBLIC_VARIABLES = ("SENTRY_DSN",)
"""The variables of an environment that the page is told as well, and so everybody."""

Service = dict[str, Any]


@dataclass(frozen=True)
class Release:
    """What is deployed, once and for all.

    Attributes:
        deploy_id: Names this deployment and no other; it tells a silent rollback.
        version: What the app says of itself.
        commit: What it was built from.
        images: Each service's image, by digest.
        secrets: The engine's object for each secret.
    """

    deploy_id: str
    version: str
    commit: str
    images: Mapping[str, str]
    secrets: Mapping[str, str]


def new_deploy_id() -> str:
    """Return a name for one deployment, which no other has."""
    return uuid.uuid4().hex[:12]


def render_services(environment: Environment, release: Release) -> dict[str, Service]:
    """Return the services of a release as the engine is to have them.

    Args:
        environment: Where they are to run.
        release: What is to run.
    """
    services = services_of_file(STACK_FILE)
    return {
        name: render_service(name, service, environment, release)
        for name, service in services.items()
    }


def services_of_file(path: Path) -> dict[str, Service]:
    """Return the services of a stack file.

    Raises:
        InputError: It cannot be read, or has none.
    """
    content = yaml.read_yaml(path)
    services = content.get("services") if isinstance(content, dict) else None
    if not isinstance(services, dict):
        raise InputError(f"{path} has no `services`", hint=f"git diff {path}")
    return services


def render_service(
    name: str, template: Service, environment: Environment, release: Release
) -> Service:
    """Fill in one service."""
    times = environment.timings
    deploy = template["deploy"]
    update = {**deploy["update_config"], "delay": f"{times.delay}s", "monitor": f"{times.monitor}s"}
    return {
        **template,
        "image": release.images[name],
        "environment": {
            **template.get("environment", {}),
            **service_environment(name, environment, release),
        },
        "secrets": secret_mounts(release) if name == "backend" else [],
        "healthcheck": {"interval": "2s", "start_period": f"{times.start_timeout}s"},
        "stop_grace_period": f"{times.stop_grace_period}s",
        "deploy": {
            **deploy,
            "replicas": environment.replicas,
            "update_config": update,
            "labels": {"release": release.version, "deploy-id": release.deploy_id},
        },
    }


def service_environment(name: str, environment: Environment, release: Release) -> dict[str, str]:
    """Return what a service is told of where and what it is."""
    told = {
        "DEPLOY_ID": release.deploy_id,
        "DRAIN_SECONDS": str(environment.timings.drain),
        "ENVIRONMENT": environment.name,
        "RELEASE": release.version,
    }
    given = environment.variables
    if name == "backend":
        return {**given, **told, "COMMIT": release.commit}
    return {**{each: given[each] for each in PUBLIC_VARIABLES if each in given}, **told}


def secret_mounts(release: Release) -> list[dict[str, Any]]:
    """Return the files under /run/secrets; only the app's user may read them."""
    return [
        {"source": source, "target": name, "uid": "10001", "gid": "10001", "mode": 0o400}
        for name, source in release.secrets.items()
    ]


def with_deploy_id(services: Mapping[str, Service], deploy_id: str) -> dict[str, Service]:
    """Return services of an earlier deployment as those of a new one."""
    return {
        name: {
            **service,
            "environment": {**service["environment"], "DEPLOY_ID": deploy_id},
            "deploy": {
                **service["deploy"],
                "labels": {**service["deploy"]["labels"], "deploy-id": deploy_id},
            },
        }
        for name, service in services.items()
    }


def preview_service(service: Service, name: str) -> Service:
    """Return one replica of a service, to stand beside what runs, under a name of its own."""
    deploy = {**service["deploy"], "replicas": 1}
    shown = {**service, "deploy": deploy}
    if name == "frontend":
        upstream = {"BACKEND_UPSTREAM": f"backend{PREVIEW_SUFFIX}:8000"}
        shown["environment"] = {**service["environment"], **upstream}
    return shown


def previews(services: Mapping[str, Service]) -> dict[str, Service]:
    """Return one replica of each service, under the names of previews."""
    return {
        f"{name}{PREVIEW_SUFFIX}": preview_service(service, name)
        for name, service in services.items()
    }


def stack_file(stack: str, services: Mapping[str, Service]) -> str:
    """Return a stack file with these services alone, for `docker stack deploy`."""
    content = {
        "version": "3.8",
        "services": dict(services),
        "networks": {"app": {"external": True, "name": f"{stack}-app"}},
        "secrets": external_refs(services, "secrets"),
        "configs": external_refs(services, "configs"),
        "volumes": {name: {"name": f"{stack}-{name}"} for name in volume_names(services)},
    }
    text = StringIO()
    YAML(typ="safe", pure=True).dump(content, text)
    return text.getvalue().replace("$", "$$")  # Docker would fill in variables of this process


def external_refs(services: Mapping[str, Service], kind: str) -> dict[str, dict[str, bool]]:
    """Return the secrets or configs of services, which are in the engine already."""
    used = {entry["source"] for service in services.values() for entry in service.get(kind, [])}
    return {source: {"external": True} for source in sorted(used)}


def volume_names(services: Mapping[str, Service]) -> list[str]:
    """Return the names of the volumes that services use."""
    mounts = [mount for service in services.values() for mount in service.get("volumes", [])]
    return sorted({mount["source"] for mount in mounts if "source" in mount})
