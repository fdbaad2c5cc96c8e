"""A way to the engine of an environment, which is able to do what will be asked of it."""

import re
from os import environ

from pipeline.deploy.cluster import failure_causes
from pipeline.deploy.cluster.client import SwarmClient
from pipeline.deploy.cluster.ssh import get_tunnel
from pipeline.deploy.environment_secrets import ssh_key
from pipeline.environments import Environment
from pipeline.errors import InputError, MissingToolError
from pipeline.process import last_error_line

MIN_CLIENT_VERSION = (26, 0)
"""`docker stack deploy --detach` came with it."""
MIN_ENGINE_VERSION = (20, 10)
"""Jobs came with it: https://docs.docker.com/engine/api/v1.41/"""
VERSION_PATTERN = re.compile(r"(\d+)\.(\d+)")


def connect(environment: Environment) -> SwarmClient:
    """Return the engine of an environment, once it has answered.

    Raises:
        MissingToolError: The engine, or the docker here, is too old.
        InputError: It does not answer, or is no manager.
    """
    swarm = swarm_for(environment)
    swarm.docker_env()  # a host out of reach says why, once
    if too_old := outdated_components(swarm):
        raise MissingToolError(too_old[0], hint="https://docs.docker.com/engine/install")
    swarm.require_manager()
    return swarm


def swarm_for(environment: Environment) -> SwarmClient:
    """Return the engine of an environment, before anybody has asked it anything."""
    if not environment.host:
        return SwarmClient()
    key = ssh_key(environment, environ)
    return SwarmClient(get_tunnel(environment.host, environment.known_hosts, key))


def outdated_components(swarm: SwarmClient) -> list[str]:
    """Say what is too old for what will be asked of it.

    Raises:
        InputError: The engine does not answer.
    """
    answer = swarm.run("version", "--format={{.Client.Version}} {{.Server.Version}}")
    if answer.returncode:
        said = last_error_line(answer)
        hint = failure_causes.hint_for_error(said, "is it up? docker version")
        raise InputError(f"{swarm.location} does not answer: {said}", hint=hint)
    client, _, engine = answer.stdout.strip().partition(" ")
    asked = [
        ("the docker here", client, MIN_CLIENT_VERSION),
        (f"the engine of {swarm.location}", engine, MIN_ENGINE_VERSION),
    ]
    return [
        f"{what} is {has}, and too old: {wanted[0]}.{wanted[1]} is the least"
        for what, has, wanted in asked
        if parse_version(has) < wanted
    ]


def parse_version(version: str) -> tuple[int, ...]:
    """Return the first two numbers of a version; one that has none is taken for new."""
    found = VERSION_PATTERN.match(version)
    return (int(found[1]), int(found[2])) if found else (999, 0)
