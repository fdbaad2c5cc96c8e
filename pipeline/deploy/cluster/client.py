"""A client of a Docker Swarm that runs the docker command line.

`docker stack deploy` and `docker service update` exit with 0 after a rollback
(https://github.com/docker/cli/issues/6752), so results are read from the swarm's objects instead.
"""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.deploy.cluster import failure_causes
from pipeline.deploy.cluster.retry import raise_if_unavailable, retry_without_leader
from pipeline.deploy.cluster.ssh import SSHTunnel
from pipeline.errors import CheckFailedError, InputError
from pipeline.process import CommandResult, capture, last_error_line

JSONObject = dict[str, Any]
_TIMEOUT = 60
"""Seconds for one command."""
_UNREACHABLE = 255
"""Exit code if the engine cannot be reached, as in ssh."""


@dataclass(frozen=True)
class SwarmClient:
    """The engine behind an SSH tunnel; without a tunnel, the engine of this machine."""

    tunnel: SSHTunnel | None = None

    @property
    def location(self) -> str:
        return self.tunnel.host if self.tunnel else "this machine"

    def docker_env(self) -> dict[str, str]:
        """Return the variables that select this engine.

        Raises:
            InputError: The host cannot be reached.
        """
        return {"DOCKER_HOST": self.tunnel.ensure_open()} if self.tunnel else {}

    def run(self, *arguments: str, stdin: str = "", seconds: float = _TIMEOUT) -> CommandResult:
        """Run docker with a time limit; retry while the swarm has no leader."""
        return retry_without_leader(lambda: self.run_once(*arguments, stdin=stdin, seconds=seconds))

    def run_once(self, *arguments: str, stdin: str, seconds: float) -> CommandResult:
        """Run docker with a time limit."""
        try:
            env = self.docker_env()
        except InputError as error:  # a lost connection may come back: the caller retries
            return CommandResult(arguments, _UNREACHABLE, "", str(error))
        return capture(["docker", *arguments], env=env, stdin=stdin, seconds=seconds)

    def check_output(self, *arguments: str, stdin: str = "") -> str:
        """Run docker, and return its output.

        Raises:
            CheckFailedError: The command failed.
        """
        answer = self.run(*arguments, stdin=stdin)
        if answer.returncode:
            raise _command_error(answer, *arguments)
        return answer.stdout

    def create(self, kind: str, name: str, *arguments: str, stdin: str = "") -> None:
        """Create an object.

        A manager that fails may create it without an answer, so an error is checked against the
        swarm.

        Raises:
            CheckFailedError: The engine rejects it.
        """
        answer = self.run(kind, "create", *arguments, stdin=stdin)
        if answer.returncode and not self.inspect(kind, name):
            raise _command_error(answer, kind, "create")

    def require_manager(self) -> None:
        """Refuse an engine that is not a manager of a swarm with a leader.

        Raises:
            InputError: It is not a manager, or cannot be reached.
        """
        self.docker_env()
        answer = self.run("node", "ls", "--format={{.ID}}")
        if answer.returncode:
            raise InputError(
                f"{self.location} is not a swarm manager: {last_error_line(answer)}",
                hint=failure_causes.hint_for_error(
                    last_error_line(answer), "docker swarm init, or change `host` in pipeline.toml"
                ),
            )

    def node_id(self) -> str:
        """Return the id of this manager's node."""
        return self.check_output("info", "--format={{.Swarm.NodeID}}").strip()

    def inspect(self, kind: str, *names: str) -> list[JSONObject]:
        """Return the existing objects of these names.

        Raises:
            EngineUnavailableError: The engine does not answer, so it is unknown whether they exist.
        """
        if not names:
            return []
        answer = self.run("inspect", f"--type={kind}", *names)
        raise_if_unavailable(answer)
        found: list[JSONObject] = json.loads(answer.stdout or "[]")
        return found

    def service(self, name: str) -> JSONObject | None:
        """Return a service; None if it does not exist.

        Raises:
            EngineUnavailableError: The engine does not answer.
        """
        found = self.inspect("service", name)
        return found[0] if found else None

    def tasks(self, service: str) -> list[JSONObject]:
        """Return all tasks of a service, including the task history.

        Raises:
            EngineUnavailableError: The engine does not answer.
        """
        answer = self.run("service", "ps", "--no-trunc", "--quiet", service)
        raise_if_unavailable(answer)
        return self.inspect("task", *answer.stdout.split())

    def deploy(self, stack: str, document: str) -> None:
        """Create or update the services of a stack file, without waiting."""
        file = (
            "--compose-file=-",
            "--resolve-image=never",
            "--with-registry-auth",
            "--detach=true",
        )
        self.check_output("stack", "deploy", *file, stack, stdin=document)

    def remove_services(self, *services: str) -> None:
        """Remove services; missing ones are ignored."""
        for service in services:
            self.run("service", "rm", service)

    def config_contents(self, *names: str) -> list[str]:
        """Return the contents of the existing configs of these names."""
        return [config_text(found) for found in self.inspect("config", *names)]

    def configs(self, label: str) -> dict[str, str]:
        """Return the contents of all configs with a label, by name, the oldest first."""
        names = self.check_output(
            "config", "ls", f"--filter=label={label}", "--format={{.Name}}"
        ).split()
        objects = sorted(self.inspect("config", *names), key=lambda found: found["CreatedAt"])
        return {found["Spec"]["Name"]: config_text(found) for found in objects}

    def create_config(self, name: str, content: str, labels: Mapping[str, str]) -> str:
        """Create a config, and return its id; empty if another client created the name first.

        The engine guarantees unique names, so this works as a lock.
        """
        options = [f"--label={key}={value}" for key, value in labels.items()]
        answer = self.run("config", "create", *options, name, "-", stdin=content)
        if not answer.returncode:
            return answer.stdout.strip()
        # The config may be ours: an answer can get lost when the leader changes.
        ours = [found for found in self.inspect("config", name) if config_text(found) == content]
        return str(ours[0]["ID"]) if ours else ""

    def ensure_secrets(self, values: Mapping[str, str], label: str) -> None:
        """Create missing secrets. Names contain a hash of the value, so existing ones are equal.

        Raises:
            CheckFailedError: The engine rejects one.
        """
        existing = self.secrets()
        for name, value in values.items():
            if name not in existing:
                self.create("secret", name, f"--label={label}", name, "-", stdin=value)

    def secrets(self) -> set[str]:
        """Return the names of all secrets.

        Raises:
            CheckFailedError: The engine does not answer.
        """
        return set(self.check_output("secret", "ls", "--format={{.Name}}").split())

    def ensure_network(self, name: str) -> None:
        """Create an overlay network, attachable for single containers, if it is missing."""
        if not self.inspect("network", name):
            self.create("network", name, "--driver=overlay", "--attachable", name)

    def full_logs(self, service: str) -> CommandResult:
        """Return the complete logs of all replicas of a service, by stream."""
        return self.run("service", "logs", "--raw", service)

    def tail_logs(self, service: str, lines: int = 30) -> str:
        """Return the last log lines of a service, or of one task."""
        answer = self.run("service", "logs", "--raw", f"--tail={lines}", service)
        return (answer.stdout + answer.stderr).strip()


def _command_error(answer: CommandResult, *words: str) -> CheckFailedError:
    """Return the error of a failed command, with its cause if that is known."""
    line = last_error_line(answer)
    message = f"`docker {' '.join(words[:2])}` failed: {line}"
    if found := failure_causes.find_cause(line):
        return CheckFailedError(f"{message} ({found.sentence})", hint=found.hint)
    return CheckFailedError(message, hint="docker service ls; docker node ls")


def config_text(config: JSONObject) -> str:
    return base64.b64decode(config["Spec"]["Data"]).decode()


def service_image(service: JSONObject) -> str:
    """Return the image in the spec of a service."""
    return str(service["Spec"]["TaskTemplate"]["ContainerSpec"]["Image"])


def service_variable(service: JSONObject, name: str) -> str:
    """Return a variable in the spec of a service; empty if it is not set."""
    entries: Sequence[str] = service["Spec"]["TaskTemplate"]["ContainerSpec"].get("Env") or []
    return next((entry.partition("=")[2] for entry in entries if entry.startswith(f"{name}=")), "")
