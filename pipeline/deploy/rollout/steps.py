"""What a deployment does, step by step; each raises what it finds wrong."""

from collections.abc import Mapping, Sequence

from pipeline.deploy.cluster.convergence import hold, watch
from pipeline.deploy.cluster.graceful_stop import prove_stop
from pipeline.deploy.cluster.stackfile import NEXT, document, previews
from pipeline.deploy.progress import say
from pipeline.deploy.rollout.assets import begin_publishing, end_publishing
from pipeline.deploy.rollout.context import BACKEND, Deployment
from pipeline.deploy.rollout.health import health
from pipeline.deploy.rollout.migration import backend_job
from pipeline.deploy.rollout.schema_compatibility import require_way_on
from pipeline.deploy.smoke.runner import keeps_sessions, smoke
from pipeline.errors import CheckFailedError

PREVIEW_HEADER = "X-Preview"
UP_TO_DATE, SETTLED = "nothing is to be applied", "migrate has nothing to do"
"""What the self-check says of a database that has all migrations, and of one for which the whole
job that migrates would change nothing; anything else may be a gap."""


def self_check(deployment: Deployment) -> None:
    """Let the new image look at its settings, secrets and stores, on every node.

    The page's files are laid there meanwhile, and what is begun beside it is waited for in steps
    of its own. A preview is begun only where no migration comes between.

    Raises:
        CheckFailedError: Its migrations would take away what the release that serves uses.
    """
    assess(deployment)
    begin_assets(deployment)
    if not deployment.migrates:
        begin_preview(deployment)
    command = ["python", "manage.py", "self_check"]
    said = backend_job(deployment, "check", command, everywhere=True)
    deployment.up_to_date = UP_TO_DATE in said
    deployment.settled = deployment.up_to_date and SETTLED in said
    if deployment.before and not deployment.health.is_outage:  # else nothing is taken from users
        require_way_on(deployment.swarm, deployment.environment, deployment.before, said)


def begin_assets(deployment: Deployment) -> None:
    """Begin to lay the new page's files beside those of older pages, on every node.

    Users who have an old page open still get its files, wherever the roll has come to.
    """
    begin_publishing(deployment.swarm, deployment.environment, page_of(deployment))


def publish_assets(deployment: Deployment) -> None:
    """Have the new page's files on every node, before any new page.

    Raises:
        JobFailedError: A node could not.
    """
    end_publishing(deployment.swarm, deployment.environment, page_of(deployment))


def page_of(deployment: Deployment) -> str:
    """Return the image that has the new page."""
    return deployment.release.images["frontend"]


def show_preview(deployment: Deployment) -> None:
    """Prove one replica of everything beside what serves, where only we can reach it."""
    assess(deployment)
    require_health_checks(deployment)
    services, times = previews(deployment.services), deployment.environment.timings
    if deployment.migrates:  # else it was begun beside the self-check
        begin_preview(deployment)
    wanted = [deployment.wanted(name, service) for name, service in services.items()]
    for each in wanted:
        watch(deployment.swarm, each, times.start * 2)
    shown = {PREVIEW_HEADER: deployment.credentials["PREVIEW_TOKEN"]}
    led, backend = {**deployment.headers, **shown}, f"{BACKEND}{NEXT}"
    workers = deployment.workers_of(backend, services[backend], led)
    hold(deployment.swarm, wanted, times.soak, look=workers.look)
    walk_through(deployment, shown)
    if deployment.before and not deployment.health.is_outage and not deployment.log_out:
        require_sessions(deployment, led)
    workers.conclude()


def stop_preview(deployment: Deployment) -> None:
    """Stop the preview as a roll stops a replica, and prove that it ends as it should.

    In an outage users wait for the release, and it does no harm that it stops badly.
    """
    if deployment.health.is_outage:
        return say("how the preview stops is not proved: this is a rescue")
    wanted = [deployment.wanted(*each) for each in previews(deployment.services).items()]
    prove_stop(deployment.swarm, wanted, deployment.environment.timings)
    deployment.swarm.remove(*(each.service for each in wanted))
    return None


