"""What a command works on: an environment, the client of its swarm, and the known secrets."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pipeline.deploy.cluster.client import SwarmClient
from pipeline.environments import Environment


@dataclass(frozen=True)
class DeployTarget:
    """An environment that is connected.

    Attributes:
        environment: The environment, from pipeline.toml.
        swarm: The client of its swarm.
        secrets: The values of its secrets; empty where a command needs none.
    """

    environment: Environment
    swarm: SwarmClient
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def stack(self) -> str:
        """The prefix of the names of all services."""
        return self.environment.stack

    @property
    def certificate(self) -> str:
        """The certificate to trust; empty, if an authority has signed it, or it is not known."""
        return self.environment.trusted_certificate({"TLS_CERTIFICATE": "", **self.secrets})
