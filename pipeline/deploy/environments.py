"""Where releases go: the environments of pipeline.toml, all faults of the file at once."""

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Annotated, Any, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from pipeline.addresses import is_loopback, origin, ssh_host
from pipeline.config import FILE, load
from pipeline.errors import InputError
from pipeline.validation import readable_by, sentences

Seconds = Annotated[int, Field(ge=0, le=3600)]
Variable = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]*$")]
NEEDED = ("PREVIEW_TOKEN", "SMOKE_USER_EMAIL", "SMOKE_USER_PASSWORD", "TLS_CERTIFICATE", "TLS_KEY")
"""The secrets of every environment: its edge and its deployments read them."""
NOTIFY_URL = "NOTIFY_URL"
"""Where to tell what became of a deployment; every environment may go without."""
NOT_THE_APPS = ("TLS_CERTIFICATE", "TLS_KEY", "PREVIEW_TOKEN", "POSTGRES_PASSWORD", NOTIFY_URL)
"""The secrets that only its edge, its deployments and its database read."""


class Timings(BaseModel):
    """How long things take, or are given, in seconds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    start: Seconds = 60
    """A service is given to become healthy; three times what it was measured to need."""
    soak: Seconds = 15
    """The preview must stay healthy, before anything is rolled."""
    delay: Seconds = 10
    """The first new replica is watched alone, before the next one is rolled."""
    monitor: Seconds = 15
    """The engine itself watches each new replica, and rolls back on its own if one dies."""
    bake: Seconds = 15
    """The whole release is watched after the roll, before it is called good."""
    drain: Seconds = 5
    """A replica that is told to stop serves on: the edge hears of it that late."""
    grace: Annotated[Seconds, Field(validate_default=True)] = 45
    """A replica is given to stop: the drain, and the longest request."""
    dump: Seconds = 600
    """A dump of the database is given, and so is the way back from one."""
    migrate: Seconds = 600
    """Migrations are given."""

    @field_validator("grace")
    @classmethod
    def outlast_the_drain(cls, grace: int, info: ValidationInfo) -> int:
        """Find out now that requests would be cut: a replica that drains is not to be killed."""
        if grace <= (drain := info.data.get("drain", 0)):
            raise ValueError(
                f"a replica serves on for {drain} s, and would be ended after {grace} s"
            )
        return grace


class Tolerance(BaseModel):
    """How much worse users may get it by a release, before it is taken back."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    errors: Annotated[float, Field(ge=0, le=1)] = 0.01
    """The share of requests that may fail beyond the share that failed before."""
    slower: Annotated[float, Field(gt=1)] = 3
    """How many times as long the slowest twentieth of the requests may take."""
    seconds: Annotated[float, Field(ge=0)] = 1
    """What is faster than that is never too slow."""


