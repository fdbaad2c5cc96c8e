"""The addresses of replicas, to assign an answer to a deployment."""

from collections.abc import Iterator, Sequence

from pipeline.deploy.cluster.client import JSONObject, SwarmClient
from pipeline.deploy.cluster.retry import retry_while_unavailable


class Replicas:
    """The addresses of a deployment's replicas, and of the replicas that it replaces.

    Addresses are kept, because the engine drops tasks that ended. An address that moves to this
    deployment counts as its own.
    """

    def __init__(self, swarm: SwarmClient, services: Sequence[str], deploy_id: str) -> None:
        self.swarm, self.services, self.deploy_id = swarm, services, deploy_id
        self.own: set[str] = set()
        self.others: set[str] = set()

    def refresh(self) -> None:
        """Add the addresses of all current replicas.

        Raises:
            EngineUnavailableError: The engine does not answer.
        """
        variable = f"DEPLOY_ID={self.deploy_id}"
        for service in self.services:
            for task in retry_while_unavailable(lambda name=service: self.swarm.tasks(name)):  # type: ignore[misc]
                is_own = variable in (task["Spec"]["ContainerSpec"].get("Env") or [])
                (self.own if is_own else self.others).update(_addresses(task))

    def has_own(self, address: str) -> bool:
        return address in self.own

    def has_other(self, address: str) -> bool:
        return address in self.others - self.own


def _addresses(task: JSONObject) -> Iterator[str]:
    """Yield the addresses of a task, without prefix lengths."""
    for attached in task.get("NetworksAttachments") or []:
        yield from (address.partition("/")[0] for address in attached.get("Addresses") or [])
