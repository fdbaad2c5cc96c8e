"""A table of engine errors: the message, its meaning, and the command for it."""

import re
from dataclasses import dataclass

from pipeline.escaping import markdown_table

_UNNAMED = {
    "activate": "docker node update --availability=active NODE",
    "away": "see docker node ls",
    "image": "IMAGE",
    "network": "NETWORK",
    "node": "NODE",
}
"""Placeholders for names that are unknown."""


@dataclass(frozen=True)
class Cause:
    """Why a task does not run.

    Attributes:
        sentence: The cause.
        hint: The next command.
    """

    sentence: str
    hint: str


CAUSES = (
    (
        r"cannot connect to the docker daemon|is the docker daemon running",
        "the engine is not running",
        "systemctl start docker; docker version",
    ),
    (
        r"does not have a leader|deadline ?exceeded|code = unavailable",
        "the swarm has no leader: more than half of its managers must be up",
        "start the engines of the missing managers; docker node ls",
    ),
    (
        r"logging driver does not support reading",
        "the logging driver keeps no readable logs",
        "docker info --format='{{{{.LoggingDriver}}}}': json-file and local can",
    ),
    (
        r"unable to find image|manifest unknown|pull access denied",
        "the registry has no such image, or this user has no access",
        "docker login; docker buildx imagetools inspect {image}",
    ),
    (
        r"not available for new tasks",
        "no node takes new tasks; paused, drained or down: {away}",
        "{activate}; docker node ls shows them all",
    ),
    (
        r"insufficient resources",
        "no node has the reserved memory or processors free",
        "docker node inspect --pretty {node}; lower its `reservations` in deploy/, or add a node",
    ),
    (
        r"host-mode port already in use",
        "another service uses its port on every node",
        "docker service ls; then change the port in pipeline.toml or deploy/",
    ),
    (
        r"address already in use|port is already allocated|failed to bind host port",
        "another program on the node uses its port",
        "on {node}: ss -ltnp; stop that program, or change the port in pipeline.toml or deploy/",
    ),
    (
        r"max replicas per node limit",
        "each node has as many replicas as `max_replicas_per_node` allows",
        "docker node ls; add a node, or raise it in deploy/",
    ),
    (
        r"unsupported platform|not provide the specified platform|no matching manifest|exec format",
        "its image is not built for the platform of the node",
        "docker buildx imagetools inspect {image}; docker node inspect --pretty {node}",
    ),
    (
        r"missing plugin|plugin .* not found",
        "the node lacks a driver of its network or volume",
        "docker plugin ls; docker node inspect --pretty {node}",
    ),
    (
        r"constraints not satisfied",
        "no node fits its `constraints`",
        "docker node ls; docker node inspect --pretty {node}; correct `constraints` in deploy/",
    ),
    (
        r"no available (ipv4 )?address|could not find an available|no free address|non-overlapping",
        "no address is left in the network {network}",
        "docker network inspect --verbose {network}; docker service rm of unused services",
    ),
    (
        r"secret .*not found|secret reference",
        "a secret of the service was removed",
        "docker secret ls; invoke deploy --release=… creates the secrets of a release again",
    ),
    (
        r"config .*not found|config reference",
        "a config of the service was removed",
        "docker config ls; invoke renew-edge creates that of the edge again",
    ),
    (
        r"network .*not found",
        "a network of the service was removed",
        "docker network ls; the next invoke deploy creates it again",
    ),
    (
        r"no space left on device",
        "the disk of the node is full",
        "on {node}: docker system df; df -h",
    ),
    (
        r"unhealthy",
        "its health check failed",
        "see its last log lines above; docker image inspect {image} shows its HEALTHCHECK",
    ),
    (
        r"out of memory|oom-?killed|non-zero exit \(137\)",
        "it was killed: by an operator, or for exceeding its memory limit",
        "on {node}: dmesg; increase its memory `limits` in deploy/, or the memory of the node",
    ),
    (
        r"executable file not found|non-zero exit \(127\)",
        "its image lacks the program of its command",
        "docker run --rm --entrypoint=sh {image} -c 'echo $PATH'; correct the image or the command",
    ),
    (
        r"invalid mount config|bind source path does not exist",
        "the node lacks a volume or path of its mounts",
        "docker volume ls; correct its `volumes` in deploy/",
    ),
    (
        r"update out of sequence",
        "another client changed the same service",
        "invoke status shows who deploys; then retry",
    ),
    (
        r"permission denied.*docker|docker.*permission denied",
        "this user has no access to the engine",
        "sudo usermod -aG docker $USER; then log in again",
    ),
)  # fmt: skip
"""Pattern of the message, its meaning, and the command; the first match counts."""


def documentation() -> str:
    """Return the table for the documents."""
    plain = str.maketrans({"\\": None, "|": "/", "?": None})
    rows = [
        (words.replace(".*", "…").translate(plain), *(each.format(**_UNNAMED) for each in texts))
        for words, *texts in CAUSES
    ]
    return markdown_table(("message of the engine", "meaning", "command"), rows)


def hint_for_error(message: str, usual: str) -> str:
    """Return the command for an error of the engine; by default the usual one."""
    found = find_cause(message)
    return found.hint if found else usual


def find_cause(message: str, **names: str) -> Cause | None:
    """Return the cause of an error of the engine; None if the table does not contain it.

    Args:
        message: The error.
        names: Values of the placeholders in `_UNNAMED`.
    """
    named = _UNNAMED | names
    for words, sentence, hint in CAUSES:
        if re.search(words, message, re.IGNORECASE):
            return Cause(sentence.format(**named), hint.format(**named))
    return None
