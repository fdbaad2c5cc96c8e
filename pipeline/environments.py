"""The environments of pipeline.toml."""

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Annotated

from pipeline.addresses import is_loopback, parse_origin, parse_ssh_host
from pipeline.toml import Fault
from pipeline.toml_schema import Constraint, Table, Text, matches_pattern, whole_number

_Seconds = Annotated[int, whole_number(0, 3600)]
_Stack = Annotated[
    str, matches_pattern(r"[a-z][a-z0-9-]{0,30}", "at most 31 lower-case letters, digits, hyphens")
]
_Url = Annotated[str, Constraint("an address like https://x.org", bool, show_value=False)]
_Host = Annotated[str, Constraint("an address like ssh://deploy@x.org", show_value=False)]
_HostKey = Annotated[
    str, matches_pattern(r"\S+ (ssh|ecdsa|sk)-\S+ \S+", "a line of ssh-keyscan", shown=False)
]
Variable = Annotated[
    str, matches_pattern(r"[A-Z][A-Z0-9_]*", "a variable's name like EMAIL_URL", shown=False)
]
REQUIRED_SECRETS = (
    "PREVIEW_TOKEN",
    "SMOKE_USER_EMAIL",
    "SMOKE_USER_PASSWORD",
    "TLS_CERTIFICATE",
    "TLS_KEY",
)
"""The secrets that the edge and the deployments of every environment read."""
_POSTGRES_PASSWORD, _DATABASE_URL = "POSTGRES_PASSWORD", "DATABASE_URL"
NOTIFY_URL = "NOTIFY_URL"
"""The webhook for deploy notifications; optional in every environment."""
SSH_KEY = "DEPLOY_SSH_KEY"
"""The SSH private key for the host; an operator on a laptop may use their own keys instead."""
_INFRASTRUCTURE_SECRETS = (
    "TLS_CERTIFICATE",
    "TLS_KEY",
    "PREVIEW_TOKEN",
    _POSTGRES_PASSWORD,
    NOTIFY_URL,
)
"""The secrets that only the edge, deployments and the database read."""


class Timings(Table):
    """Durations and time limits, in seconds."""

    start_timeout: _Seconds = 60
    """Time limit for a service to become healthy; about three times the measured time."""
    preview_soak: _Seconds = 15
    """How long the preview must stay healthy before the rollout starts."""
    delay: _Seconds = 10
    """How long the first new replica is monitored before the next one is replaced."""
    monitor: _Seconds = 15
    """How long Swarm monitors each new replica; it rolls back if one fails."""
    bake: _Seconds = 15
    """How long the whole release is monitored after the rollout."""
    drain: _Seconds = 5
    """How long a stopping replica goes on serving, until the edge has removed it."""
    stop_grace_period: _Seconds = 45
    """Time limit for a replica to stop: the drain and the longest request."""
    dump_timeout: _Seconds = 600
    """Time limit for a dump of the database, and for a restore."""
    migrate_timeout: _Seconds = 600
    """Time limit for migrations."""

    def _stops_after_drain(self) -> Iterator[Fault]:
        """Check that a replica is not killed while it drains."""
        if self.stop_grace_period <= self.drain:
            limit = f"would be killed after {self.stop_grace_period} s"
            yield Fault(("stop_grace_period",), f"a replica drains for {self.drain} s, and {limit}")

    RULES = (_stops_after_drain,)


class TrafficTolerance(Table):
    """Limits for users' requests; a release that exceeds one is rolled back."""

    max_error_rate_increase: Annotated[
        float, Constraint("a number from 0 to 1", lambda given: 0 <= given <= 1)
    ] = 0.01
    """Allowed increase of the share of failed requests."""
    max_latency_ratio: Annotated[float, Constraint("a number above 1", lambda given: given > 1)] = 3
    """Allowed ratio of the 95th percentile of latency, after to before."""
    latency_floor: Annotated[float, Constraint("a number from 0", lambda given: given >= 0)] = 1
    """Latencies below this many seconds are never too slow."""


