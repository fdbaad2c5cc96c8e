"""Where releases go: what pipeline.toml says of each environment."""

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Annotated

from pipeline.addresses import is_loopback, parse_origin, parse_ssh_host
from pipeline.schema import Constraint, Table, Text, matches_pattern, whole_number
from pipeline.toml import Fault

Seconds = Annotated[int, whole_number(0, 3600)]
Stack = Annotated[
    str, matches_pattern(r"[a-z][a-z0-9-]{0,30}", "at most 31 small letters, digits, hyphens")
]
Url = Annotated[str, Constraint("an address like https://x.org", bool, show_value=False)]
Host = Annotated[str, Constraint("an address like ssh://deploy@x.org", show_value=False)]
HostKey = Annotated[
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
"""The secrets of every environment: its edge and its deployments read them."""
NOTIFY_URL = "NOTIFY_URL"
"""Where to tell what became of a deployment; every environment may go without."""
INFRASTRUCTURE_SECRETS = (
    "TLS_CERTIFICATE",
    "TLS_KEY",
    "PREVIEW_TOKEN",
    "POSTGRES_PASSWORD",
    NOTIFY_URL,
)
"""The secrets that only its edge, its deployments and its database read."""


class Timings(Table):
    """How long things take, or are given, in seconds."""

    start_timeout: Seconds = 60
    """A service is given to become healthy; three times what it was measured to need."""
    preview_soak: Seconds = 15
    """The preview must stay healthy, before anything is rolled."""
    delay: Seconds = 10
    """The first new replica is watched alone, before the next one is rolled."""
    monitor: Seconds = 15
    """The engine itself watches each new replica, and rolls back on its own if one dies."""
    bake: Seconds = 15
    """The whole release is watched after the roll, before it is called good."""
    drain: Seconds = 5
    """A replica that is told to stop serves on: the edge hears of it that late."""
    stop_grace_period: Seconds = 45
    """A replica is given to stop: the drain, and the longest request."""
    dump_timeout: Seconds = 600
    """A dump of the database is given, and so is the way back from one."""
    migrate_timeout: Seconds = 600
    """Migrations are given."""

    def _outlasts_the_drain(self) -> Iterator[Fault]:
        """Find out now that requests would be cut: a replica that drains is not to be killed."""
        if self.stop_grace_period <= self.drain:
            ends = f"would be ended after {self.stop_grace_period} s"
            yield Fault(
                ("stop_grace_period",), f"a replica serves on for {self.drain} s, and {ends}"
            )

    RULES = (_outlasts_the_drain,)


class TrafficTolerance(Table):
    """How much worse users may get it by a release, before it is taken back."""

    max_error_rate_increase: Annotated[
        float, Constraint("a number from 0 to 1", lambda given: 0 <= given <= 1)
    ] = 0.01
    """The share of requests that may fail beyond the share that failed before."""
    max_latency_ratio: Annotated[float, Constraint("a number above 1", lambda given: given > 1)] = 3
    """How many times as long the slowest twentieth of the requests may take."""
    latency_floor: Annotated[float, Constraint("a number from 0", lambda given: given >= 0)] = 1
    """What is faster than that is never too slow."""


class Environment(Table):
    """One environment: a Docker Swarm behind an edge."""

    name: str
    """That of its table; it is not written again."""
    stack: Stack
    """What its services are called in the engine; else the product's name and its own. Two
    environments may share one."""
    url: Url
    """Where its users find it."""
    host: Host = ""
    """The manager to deploy through; this machine, if empty."""
    known_hosts: tuple[HostKey, ...] = ()
    """The manager's own keys, as `ssh-keyscan` prints them, once they were compared."""
    allowed_refs: Annotated[tuple[Text, ...], Constraint("a list of at least one pattern", bool)]
    """The branches and tags that may be deployed to it, as patterns."""
    promote_from: str = ""
    """The environment that a release has to have served in before."""
    confirm: bool = False
    """Whether a person has to agree on the screen."""
    replicas: Annotated[int, whole_number(1, 100)] = 2
    """How many containers each service of the app has."""
    port: Annotated[int, whole_number(1, 65535)] = 443
    """Where the edge of each node listens."""
    managed_data: bool = False
    """Whether it has no PostgreSQL and Redis of its own, so that we bring them."""
    backup_before_migrate: bool = True
    """Whether its database is dumped before it is migrated; false, if its host does that."""
    variables: Mapping[Variable, str] = {}
    """What its app is told that is no secret."""
    secrets: tuple[Variable, ...]
    """What has to be set before anything is deployed."""
    optional_secrets: tuple[Variable, ...] = ()
    """Secrets that the app gets where they are set, and can do without."""
    timings: Timings = Timings()
    """How long its steps take."""
    tolerance: TrafficTolerance = TrafficTolerance()
    """How much worse users may get it by a release."""

    def _holds_what_is_needed(self) -> Iterator[Fault]:
        """Find out now what would otherwise be missing in the middle of a deployment."""
        brought = {"POSTGRES_PASSWORD": "managed_data", "DATABASE_URL": "backup_before_migrate"}
        needed = [
            *REQUIRED_SECRETS,
            *(name for name, key in brought.items() if getattr(self, key, False)),
        ]
        if missing := [name for name in needed if name not in self.secrets]:
            yield Fault(("secrets",), f"it lacks {', '.join(missing)}")

    def _names_nothing_twice(self) -> Iterator[Fault]:
        """Find a name of which nothing tells whether it has to be set, or is a secret."""
        known = [*self.secrets, *self.optional_secrets, *self.variables]
        if twice := sorted({name for name in known if known.count(name) > 1}):
            yield Fault((), f"named twice: {', '.join(twice)}")

    def _has_addresses(self) -> Iterator[Fault]:
        """Find out now what is no address, by what reads it later; it may hold a password."""
        for key, reader in (("url", parse_origin), ("host", parse_ssh_host)):
            if address := getattr(self, key, ""):
                try:
                    reader(address)
                except ValueError as error:
                    yield Fault((key,), str(error))

    def _knows_its_host(self) -> Iterator[Fault]:
        """Find out now that another machine could be taken for the manager."""
        if self.host and not self.known_hosts:
            yield Fault(("host",), "it needs its keys in known_hosts, as ssh-keyscan prints them")

    RULES = (_holds_what_is_needed, _names_nothing_twice, _has_addresses, _knows_its_host)

    @property
    def is_local(self) -> bool:
        """Whether it is on this machine alone, so that it may run what was never scanned."""
        return not self.host and is_loopback(parse_origin(self.url).host)

    def trusted_certificate(self, credentials: Mapping[str, str]) -> str:
        """Return the certificate of its edge, where no authority is asked to sign one."""
        return credentials["TLS_CERTIFICATE"] if self.is_local else ""

    @property
    def app_secrets(self) -> list[str]:
        """The secrets that its app may read, whether it has to or not."""
        return [
            name
            for name in (*self.secrets, *self.optional_secrets)
            if name not in INFRASTRUCTURE_SECRETS
        ]

    @property
    def rollout_timeout(self) -> int:
        """The seconds after which a roll of one service is stuck."""
        times = self.timings
        each = times.start_timeout + times.delay + times.drain + times.stop_grace_period
        return (self.replicas + 1) * each + times.monitor + 30

    def allows_ref(self, ref: str) -> bool:
        """Say whether a branch or tag may be deployed here."""
        return any(fnmatchcase(ref, pattern) for pattern in self.allowed_refs)