class Environment(BaseModel):
    """One environment."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = ""
    stack: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,30}$")]
    """What its services are called in the engine; two environments may share one."""
    url: Annotated[str, Field(min_length=1), readable_by(origin)]
    host: Annotated[str, readable_by(ssh_host)] = ""
    """The manager to deploy through, such as ssh://deploy@example.com; this machine, if empty."""
    known_hosts: tuple[Annotated[str, Field(pattern=r"^\S+ (ssh|ecdsa|sk)-\S+ \S+$")], ...] = ()
    """The manager's own keys, as `ssh-keyscan` prints them once somebody has compared them."""
    refs: list[str] = Field(min_length=1)
    """The branches and tags that may be deployed to it, as patterns."""
    after: str = ""
    """The environment that a release has to have served in before."""
    confirm: bool = False
    """Whether a person has to agree on the screen."""
    replicas: Annotated[int, Field(ge=1, le=100)] = 2
    port: Annotated[int, Field(ge=1, le=65535)] = 443
    """Where the edge of each node listens."""
    data: bool = False
    """Whether it has no PostgreSQL and Redis of its own, so that we bring them."""
    dump: bool = True
    """Whether its database is dumped before it is migrated; false, if its host does that."""
    variables: dict[Variable, str] = {}
    secrets: list[Variable]
    """What has to be set before anything is deployed."""
    optional: list[Variable] = []
    """Secrets that the app gets where they are set, and can do without."""
    timings: Timings = Timings()
    tolerance: Tolerance = Tolerance()

    @field_validator("secrets")
    @classmethod
    def hold_what_is_needed(cls, secrets: list[str], info: ValidationInfo) -> list[str]:
        """Find out now what would otherwise be missing in the middle of a deployment."""
        brought = {"data": "POSTGRES_PASSWORD", "dump": "DATABASE_URL"}
        needed = [*NEEDED, *(name for key, name in brought.items() if info.data.get(key))]
        if missing := [name for name in needed if name not in secrets]:
            raise ValueError(f"it lacks {', '.join(missing)}")
        return secrets

    @model_validator(mode="after")
    def name_nothing_twice(self) -> Self:
        """Find out that nobody can tell whether something has to be set, or is a secret."""
        known = [*self.secrets, *self.optional, *self.variables]
        if twice := sorted({name for name in known if known.count(name) > 1}):
            raise ValueError(f"named twice: {', '.join(twice)}")
        return self

    @model_validator(mode="after")
    def know_the_host(self) -> Self:
        """Find out now that nobody could tell the manager from somebody in its place."""
        if self.host and not self.known_hosts:
            raise ValueError("known_hosts: a host needs its keys, as ssh-keyscan prints them")
        return self

    @property
    def is_local(self) -> bool:
        """Whether it is on this machine alone, so that it may run what nobody has scanned."""
        return not self.host and is_loopback(origin(self.url).host)

    def certificate(self, credentials: Mapping[str, str]) -> str:
        """Return the certificate of its edge, where no authority is asked to sign one."""
        return credentials["TLS_CERTIFICATE"] if self.is_local else ""

    @property
    def for_the_app(self) -> list[str]:
        """The secrets that its app may read, whether it has to or not."""
        return [name for name in (*self.secrets, *self.optional) if name not in NOT_THE_APPS]

    @property
    def deadline(self) -> int:
        """The seconds after which a roll of one service is stuck."""
        times = self.timings
        each = times.start + times.delay + times.drain + times.grace
        return (self.replicas + 1) * each + times.monitor + 30

    def allows(self, ref: str) -> bool:
        """Say whether a branch or tag may be deployed here."""
        return any(fnmatchcase(ref, pattern) for pattern in self.refs)


def environment(name: str) -> Environment:
    """Return an environment.

    Raises:
        InputError: There is none of that name, or pipeline.toml is wrong; every fault is named.
    """
    known = environments(load())
    if name not in known:
        raise InputError(f"no such environment: `{name}`", hint=f"there are: {', '.join(known)}")
    return known[name]


def environments(config: Mapping[str, Any]) -> dict[str, Environment]:
    """Read all environments.

    Raises:
        InputError: Names every fault with its path.
    """
    found: dict[str, Environment] = {}
    faults: list[str] = []
    given = config.get("environments", {})
    for name, entry in given.items():
        try:
            found[name] = read(name, entry, f"{config.get('name', '')}-{name}")
        except ValidationError as error:
            faults += sentences(error, "environments", name)
    for name, each in found.items():
        if each.after and each.after not in given:
            faults.append(f"environments.{name}.after: there is no environment {each.after}")
    if faults:
        raise InputError("; ".join(faults), hint=f"correct {FILE}; CI_CD.md explains each key")
    return found


def read(name: str, entry: Any, stack: str) -> Environment:  # noqa: ANN401 - what somebody wrote
    """Read one environment.

    Raises:
        ValidationError: Something is wrong with it.
    """
    given = {"stack": stack, **entry, "name": name} if isinstance(entry, dict) else entry
    return Environment.model_validate(given)
