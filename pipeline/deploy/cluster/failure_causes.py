"""What keeps something from running, in the engine's words: what that means, and what ends it."""

import re
from dataclasses import dataclass

from pipeline.escaping import markdown_table

UNNAMED = {
    "activate": "docker node update --availability=active NODE",
    "away": "see docker node ls",
    "image": "IMAGE",
    "network": "NETWORK",
    "node": "NODE",
}
"""What a command says in the place of what is not known."""


@dataclass(frozen=True)
class Cause:
    """Why something does not run.

    Attributes:
        sentence: What it is.
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
        "its managers have no leader: more than half of them have to be up",
        "start the engines of the managers that are away; docker node ls",
    ),
    (
        r"logging driver does not support reading",
        "the engine keeps no logs that can be read",
        "docker info --format='{{{{.LoggingDriver}}}}': json-file and local can",
    ),
    (
        r"unable to find image|manifest unknown|pull access denied",
        "the registry has no such image, or not for this user",
        "docker login; docker buildx imagetools inspect {image}",
    ),
    (
        r"not available for new tasks",
        "no node takes new tasks; paused, drained or down: {away}",
        "{activate}; docker node ls shows them all",
    ),
    (
        r"insufficient resources",
        "no node has the memory or the processors free that it reserves",
        "docker node inspect --pretty {node}; lower its `reservations` in deploy/, or add a node",
    ),
    (
        r"host-mode port already in use",
        "every node has given its port to another service",
        "docker service ls; then correct the port, in pipeline.toml or deploy/",
    ),
    (
        r"address already in use|port is already allocated|failed to bind host port",
        "another program of the node has its port",
        "on {node}: ss -ltnp; end that program, or correct the port, in pipeline.toml or deploy/",
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
        "docker network inspect --verbose {network}; docker service rm of what is not needed there",
    ),
    (
        r"secret .*not found|secret reference",
        "a secret that it reads was removed by hand",
        "docker secret ls; invoke deploy --release=… makes the secrets of a release anew",
    ),
    (
        r"config .*not found|config reference",
        "a configuration that it reads was removed by hand",
        "docker config ls; invoke renew-edge makes the edge's anew",
    ),
    (
        r"network .*not found",
        "a network that it needs was removed by hand",
        "docker network ls; the next invoke deploy makes the network of its environment anew",
    ),
    (
        r"no space left on device",
        "the disk of the node is full",
        "on {node}: docker system df; df -h",
    ),
    (
        r"unhealthy",
        "its own health check ended it",
        "what it said last is above; docker image inspect {image} shows its HEALTHCHECK",
    ),
    (
        r"out of memory|oom-?killed|non-zero exit \(137\)",
        "it was killed: by hand, or because it has used up its memory",
        "on {node}: dmesg; raise its memory `limits` in deploy/, or give the node more",
    ),
    (
        r"executable file not found|non-zero exit \(127\)",
        "its image lacks the program that it is to run",
        "docker run --rm --entrypoint=sh {image} -c 'echo $PATH'; correct the image or the command",
    ),
    (
        r"invalid mount config|bind source path does not exist",
        "the node lacks what it mounts",
        "docker volume ls; correct its `volumes` in deploy/",
    ),
    (
        r"update out of sequence",
        "another client changed the same service at that moment",
        "invoke status tells who deploys; then the same again",
    ),
    (
        r"permission denied.*docker|docker.*permission denied",
        "this user may not use the engine",
        "sudo usermod -aG docker $USER; then log in anew",
    ),
)  # fmt: skip
"""The engine's words, what they mean, and what ends it; the first that fits counts."""


def documentation() -> str:
    """Return the table for people who read it before anything happens."""
    plain = str.maketrans({"\\": None, "|": "/", "?": None})
    rows = [
        (words.replace(".*", "…").translate(plain), *(each.format(**UNNAMED) for each in told))
        for words, *told in CAUSES
    ]
    return markdown_table(("the engine says", "that is", "what ends it"), rows)


def hint_for_error(said: str, usual: str) -> str:
    """Return the next command after words of the engine: of their cause, or else the usual one."""
    found = find_cause(said)
    return found.hint if found else usual


def find_cause(said: str, **about: str) -> Cause | None:
    """Return the cause that words of the engine tell; None, if the table does not know them.

    Args:
        said: The engine's words.
        about: What sentences and commands are to name, by the names of UNNAMED.
    """
    named = UNNAMED | about
    for words, sentence, hint in CAUSES:
        if re.search(words, said, re.IGNORECASE):
            return Cause(sentence.format(**named), hint.format(**named))
    return None