class Environment(Table):
    """One environment: a Docker Swarm behind an edge."""

    DERIVED = ("name", "common_secrets", "optional_secrets")
    name: str
    """The name of its table; not a key of the file."""
    stack: _Stack = ""
    """The prefix of its services; by default the names of the product and of the environment. Two
    environments may share one.
    """
    url: _Url
    """The origin that users visit."""
    host: _Host = ""
    """The SSH address of a swarm manager; this machine, if empty."""
    known_hosts: tuple[_HostKey, ...] = ()
    """The host keys of the manager, as `ssh-keyscan` prints them, after a comparison."""
    allowed_refs: Annotated[tuple[Text, ...], Constraint("a list of at least one pattern", bool)]
    """Patterns of the branches and tags that may be deployed."""
    promote_from: str = ""
    """The environment in which a release must have served before."""
    confirm: bool = False
    """Whether a person must confirm a deployment."""
    replicas: Annotated[int, whole_number(1, 100)] = 2
    """The number of replicas of each service of the app."""
    port: Annotated[int, whole_number(1, 65535)] = 443
    """The port of the edge on each node."""
    managed_data: bool = False
    """Whether the stack contains PostgreSQL and Redis."""
    backup_before_migrate: bool = True
    """Whether the database is dumped before migrations; false, if its host does that."""
    variables: Mapping[Variable, str] = {}
    """Environment variables of the app that are not secret."""
    required_secrets: tuple[Variable, ...] = ()
    """Secrets that must be set here, in addition to those of every environment."""
    common_secrets: tuple[str, ...] = ()
    """The required ones of the table `secrets`; not a key of the file."""
    optional_secrets: tuple[str, ...] = ()
    """The optional ones of the table `secrets`; not a key of the file."""
    timings: Timings = Timings()
    """Durations and time limits of a deployment."""
    tolerance: TrafficTolerance = TrafficTolerance()
    """Limits for users' requests during a deployment."""

    def _has_database_to_dump(self) -> Iterator[Fault]:
        """Check that a database that is dumped has an address."""
        if self.backup_before_migrate and _DATABASE_URL not in self.secrets:
            yield Fault((), f"no secret `{_DATABASE_URL}`, which backup_before_migrate needs")

    def _has_no_secret_variables(self) -> Iterator[Fault]:
        """Check that no variable is a secret too."""
        for name in self.variables:
            if name in {*self.secrets, *self.optional_secrets}:
                yield Fault(("variables", name), "it is a secret, so its value must not be here")

    def _has_valid_addresses(self) -> Iterator[Fault]:
        """Check the addresses with the functions that read them later."""
        for key, reader in (("url", parse_origin), ("host", parse_ssh_host)):
            if address := getattr(self, key, ""):
                try:
                    reader(address)
                except ValueError as error:
                    yield Fault((key,), str(error))

    def _has_host_keys(self) -> Iterator[Fault]:
        """Check that the host keys of a remote manager are listed."""
        if self.host and not self.known_hosts:
            yield Fault(("host",), "it needs its keys in known_hosts, as ssh-keyscan prints them")

    RULES = (
        _has_database_to_dump,
        _has_no_secret_variables,
        _has_valid_addresses,
        _has_host_keys,
    )

    @property
    def secrets(self) -> tuple[str, ...]:
        """Secrets that must be set for a deployment."""
        own = (_POSTGRES_PASSWORD,) if self.managed_data else ()
        names = {*REQUIRED_SECRETS, *own, *self.common_secrets, *self.required_secrets}
        return tuple(sorted(names))

    @property
    def is_local(self) -> bool:
        """Whether it is on this machine only; then unscanned images are allowed."""
        return not self.host and is_loopback(parse_origin(self.url).host)

    def trusted_certificate(self, credentials: Mapping[str, str]) -> str:
        """Return the certificate to trust; empty, if an authority has signed it."""
        return credentials["TLS_CERTIFICATE"] if self.is_local else ""

    @property
    def app_secrets(self) -> list[str]:
        """The secrets that the app reads, required or optional."""
        return [
            name
            for name in dict.fromkeys((*self.secrets, *self.optional_secrets))
            if name not in _INFRASTRUCTURE_SECRETS
        ]

    @property
    def rollout_timeout(self) -> int:
        """Seconds after which the rollout of one service counts as stuck."""
        times = self.timings
        each = times.start_timeout + times.delay + times.drain + times.stop_grace_period
        return (self.replicas + 1) * each + times.monitor + 30

    def allows_ref(self, ref: str) -> bool:
        """Return whether a branch or tag may be deployed here."""
        return any(fnmatchcase(ref, pattern) for pattern in self.allowed_refs)