def begin_preview(deployment: Deployment) -> None:
    """Begin one replica of everything beside what serves."""
    services = previews(deployment.services)
    deployment.swarm.deploy(deployment.stack, document(deployment.stack, services))


def require_sessions(deployment: Deployment, preview: Mapping[str, str]) -> None:
    """Refuse a release that logs members out, or whose members the one that serves logs out.

    Both serve side by side while it is rolled out, and one of them after it.

    Raises:
        CheckFailedError: It does.
    """
    environment, values, live = deployment.environment, deployment.credentials, deployment.headers
    certificate = environment.certificate(values)
    try:
        kept = keeps_sessions(environment.url, values, live, preview, certificate)
        kept = kept and keeps_sessions(environment.url, values, preview, live, certificate)
    except CheckFailedError as error:
        return say(f"whether members stay logged in is not known: {error}")
    if not kept:
        raise CheckFailedError(
            "members would be logged out: what serves and the new release have other secret keys",
            hint="change DJANGO_SECRET_KEY in two steps (CI_CD.md); or --log-out, if they may be",
        )
    return None


def assess(deployment: Deployment) -> None:
    """Look how what is live serves, and say what follows if it does not."""
    live, headers, values = deployment.before, deployment.headers, deployment.credentials
    if live is None:
        return
    found = health(deployment.swarm, deployment.environment, live, headers, values)
    if str(found) != str(deployment.health):
        rescue = "; nothing is kept for it: this is a rescue" if found.is_outage else ""
        say(f"live release {live.version}: {str(found) or 'it serves again'}{rescue}")
    deployment.health = found


def require_health_checks(deployment: Deployment) -> None:
    """Refuse images that do not tell how they are: the engine would take a start for health.

    Raises:
        CheckFailedError: Names them.
    """
    images = [service["image"] for service in deployment.services.values()]
    bare = [
        image
        for image in images
        for found in deployment.swarm.inspect("image", image)  # here by now, unless it is drained
        if not is_check((found["Config"].get("Healthcheck") or {}).get("Test"))
    ]
    if bare:
        raise CheckFailedError(
            f"no health check is in {', '.join(bare)}", hint="give its Dockerfile a HEALTHCHECK"
        )


def is_check(told: Sequence[str] | None) -> bool:
    """Say whether this checks anything: https://docs.docker.com/reference/dockerfile/#healthcheck."""
    return bool(told) and told != ["NONE"]


def roll(deployment: Deployment, name: str) -> None:
    """Replace the replicas of one service, one after the other, each new one before an old one."""
    service, _ = deployment.services[name], deployment.exposure  # which begins before the roll
    deployment.touched.append(name)
    deployment.swarm.deploy(deployment.stack, document(deployment.stack, {name: service}))
    wanted, seconds = deployment.wanted(name, service), deployment.environment.deadline
    watch(deployment.swarm, wanted, seconds, look=deployment.look)


def bake(deployment: Deployment) -> None:
    """Watch the whole release for a while: what dies late, dies now, and users have used it."""
    wanted = [deployment.wanted(name, service) for name, service in deployment.services.items()]
    hold(deployment.swarm, wanted, deployment.environment.timings.bake, look=deployment.look)
    deployment.note = deployment.exposure.conclude()
    deployment.workers.conclude()


def last_walk(deployment: Deployment) -> None:
    """Walk through the site where users have it, and see that no worker died of that."""
    walk_through(deployment)
    deployment.workers.conclude()


def walk_through(deployment: Deployment, headers: Mapping[str, str] | None = None) -> None:
    """Walk through the site as a user does, and ask what runs there."""
    prove(deployment, deployment.release.version, headers or {})


def prove(deployment: Deployment, version: str, headers: Mapping[str, str]) -> None:
    """Walk through the site, and expect it to be of one version."""
    environment, values = deployment.environment, deployment.credentials
    given = {**deployment.headers, **headers}
    smoke(environment.url, version, values, given, environment.certificate(values))
