"""A way to the engine of an environment, which is able to do what will be asked of it."""

import re
from os import environ

from pipeline.deploy.cluster import failure_causes
from pipeline.deploy.cluster.client import Swarm
from pipeline.deploy.cluster.ssh import tunnel
from pipeline.deploy.environment_secrets import ssh_key
from pipeline.environments import Environment
from pipeline.errors import InputError, MissingToolError
from pipeline.process import last_words

CLIENT = (26, 0)
"""`docker stack deploy --detach` came with it."""
ENGINE = (20, 10)
"""Jobs came with it: https://docs.docker.com/engine/api/v1.41/"""
NUMBERS = re.compile(r"(\d+)\.(\d+)")


def connected(environment: Environment) -> Swarm:
    """Return the engine of an environment, once it has answered.

    Raises:
        MissingToolError: The engine, or the docker here, is too old.
        InputError: It does not answer, or is no manager.
    """
    swarm = engine_of(environment)
    swarm.variables()  # a host out of reach says why, once
    if too_old := old(swarm):
        raise MissingToolError(too_old[0], hint="https://docs.docker.com/engine/install")
    swarm.require_manager()
    return swarm


def engine_of(environment: Environment) -> Swarm:
    """Return the engine of an environment, before anybody has asked it anything."""
    if not environment.host:
        return Swarm()
    key = ssh_key(environment, environ)
    return Swarm(tunnel(environment.host, environment.known_hosts, key))


def old(swarm: Swarm) -> list[str]:
    """Say what is too old for what will be asked of it.

    Raises:
        InputError: The engine does not answer.
    """
    answer = swarm.ask("version", "--format={{.Client.Version}} {{.Server.Version}}")
    if answer.returncode:
        said = last_words(answer)
        hint = failure_causes.hint(said, "is it up? docker version")
        raise InputError(f"{swarm.place} does not answer: {said}", hint=hint)
    client, _, engine = answer.stdout.strip().partition(" ")
    asked = [("the docker here", client, CLIENT), (f"the engine of {swarm.place}", engine, ENGINE)]
    return [
        f"{what} is {has}, and too old: {wanted[0]}.{wanted[1]} is the least"
        for what, has, wanted in asked
        if numbers(has) < wanted
    ]


def numbers(version: str) -> tuple[int, ...]:
    """Return the first two numbers of a version; one that has none is taken for new."""
    found = NUMBERS.match(version)
    return (int(found[1]), int(found[2])) if found else (999, 0)
