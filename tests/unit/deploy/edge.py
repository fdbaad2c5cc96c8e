"""An edge that asks the replicas of a stand-in engine in turn, for what their workers tell."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from pipeline.deploy.cluster.stackfile import PREVIEW_SUFFIX
from pipeline.deploy.smoke.scenario import Response, SmokeStep
from tests.unit.deploy.factories import Object
from tests.unit.deploy.fake_swarm import FakeSwarm

NOT_FOUND = Response(404)


@dataclass
class Edge:
    """An edge.

    Attributes:
        engine: What runs behind it.
        silent: Images of releases that know nothing of workers.
        asked: How often it was asked.
    """

    engine: FakeSwarm
    silent: set[str] = field(default_factory=set)
    asked: int = 0

    def new_visitor(self, _: str, given: Mapping[str, str], __: str) -> "Visitor":
        """Return who asks, and is led to the preview by its header."""
        return Visitor(self, "shop_backend" + (PREVIEW_SUFFIX if "X-Preview" in given else ""))

    def answer(self, service: str) -> Response:
        """Return what the next replica of a service says."""
        meant = [
            each for each in self.engine.tasks_of(service) if each["DesiredState"] == "running"
        ]
        task = meant[self.asked % len(meant)]
        self.asked += 1
        image = task["Spec"]["ContainerSpec"]["Image"]
        if image in self.silent:
            return NOT_FOUND
        content = json.dumps(self.told(task, self.engine.died.get(image, 0)))
        return Response(200, "application/json", content.encode())

    def told(self, task: Object, died: int) -> dict[str, object]:
        """Return what a replica says of its workers."""
        env = dict(entry.split("=", 1) for entry in task["Spec"]["ContainerSpec"]["Env"])
        name = task["Status"]["ContainerStatus"]["ContainerID"][:12]
        return {"deploy_id": env.get("DEPLOY_ID", ""), "replica": name, "died": died}


@dataclass(frozen=True)
class Visitor:
    """One who asks the replicas of a service."""

    edge: Edge
    service: str

    def send(self, _: SmokeStep, __: float) -> Response:
        """Ask one of them."""
        return self.edge.answer(self.service)
