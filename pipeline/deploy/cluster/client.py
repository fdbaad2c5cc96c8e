"""A Swarm, asked and told through Docker's command line; what counts is read from its objects.

`docker stack deploy` and `docker service update` exit with 0 after a rollback
(https://github.com/docker/cli/issues/6752), so nothing here believes an exit code of theirs.
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
TIMEOUT = 60
"""The seconds that one question may take."""
UNREACHABLE = 255
"""The exit code of what could not even be asked, as ssh has it."""


@dataclass(frozen=True)
class SwarmClient:
    """The engine at the end of a tunnel; this machine's, without one."""

    tunnel: SSHTunnel | None = None

    @property
    def location(self) -> str:
        """Where it is, for people."""
        return self.tunnel.host if self.tunnel else "this machine"

    def docker_env(self) -> dict[str, str]:
        """Return what makes Docker's command line talk to it.

        Raises:
            InputError: It cannot be reached.
        """
        return {"DOCKER_HOST": self.tunnel.ensure_open()} if self.tunnel else {}

    def run(self, *arguments: str, stdin: str = "", seconds: float = TIMEOUT) -> CommandResult:
        """Run docker there, for so many seconds at most, and again while there is no leader."""
        return retry_without_leader(lambda: self.run_once(*arguments, stdin=stdin, seconds=seconds))

    def run_once(self, *arguments: str, stdin: str, seconds: float) -> CommandResult:
        """Run docker there, for so many seconds at most."""
        try:
            env = self.docker_env()
        except InputError as error:  # it may be there again in a moment
            return CommandResult(arguments, UNREACHABLE, "", str(error))
        return capture(["docker", *arguments], env=env, stdin=stdin, seconds=seconds)

    def check_output(self, *arguments: str, stdin: str = "") -> str:
        """Run docker there, and return what it printed.

        Raises:
            CheckFailedError: It failed.
        """
        answer = self.run(*arguments, stdin=stdin)
        if answer.returncode:
            raise command_error(answer, *arguments)
        return answer.stdout

    def create(self, kind: str, name: str, *arguments: str, stdin: str = "") -> None:
        """Make an object of a name that is free; it is made, too, if the answer went with a leader.

        Raises:
            CheckFailedError: The engine refuses it.
        """
        answer = self.run(kind, "create", *arguments, stdin=stdin)
        if answer.returncode and not self.inspect(kind, name):
            raise command_error(answer, kind, "create")

    def require_manager(self) -> None:
        """Refuse an engine that does not answer, or is no manager of a swarm with a majority.

        Raises:
            InputError: It is none, or cannot be reached.
        """
        self.docker_env()
        answer = self.run("node", "ls", "--format={{.ID}}")
        if answer.returncode:
            raise InputError(
                f"{self.location} is no manager of a swarm: {last_error_line(answer)}",
                hint=failure_causes.hint_for_error(
                    last_error_line(answer), "docker swarm init, or correct `host` in pipeline.toml"
                ),
            )

    def node_id(self) -> str:
        """Return the number of the node that is asked."""
        return self.check_output("info", "--format={{.Swarm.NodeID}}").strip()

    def inspect(self, kind: str, *names: str) -> list[JSONObject]:
        """Return the objects that there are of these names.

        Raises:
            EngineAwayError: It does not say; that is not the same as that there are none.
        """
        if not names:
            return []
        answer = self.run("inspect", f"--type={kind}", *names)
        raise_if_unavailable(answer)
        found: list[JSONObject] = json.loads(answer.stdout or "[]")
        return found

    def service(self, name: str) -> JSONObject | None:
        """Return a service, if there is one.

        Raises:
            EngineAwayError: The engine does not say.
        """
        found = self.inspect("service", name)
        return found[0] if found else None

    def tasks(self, service: str) -> list[JSONObject]:
        """Return all tasks of a service that the engine remembers.

        Raises:
            EngineAwayError: The engine does not say.
        """
        answer = self.run("service", "ps", "--no-trunc", "--quiet", service)
        raise_if_unavailable(answer)
        return self.inspect("task", *answer.stdout.split())

    def deploy(self, stack: str, document: str) -> None:
        """Hand services to the engine; it begins to bring them up."""
        file = (
            "--compose-file=-",
            "--resolve-image=never",
            "--with-registry-auth",
            "--detach=true",
        )
        self.check_output("stack", "deploy", *file, stack, stdin=document)

    def remove_services(self, *services: str) -> None:
        """Remove services; those that are not there are no fault."""
        for service in services:
            self.run("service", "rm", service)

    def config_contents(self, *names: str) -> list[str]:
        """Return the contents of those configs that there are."""
        return [config_text(found) for found in self.inspect("config", *names)]

    def configs(self, label: str) -> dict[str, str]:
        """Return the contents of all configs with a label, by name, the oldest first."""
        names = self.check_output(
            "config", "ls", f"--filter=label={label}", "--format={{.Name}}"
        ).split()
        objects = sorted(self.inspect("config", *names), key=lambda found: found["CreatedAt"])
        return {found["Spec"]["Name"]: config_text(found) for found in objects}

    def create_config(self, name: str, content: str, labels: Mapping[str, str]) -> str:
        """Make a config and return its number: of all who try one name at once, one gets one."""
        options = [f"--label={key}={value}" for key, value in labels.items()]
        answer = self.run("config", "create", *options, name, "-", stdin=content)
        if not answer.returncode:
            return answer.stdout.strip()
        # it may be ours: an answer is lost where a leader is
        ours = [found for found in self.inspect("config", name) if config_text(found) == content]
        return str(ours[0]["ID"]) if ours else ""

    def ensure_secrets(self, values: Mapping[str, str], label: str) -> None:
        """Have secrets under these names; one that is there already has this value.

        Raises:
            CheckFailedError: The engine refuses one.
        """
        there = self.secrets()
        for name, value in values.items():
            if name not in there:
                self.create("secret", name, f"--label={label}", name, "-", stdin=value)

    def secrets(self) -> set[str]:
        """Return the names of all secrets.

        Raises:
            CheckFailedError: The engine does not tell.
        """
        return set(self.check_output("secret", "ls", "--format={{.Name}}").split())

    def ensure_network(self, name: str) -> None:
        """Have an overlay network that single containers may join too."""
        if not self.inspect("network", name):
            self.create("network", name, "--driver=overlay", "--attachable", name)

    def full_logs(self, service: str) -> CommandResult:
        """Return all that a service said, from all its replicas, by stream."""
        return self.run("service", "logs", "--raw", service)

    def tail_logs(self, service: str, lines: int = 30) -> str:
        """Return the last lines that a service said, from all its replicas, or a task of one."""
        answer = self.run("service", "logs", "--raw", f"--tail={lines}", service)
        return (answer.stdout + answer.stderr).strip()


def command_error(answer: CommandResult, *words: str) -> CheckFailedError:
    """Return what to say of a command that the engine did not do."""
    said = last_error_line(answer)
    what = f"`docker {' '.join(words[:2])}` failed: {said}"
    if found := failure_causes.find_cause(said):
        return CheckFailedError(f"{what} ({found.sentence})", hint=found.hint)
    return CheckFailedError(what, hint="look at the engine: docker service ls; docker node ls")


def config_text(config: JSONObject) -> str:
    """Return the content of a config."""
    return base64.b64decode(config["Spec"]["Data"]).decode()


def service_image(service: JSONObject) -> str:
    """Return the image that a service is meant to run."""
    return str(service["Spec"]["TaskTemplate"]["ContainerSpec"]["Image"])


def service_variable(service: JSONObject, name: str) -> str:
    """Return a variable that a service is told; nothing, if it is not."""
    told: Sequence[str] = service["Spec"]["TaskTemplate"]["ContainerSpec"].get("Env") or []
    return next((entry.partition("=")[2] for entry in told if entry.startswith(f"{name}=")), "")
