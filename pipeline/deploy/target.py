"""Connects to the engine of an environment, and checks its version."""

import re
from collections.abc import Mapping
from os import environ

from pipeline.deploy.cluster import failure_causes
from pipeline.deploy.cluster.client import SwarmClient
from pipeline.deploy.cluster.deploy_target import DeployTarget
from pipeline.deploy.cluster.ssh import get_tunnel
from pipeline.deploy.environment_secrets import ssh_key
from pipeline.environments import Environment
from pipeline.errors import InputError, MissingToolError
from pipeline.process import last_error_line

MIN_CLIENT_VERSION = (26, 0)
"""Added `docker stack deploy --detach`."""
MIN_ENGINE_VERSION = (20, 10)
"""Added jobs: https://docs.docker.com/engine/api/v1.41/"""
_NO_SECRETS: Mapping[str, str] = {}
_VERSION_PATTERN = re.compile(r"(\d+)\.(\d+)")


def connect(environment: Environment, secrets: Mapping[str, str] = _NO_SECRETS) -> DeployTarget:
    """Return an environment with the client of its engine, after the engine has answered.

    Args:
        environment: The environment.
        secrets: The values of its secrets that are known.

    Raises:
        MissingToolError: The engine, or the local docker command, is too old.
        InputError: The engine does not answer, or is not a manager.
    """
    swarm = swarm_for(environment)
    swarm.docker_env()  # an unreachable host reports its reason once
    if too_old := outdated_components(swarm):
        raise MissingToolError(too_old[0], hint="https://docs.docker.com/engine/install")
    swarm.require_manager()
    return DeployTarget(environment, swarm, secrets)


def swarm_for(environment: Environment) -> SwarmClient:
    """Return a client of the environment's engine, without connecting."""
    if not environment.host:
        return SwarmClient()
    key = ssh_key(environment, environ)
    return SwarmClient(get_tunnel(environment.host, environment.known_hosts, key))


def outdated_components(swarm: SwarmClient) -> list[str]:
    """Return a text for each component that is too old.

    Raises:
        InputError: The engine does not answer.
    """
    answer = swarm.run("version", "--format={{.Client.Version}} {{.Server.Version}}")
    if answer.returncode:
        line = last_error_line(answer)
        hint = failure_causes.hint_for_error(line, "docker version")
        raise InputError(f"{swarm.location} does not answer: {line}", hint=hint)
    client, _, engine = answer.stdout.strip().partition(" ")
    components = [
        ("the docker here", client, MIN_CLIENT_VERSION),
        (f"the engine of {swarm.location}", engine, MIN_ENGINE_VERSION),
    ]
    return [
        f"{what} is {has}, too old: {wanted[0]}.{wanted[1]} or newer is required"
        for what, has, wanted in components
        if _parse_version(has) < wanted
    ]


def _parse_version(version: str) -> tuple[int, ...]:
    """Return the first two numbers of a version; an unknown format counts as new."""
    found = _VERSION_PATTERN.match(version)
    return (int(found[1]), int(found[2])) if found else (999, 0)
