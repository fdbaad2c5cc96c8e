"""Deploy a release, or put one back: a runbook in code.

What is found wrong before the roll touches no user. What is found wrong later puts the whole
release before it back, by digest, and proves that as it would prove a new one.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial

from pipeline.deploy import journal
from pipeline.deploy.environments import Environment
from pipeline.deploy.jobs import Job, JobFailedError, of_backend, run_job
from pipeline.deploy.journal import Entry
from pipeline.deploy.progress import timed
from pipeline.deploy.signals import uninterrupted
from pipeline.deploy.smoke import smoke
from pipeline.deploy.stack import NEXT, Release, Service, document, preview
from pipeline.deploy.swarm import Swarm
from pipeline.deploy.watch import Wanted, hold, watch
from pipeline.errors import (
    InterruptedDeployError,
    MigrationError,
    PipelineError,
    RollbackFailedError,
    RolledBackError,
    StoppedError,
)

ORDER = ("backend", "frontend")
"""The API first, since a new page may need it; on the way back it goes last."""
PREVIEW_HEADER = "X-Preview"


@dataclass
class Deployment:
    """One deployment under way.

    Attributes:
        environment: Where to.
        swarm: Its engine.
        release: What.
        services: How the engine is to have it.
        before: What is live until then, by the journal.
        credentials: The values of the environment's secrets.
        touched: The services of which users may already see the new release.
    """

    environment: Environment
    swarm: Swarm
    release: Release
    services: Mapping[str, Service]
    before: Entry | None
    credentials: Mapping[str, str]
    touched: list[str] = field(default_factory=list)

    @property
    def stack(self) -> str:
        """What the services' names begin with."""
        return self.environment.stack

    def wanted(self, name: str, service: Service) -> Wanted:
        """Return what a service has to come to."""
        told = service["environment"]["DEPLOY_ID"]
        return Wanted(f"{self.stack}_{name}", service["image"], told, service["deploy"]["replicas"])


Step = tuple[str, Callable[[Deployment], None]]


def deploy(deployment: Deployment, entry: Entry, *, migrate: bool = True) -> None:
    """Make a release the one that serves, or leave the one that did.

    Args:
        deployment: What and where.
        entry: What the journal is to say of it.
        migrate: Whether the database is brought forward; on the way back it stays.

    Raises:
        StoppedError: A fault was found before any user could see it.
        MigrationError: The database refused; nothing else was touched.
        RolledBackError: A fault was found later; the release before serves again.
        RollbackFailedError: And that could not be put back: somebody has to look at once.
    """
    swarm, stack = deployment.swarm, deployment.stack
    journal.begin(swarm, stack, entry)
    try:
        for name, step in steps(migrate=migrate):
            timed(name, partial(step, deployment))
    except (PipelineError, KeyboardInterrupt) as fault:
        error = undone(deployment, fault)
        journal.end(swarm, stack, entry, error.outcome, str(fault))
        raise error from None
    finally:
        clear(deployment)
    journal.end(swarm, stack, entry, journal.GOOD)


def steps(*, migrate: bool) -> Iterator[Step]:
    """Return the steps of a deployment in their order."""
    yield "self-check", self_check
    if migrate:
        yield "migrate", bring_forward
    yield "assets", publish_assets
    yield "preview", show_preview
    for name in ORDER:
        yield f"roll {name}", partial(roll, name=name)
    yield "bake", bake
    yield "smoke", walk_through


def self_check(deployment: Deployment) -> None:
    """Let the new image look at its settings, secrets and stores, on every node."""
    backend_job(deployment, "check", ["python", "manage.py", "self_check"], everywhere=True)


def bring_forward(deployment: Deployment) -> None:
    """Migrate the database, and have the user of the smoke test.

    Raises:
        MigrationError: The database refused.
    """
    script = "python manage.py migrate_safely && python manage.py ensure_user"
    try:
        backend_job(deployment, "migrate", ["sh", "-c", script])
    except JobFailedError as error:
        hint = "correct the migration; the release before serves on"
        raise MigrationError(str(error), hint=hint) from None


def backend_job(
    deployment: Deployment, name: str, command: list[str], *, everywhere: bool = False
) -> None:
    """Run a command of the new backend with its settings and secrets."""
    told = deployment.services["backend"]["environment"]
    job = of_backend(deployment.stack, name, deployment.release, told, command)
    seconds = deployment.environment.timings.migrate
    run_job(deployment.swarm, deployment.stack, job, seconds, everywhere=everywhere)


