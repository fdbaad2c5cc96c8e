"""Whose replicas are whose, by their addresses in the network of a stack."""

from collections.abc import Iterator, Sequence

from pipeline.deploy.cluster.client import JSONObject, SwarmClient
from pipeline.deploy.cluster.retry import retry_while_unavailable


class Replicas:
    """The addresses of a deployment's replicas, and of those of others that it replaces.

    An address is remembered, since the engine forgets tasks that ended; one that came to this
    deployment later is its own.
    """

    def __init__(self, swarm: SwarmClient, services: Sequence[str], deploy_id: str) -> None:
        self.swarm, self.services, self.deploy_id = swarm, services, deploy_id
        self.own: set[str] = set()
        self.others: set[str] = set()

    def refresh(self) -> None:
        """Learn of the replicas that there are now.

        Raises:
            EngineAwayError: The engine does not say.
        """
        told = f"DEPLOY_ID={self.deploy_id}"
        for service in self.services:
            for task in retry_while_unavailable(lambda name=service: self.swarm.tasks(name)):  # type: ignore[misc]
                is_own = told in (task["Spec"]["ContainerSpec"].get("Env") or [])
                (self.own if is_own else self.others).update(addresses(task))

    def has_own(self, address: str) -> bool:
        """Say whether this deployment's replica has an address."""
        return address in self.own

    def has_other(self, address: str) -> bool:
        """Say whether a replica of another deployment has an address."""
        return address in self.others - self.own


def addresses(task: JSONObject) -> Iterator[str]:
    """Yield the addresses of a task, without the sizes of their networks."""
    for attached in task.get("NetworksAttachments") or []:
        yield from (address.partition("/")[0] for address in attached.get("Addresses") or [])
