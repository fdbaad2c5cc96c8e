"""A fake engine that accepts all commands; its replicas run at once.

It replaces the one function that runs docker, so that all code above it is real.
What a real engine does with a bad release, is tested in `tests/acceptance/deploy`,
Here the test sets how the replicas of an image behave.
"""

import base64
import itertools
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from json import dumps
from typing import Any

from ruamel.yaml import YAML

from pipeline.deploy.cluster.client import SwarmClient
from pipeline.deploy.cluster.one_shot_jobs import END_MARKER
from pipeline.process import CommandResult
from tests.unit.deploy.factories import Object, make_service, make_task

Kind = dict[str, Object]
CHECK = ["CMD", "healthcheck"]
FACTS = {"info": "node-1", "version": "28.2.2 26.1.5", "node": "node-1 Ready Active", "image": ""}


@dataclass(frozen=True)
class FakeSwarm(SwarmClient):
    """A swarm of one node, on which nothing runs.

    Attributes:
        kinds: Its objects, by kind and name.
        options: The options of each job, by its name.
        requested: Its commands, a word of each command and the name it was about.
        ends: The state that the replicas of an image or a service come to, if they do not run.
        errors: The errors of the replicas of an image.
        checks: How images check themselves, where that is not the usual way.
        facts: Its `docker info`.
        message: What a job prints, by the end of its name, or a part of it.
        stops: The exit code of the replicas of an image that are stopped, and after how many looks
            at them they have ended; 0 and at once, if none is given.
        died: How many workers each replica of an image has lost, by the image.
        late: How many seconds its clock is ahead of the time at which objects were made.
    """

    kinds: dict[str, Kind] = field(default_factory=dict)
    requested: list[str] = field(default_factory=list)
    ends: dict[str, str] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    checks: dict[str, list[str] | None] = field(default_factory=dict)
    message: dict[str, str] = field(default_factory=dict)
    facts: dict[str, str] = field(default_factory=lambda: dict(FACTS))
    stops: dict[str, tuple[int | None, int]] = field(default_factory=dict)
    died: dict[str, int] = field(default_factory=dict)
    late: list[float] = field(default_factory=lambda: [0.0])
    options: dict[str, tuple[str, ...]] = field(default_factory=dict)
    numbers: Any = field(default_factory=itertools.count)

    def run(self, *arguments: str, stdin: str = "", **_: object) -> CommandResult:
        """Do what docker would."""
        options = dict(word[2:].partition("=")[::2] for word in arguments if word.startswith("--"))
        words = [word for word in arguments if not word.startswith("--")]
        self.requested.append(" ".join(words[:3]))
        answer = self.query(words, options)
        if answer is None:
            answer = self.execute(words, options, arguments, stdin)
        failed = answer is None
        return CommandResult(
            arguments, int(failed), answer or "", "already exists" if failed else ""
        )

    def query(self, words: list[str], options: dict[str, str]) -> str | None:
        """Answer a question; None, if it is none."""
        answer: str | None = None
        match words:
            case ["inspect", *names]:
                answer = dumps(self.found(options["type"], names))
            case ["config" | "secret" as kind, "ls"]:
                answer = "\n".join(self.names_with_label(kind, options.get("filter", "")))
            case ["service", "ls"]:
                answer = "\n".join(self.objects("service"))
            case ["service", "ps", name]:
                answer = "\n".join(f"{name}/{number}" for number in range(len(self.tasks_of(name))))
            case ["service", "logs", name]:
                answer = self.log_output(name) + ("" if "tail" in options else f"\n{END_MARKER}\n")
            case ["info"] if "SystemTime" in options["format"]:
                answer = now(self.late[0])
            case ["image", "ls"] | [("info" | "version" | "node" | "run"), *_]:
                answer = self.facts[words[0]]
        return answer

    def execute(
        self, words: list[str], options: dict[str, str], arguments: tuple[str, ...], stdin: str
    ) -> str | None:
        """Run a command; None, if it is refused."""
        match words:
            case ["config" | "secret" | "network" as kind, "create", name, *_]:
                return self.create_object(kind, name, options.get("label", "="), stdin)
            case ["config" | "secret" | "service" as kind, "rm", *names]:
                return self.remove_all(kind, names)
            case ["service", "create", image, *_]:
                everywhere = options.get("mode") == "global"
                self.start_service(
                    options["name"], image, [], self.places(everywhere=everywhere), "complete"
                )
                self.options[options["name"]] = arguments
            case ["service", "update", name] if "constraint-add" in options:
                self.stop(name)
            case ["service", "rollback", name]:
                return self.rollback_service(name)
            case ["stack", "deploy", stack]:
                self.deploy_stack(stack, stdin)
        return ""

    def places(self, *, everywhere: bool) -> int:
        """Return how many tasks a job has: no node that is paused gets one of a global service."""
        listed = self.facts["node"].splitlines()
        return sum(each.endswith("Ready Active") for each in listed) if everywhere else 1

    def rollback_service(self, name: str) -> str | None:
        """Roll a service back to its previous spec; None, if it has none."""
        now, former = self.objects("service")[name], self.objects("former").get(name)
        if former is None:
            return None
        self.objects("service")[name], self.objects("former")[name] = former, now
        return ""

    def objects(self, kind: str) -> Kind:
        """Return the objects of a kind, by name or number."""
        return self.kinds.setdefault(kind, {})

    def log_output(self, job: str) -> str:
        """Return what a job or a service prints."""
        received = [
            text for name, text in self.message.items() if job.endswith(name) or f"-{name}-" in job
        ]
        return received[0] if received else f"last log lines of {job}"

    def tasks_of(self, service: str) -> list[Object]:
        """Return the tasks of a service."""
        tasks: list[Object] = self.objects("service").get(service, {}).get("tasks", [])
        return tasks

    def found(self, kind: str, names: list[str]) -> list[Object]:
        """Return those objects that there are."""
        if kind == "image":
            return [
                {"Config": {"Healthcheck": {"Test": self.checks.get(name, CHECK)}}}
                for name in names
            ]
        if kind == "task":
            places = [name.rsplit("/", 1) for name in names]
            return [self.seen(self.tasks_of(name)[int(number)]) for name, number in places]
        return [self.objects(kind)[name] for name in names if name in self.objects(kind)]

    def seen(self, task: Object) -> Object:
        """Look at a task once more: one that stops is nearer to its end."""
        if "looks" in task:
            task["looks"] -= 1
            if task["looks"] < 0:
                task["Status"]["State"] = "shutdown"
        return task

    def stop(self, name: str) -> None:
        """Stop the replicas of a service, which are not started elsewhere."""
        for each in self.tasks_of(name):
            code, looks = self.stops.get(each["Spec"]["ContainerSpec"]["Image"], (0, 0))
            each |= {"DesiredState": "shutdown", "looks": looks}
            each["Status"]["ContainerStatus"] |= {"ExitCode": code}

    def names_with_label(self, kind: str, wanted: str) -> list[str]:
        """Return the names of objects with a label; of all, if there is none."""
        key, _, value = wanted.removeprefix("label=").partition("=")
        labels = {name: found["Spec"]["Labels"] for name, found in self.objects(kind).items()}
        fits = {name for name, has in labels.items() if value in {"", has.get(key)}}
        return [name for name, has in labels.items() if not key or (key in has and name in fits)]

    def create_object(self, kind: str, name: str, label: str, content: str) -> str | None:
        """Make an object; of one name there is one."""
        if name in self.objects(kind):
            return None
        data = base64.b64encode(content.encode()).decode()
        labels = dict([label.partition("=")[::2]])
        number = f"{kind}-{next(self.numbers)}"
        self.objects(kind)[name] = {
            "ID": number,
            "CreatedAt": now(),
            "Spec": {"Name": name, "Labels": labels, "Data": data},
        }
        return number

    def remove_all(self, kind: str, names: list[str]) -> str | None:
        """Remove objects by name or number."""
        known = [name for name, it in self.objects(kind).items() if {name, it["ID"]} & {*names}]
        for name in known:
            del self.objects(kind)[name]
        return "" if known else None

    def deploy_stack(self, stack: str, document: str) -> None:
        """Have the services of a stack file."""
        content = YAML(typ="safe", pure=True).load(document)
        for name, received in content["services"].items():
            env = [f"{key}={value}" for key, value in received.get("environment", {}).items()]
            replicas = received["deploy"].get("replicas", 1)
            self.start_service(f"{stack}_{name}", received["image"], env, replicas, "running")
            placed = received["deploy"].get("placement", {}).get("constraints")
            spec = self.objects("service")[f"{stack}_{name}"]["Spec"]
            spec["TaskTemplate"]["Placement"] = {"Constraints": placed}

    def start_service(
        self, name: str, image: str, env: list[str], replicas: int, state: str
    ) -> None:
        """Replace all replicas of a service at once."""
        received = make_service(
            image, state="completed" if name in self.objects("service") else None
        )
        received["Spec"]["TaskTemplate"]["ContainerSpec"]["Env"] = env
        new = [make_task(self.ends.get(name, self.ends.get(image, state))) for _ in range(replicas)]
        former = [{**each, "DesiredState": "shutdown"} for each in self.tasks_of(name)]
        for number, each in enumerate(new, len(former)):
            each["Spec"]["ContainerSpec"] = {"Image": image, "Env": env}
            each |= {"CreatedAt": now(), "NodeID": self.facts["info"], "ID": f"{name}/{number}"}
            each |= {"Slot": number + 1 - len(former)}
            each["Status"]["ContainerStatus"]["ContainerID"] = f"{next(self.numbers):064}"[::-1]
            each["Status"]["Err"] = self.errors.get(image, "")
        if name in self.objects("service"):
            self.objects("former")[name] = self.objects("service")[name]
        self.objects("service")[name] = {**received, "tasks": [*former, *new]}


def clock() -> datetime:
    """Return what the clock of the engine's machine shows."""
    return datetime.now(UTC)


def now(later: float = 0) -> str:
    """Return the time as the engine writes it."""
    return f"{clock() + timedelta(seconds=later):%Y-%m-%dT%H:%M:%S.%f}789Z"