def publish_assets(deployment: Deployment) -> None:
    """Lay the new page's files beside those of older pages, on every node, before any new page.

    Whoever still has an old page open gets its files, wherever the roll has come to.
    """
    volume = f"--mount=type=volume,source={deployment.stack}-assets,destination=/published"
    command = ["cp", "--recursive", "--no-clobber", "/srv/www/assets", "/published/"]
    job = Job(
        f"{deployment.stack}-assets",
        deployment.release.images["frontend"],
        command[1:],
        {},
        [volume, "--user=0:0", f"--entrypoint={command[0]}"],
    )
    seconds = deployment.environment.timings.start
    run_job(deployment.swarm, deployment.stack, job, seconds, everywhere=True)


def show_preview(deployment: Deployment) -> None:
    """Prove one replica of everything beside what serves, where only we can reach it."""
    services = {
        f"{name}{NEXT}": preview(service, name) for name, service in deployment.services.items()
    }
    deployment.swarm.deploy(deployment.stack, document(deployment.stack, services))
    wanted = [deployment.wanted(name, service) for name, service in services.items()]
    for each in wanted:
        watch(deployment.swarm, each, deployment.environment.timings.start * 2)
    hold(deployment.swarm, wanted, deployment.environment.timings.soak)
    token = deployment.credentials["PREVIEW_TOKEN"]
    walk_through(deployment, {PREVIEW_HEADER: token})


def roll(deployment: Deployment, name: str) -> None:
    """Replace the replicas of one service, one after the other, each new one before an old one."""
    service = deployment.services[name]
    deployment.touched.append(name)
    deployment.swarm.deploy(deployment.stack, document(deployment.stack, {name: service}))
    watch(deployment.swarm, deployment.wanted(name, service), deployment.environment.deadline)


def bake(deployment: Deployment) -> None:
    """Watch the whole release for a while: what dies late, dies now."""
    wanted = [deployment.wanted(name, service) for name, service in deployment.services.items()]
    hold(deployment.swarm, wanted, deployment.environment.timings.bake)


def walk_through(deployment: Deployment, headers: Mapping[str, str] | None = None) -> None:
    """Walk through the site as a user does, and ask what runs there."""
    smoke(
        deployment.environment.url,
        deployment.release.version,
        deployment.credentials,
        headers or {},
    )


def undone(deployment: Deployment, fault: BaseException) -> StoppedError:
    """Put back what users may have seen of a release, and return how it ended."""
    if isinstance(fault, MigrationError):
        return fault
    interrupted = isinstance(fault, KeyboardInterrupt)
    why = "interrupted" if interrupted else str(fault)
    if not deployment.touched:
        kind = InterruptedDeployError if interrupted else StoppedError
        return kind(f"{why}\nnothing that serves was touched", hint=hint_of(fault))
    try:
        with uninterrupted():
            timed("put back", partial(put_back, deployment))
    except PipelineError as error:
        hint = "look at once: invoke status, invoke logs; then invoke rollback --to=…"
        return RollbackFailedError(f"{why}\nand going back failed: {error}", hint=hint)
    kind = InterruptedDeployError if interrupted else RolledBackError
    return kind(f"{why}\nthe release before serves again", hint=hint_of(fault))


def put_back(deployment: Deployment) -> None:
    """Have the release before serve again, and prove it.

    Raises:
        RollbackFailedError: There is none.
    """
    before = deployment.before
    if before is None:
        deployment.swarm.remove(*(f"{deployment.stack}_{name}" for name in deployment.touched))
        raise RollbackFailedError("there is no release before", hint="deploy one that works")
    for name in reversed(ORDER):
        if name in deployment.touched:
            services = {name: before.services[name]}
            deployment.swarm.deploy(deployment.stack, document(deployment.stack, services))
            wanted = deployment.wanted(name, before.services[name])
            watch(deployment.swarm, wanted, deployment.environment.deadline, again=True)
    smoke(deployment.environment.url, before.version, deployment.credentials, {})


def clear(deployment: Deployment) -> None:
    """Take the preview away, whatever became of it."""
    previews = [f"{deployment.stack}_{name}{NEXT}" for name in deployment.services]
    deployment.swarm.remove(*previews)


def hint_of(fault: BaseException) -> str:
    """Return what a fault says is to be done."""
    return fault.hint if isinstance(fault, PipelineError) else "deploy again when you are ready"
