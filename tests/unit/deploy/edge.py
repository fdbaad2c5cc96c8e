"""An edge that connects to the replicas of a fake engine in turn, and returns worker reports."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from pipeline.deploy.cluster.stackfile import PREVIEW_SUFFIX
from pipeline.deploy.smoke.steps import Response, SmokeStep
from tests.unit.deploy.factories import Object
from tests.unit.deploy.fake_swarm import FakeSwarm

NOT_FOUND = Response(404)


@dataclass
class Edge:
    """An edge.

    Attributes:
        engine: What runs behind it.
        silent: Images of releases that know nothing of workers.
        requested: The number of requests.
    """

    engine: FakeSwarm
    silent: set[str] = field(default_factory=set)
    requested: int = 0

    def new_visitor(self, _: str, given: Mapping[str, str], __: str) -> "Client":
        """Return a client whose requests go to the preview by a header."""
        return Client(self, "shop_backend" + (PREVIEW_SUFFIX if "X-Preview" in given else ""))

    def answer(self, service: str) -> Response:
        """Return the response of the next replica of a service."""
        meant = [
            each for each in self.engine.tasks_of(service) if each["DesiredState"] == "running"
        ]
        task = meant[self.requested % len(meant)]
        self.requested += 1
        image = task["Spec"]["ContainerSpec"]["Image"]
        if image in self.silent:
            return NOT_FOUND
        content = json.dumps(self.received(task, self.engine.died.get(image, 0)))
        return Response(200, "application/json", content.encode())

    def received(self, task: Object, died: int) -> dict[str, object]:
        """Return the worker report of a replica."""
        env = dict(entry.split("=", 1) for entry in task["Spec"]["ContainerSpec"]["Env"])
        name = task["Status"]["ContainerStatus"]["ContainerID"][:12]
        return {"deploy_id": env.get("DEPLOY_ID", ""), "replica": name, "died": died}


@dataclass(frozen=True)
class Client:
    """A client of the replicas of a service."""

    edge: Edge
    service: str

    def send(self, _: SmokeStep, __: float) -> Response:
        """Ask one of them."""
        return self.edge.answer(self.service)
