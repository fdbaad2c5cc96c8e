"""Renders the services of a release from deploy/stack.yml."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from pipeline import yaml
from pipeline.config import load
from pipeline.environments import Environment
from pipeline.errors import InputError
from pipeline.images.targets import ImageRef

STACK_FILE, DATA_FILE = Path("deploy", "stack.yml"), Path("deploy", "data.yml")
PREVIEW_SUFFIX = "-next"
"""Suffix of the names of preview services."""

Service = dict[str, Any]


@dataclass(frozen=True)
class Release:
    """A release in one deployment.

    Attributes:
        deploy_id: Unique id of the deployment; it reveals a silent rollback of the engine.
        version: The version that the app reports.
        commit: The commit that it was built from.
        images: Image of each service, by digest.
        secrets: Name of each secret's object in the engine.
    """

    deploy_id: str
    version: str
    commit: str
    images: Mapping[str, ImageRef]
    secrets: Mapping[str, str]


def new_deploy_id() -> str:
    return uuid.uuid4().hex[:12]


def render_services(environment: Environment, release: Release) -> dict[str, Service]:
    """Return the services of a release, as in a stack file.

    Args:
        environment: The target environment.
        release: The release.
    """
    services = services_of_file(STACK_FILE)
    return {
        name: _render_service(name, service, environment, release)
        for name, service in services.items()
    }


def services_of_file(path: Path) -> dict[str, Service]:
    """Return the services of a stack file.

    Raises:
        InputError: The file cannot be read, or has no services.
    """
    content = yaml.read_yaml(path)
    services = content.get("services") if isinstance(content, dict) else None
    if not isinstance(services, dict):
        raise InputError(f"{path} has no `services`", hint=f"git diff {path}")
    return services


def _render_service(
    name: str, template: Service, environment: Environment, release: Release
) -> Service:
    times = environment.timings
    deploy = template["deploy"]
    update = {**deploy["update_config"], "delay": f"{times.delay}s", "monitor": f"{times.monitor}s"}
    return {
        **template,
        "image": str(release.images[name]),
        "environment": {
            **template.get("environment", {}),
            **service_environment(name, environment, release),
        },
        "secrets": _secret_mounts(release) if name == load().app.api else [],
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
    """Return the environment variables of a service."""
    own = {
        "DEPLOY_ID": release.deploy_id,
        "DRAIN_SECONDS": str(environment.timings.drain),
        "ENVIRONMENT": environment.name,
        "RELEASE": release.version,
    }
    app, variables = load().app, environment.variables
    if name == app.api:
        return {**variables, **own, "COMMIT": release.commit}
    public = {each: variables[each] for each in app.public_variables if each in variables}
    return {**public, **own}


def _secret_mounts(release: Release) -> list[dict[str, Any]]:
    """Return the secrets of the API; only its user may read them."""
    user = str(load().app.user)
    return [
        {"source": source, "target": name, "uid": user, "gid": user, "mode": 0o400}
        for name, source in release.secrets.items()
    ]


def with_deploy_id(services: Mapping[str, Service], deploy_id: str) -> dict[str, Service]:
    """Return the services of an earlier deployment with a new deploy id."""
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
    """Return a service with one replica, as its preview next to the live service."""
    deploy = {**service["deploy"], "replicas": 1}
    shown, app = {**service, "deploy": deploy}, load().app
    if name == app.page:
        upstream = {app.upstream: f"{app.api}{PREVIEW_SUFFIX}:{app.port}"}
        shown["environment"] = {**service["environment"], **upstream}
    return shown


def previews(services: Mapping[str, Service]) -> dict[str, Service]:
    """Return the preview of each service, by the name of the preview."""
    return {
        f"{name}{PREVIEW_SUFFIX}": preview_service(service, name)
        for name, service in services.items()
    }


def stack_file(stack: str, services: Mapping[str, Service]) -> str:
    """Return a stack file of these services, for `docker stack deploy`."""
    content = {
        "version": "3.8",
        "services": dict(services),
        "networks": {"app": {"external": True, "name": f"{stack}-app"}},
        "secrets": _external_refs(services, "secrets"),
        "configs": _external_refs(services, "configs"),
        "volumes": {name: {"name": f"{stack}-{name}"} for name in _volume_names(services)},
    }
    text = StringIO()
    YAML(typ="safe", pure=True).dump(content, text)
    return text.getvalue().replace(
        "$", "$$"
    )  # Docker would replace variables by those of this process


def _external_refs(services: Mapping[str, Service], kind: str) -> dict[str, dict[str, bool]]:
    """Return the secrets or configs of services as external objects."""
    used = {entry["source"] for service in services.values() for entry in service.get(kind, [])}
    return {source: {"external": True} for source in sorted(used)}


def _volume_names(services: Mapping[str, Service]) -> list[str]:
    """Return the names of the volumes that services use."""
    mounts = [mount for service in services.values() for mount in service.get("volumes", [])]
    return sorted({mount["source"] for mount in mounts if "source" in mount})
