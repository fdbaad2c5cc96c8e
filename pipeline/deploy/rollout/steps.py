"""What a deployment does, step by step; each raises what it finds wrong."""

from collections.abc import Mapping, Sequence

from pipeline.deploy.cluster.convergence import wait_for_convergence, watch_stability
from pipeline.deploy.cluster.graceful_stop import check_graceful_stop
from pipeline.deploy.cluster.stackfile import PREVIEW_SUFFIX, previews, stack_file
from pipeline.deploy.progress import log
from pipeline.deploy.rollout.assets import begin_publishing, end_publishing
from pipeline.deploy.rollout.context import BACKEND, Deployment
from pipeline.deploy.rollout.health import check_health
from pipeline.deploy.rollout.migration import run_backend_job
from pipeline.deploy.rollout.schema_compatibility import require_forward_compatible
from pipeline.deploy.smoke.runner import keeps_sessions, run_smoke_test
from pipeline.errors import CheckFailedError

PREVIEW_HEADER = "X-Preview"
NO_MIGRATIONS_MARKER, SETTLED = "nothing is to be applied", "migrate has nothing to do"
"""What the self-check says of a database that has all migrations, and of one for which the whole
job that migrates would change nothing; anything else may be a gap."""


def self_check(deployment: Deployment) -> None:
    """Let the new image look at its settings, secrets and stores, on every node.

    The page's files are laid there meanwhile, and what is begun beside it is waited for in steps
    of its own. A preview is begun only where no migration comes between.

    Raises:
        CheckFailedError: Its migrations would take away what the release that serves uses.
    """
    check_live_release(deployment)
    begin_assets(deployment)
    if not deployment.migrates:
        begin_preview(deployment)
    command = ["python", "manage.py", "self_check"]
    said = run_backend_job(deployment, "check", command, everywhere=True)
    deployment.schema_is_current = NO_MIGRATIONS_MARKER in said
    deployment.settled = deployment.schema_is_current and SETTLED in said
    if deployment.previous and not deployment.health.is_outage:  # else nothing is taken from users
        require_forward_compatible(
            deployment.swarm, deployment.environment, deployment.previous, said
        )


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


def deploy_preview(deployment: Deployment) -> None:
    """Prove one replica of everything beside what serves, where only we can reach it."""
    check_live_release(deployment)
    require_health_checks(deployment)
    services, times = previews(deployment.services), deployment.environment.timings
    if deployment.migrates:  # else it was begun beside the self-check
        begin_preview(deployment)
    wanted = [deployment.expected_state(name, service) for name, service in services.items()]
    for each in wanted:
        wait_for_convergence(deployment.swarm, each, times.start_timeout * 2)
    shown = {PREVIEW_HEADER: deployment.secrets["PREVIEW_TOKEN"]}
    led, backend = {**deployment.headers, **shown}, f"{BACKEND}{PREVIEW_SUFFIX}"
    workers = deployment.workers_of(backend, services[backend], led)
    watch_stability(deployment.swarm, wanted, times.preview_soak, look=workers.check)
    smoke_test(deployment, shown)
    if deployment.previous and not deployment.health.is_outage and not deployment.log_out:
        require_sessions_survive(deployment, led)
    workers.final_check()


def stop_preview(deployment: Deployment) -> None:
    """Stop the preview as a roll stops a replica, and prove that it ends as it should.

    In an outage users wait for the release, and it does no harm that it stops badly.
    """
    if deployment.health.is_outage:
        return log("how the preview stops is not proved: this is a rescue")
    wanted = [deployment.expected_state(*each) for each in previews(deployment.services).items()]
    check_graceful_stop(deployment.swarm, wanted, deployment.environment.timings)
    deployment.swarm.remove_services(*(each.service for each in wanted))
    return None


def begin_preview(deployment: Deployment) -> None:
    """Begin one replica of everything beside what serves."""
    services = previews(deployment.services)
    deployment.swarm.deploy(deployment.stack, stack_file(deployment.stack, services))


def require_sessions_survive(deployment: Deployment, preview: Mapping[str, str]) -> None:
    """Refuse a release that logs members out, or whose members the one that serves logs out.

    Both serve side by side while it is rolled out, and one of them after it.

    Raises:
        CheckFailedError: It does.
    """
    environment, values, live = deployment.environment, deployment.secrets, deployment.headers
    certificate = environment.trusted_certificate(values)
    try:
        kept = keeps_sessions(environment.url, values, live, preview, certificate)
        kept = kept and keeps_sessions(environment.url, values, preview, live, certificate)
    except CheckFailedError as error:
        return log(f"whether members stay logged in is not known: {error}")
    if not kept:
        raise CheckFailedError(
            "members would be logged out: what serves and the new release have other secret keys",
            hint="change DJANGO_SECRET_KEY in two steps (CI_CD.md); or --log-out, if they may be",
        )
    return None


def check_live_release(deployment: Deployment) -> None:
    """Look how what is live serves, and say what follows if it does not."""
    live, headers, values = deployment.previous, deployment.headers, deployment.secrets
    if live is None:
        return
    found = check_health(deployment.swarm, deployment.environment, live, headers, values)
    if str(found) != str(deployment.health):
        rescue = "; nothing is kept for it: this is a rescue" if found.is_outage else ""
        log(f"live release {live.version}: {str(found) or 'it serves again'}{rescue}")
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
        if not has_healthcheck((found["Config"].get("Healthcheck") or {}).get("Test"))
    ]
    if bare:
        raise CheckFailedError(
            f"no health check is in {', '.join(bare)}", hint="give its Dockerfile a HEALTHCHECK"
        )


def has_healthcheck(told: Sequence[str] | None) -> bool:
    """Say whether this checks anything: https://docs.docker.com/reference/dockerfile/#healthcheck."""
    return bool(told) and told != ["NONE"]


def roll_service(deployment: Deployment, name: str) -> None:
    """Replace the replicas of one service, one after the other, each new one before an old one."""
    # which begins before the roll
    service, _ = deployment.services[name], deployment.traffic_monitor
    deployment.rolled_services.append(name)
    deployment.swarm.deploy(deployment.stack, stack_file(deployment.stack, {name: service}))
    wanted, seconds = (
        deployment.expected_state(name, service),
        deployment.environment.rollout_timeout,
    )
    wait_for_convergence(deployment.swarm, wanted, seconds, look=deployment.look)


def bake(deployment: Deployment) -> None:
    """Watch the whole release for a while: what dies late, dies now, and users have used it."""
    wanted = [
        deployment.expected_state(name, service) for name, service in deployment.services.items()
    ]
    watch_stability(
        deployment.swarm, wanted, deployment.environment.timings.bake, look=deployment.look
    )
    deployment.note = deployment.traffic_monitor.final_check()
    deployment.workers.final_check()


def final_smoke_test(deployment: Deployment) -> None:
    """Walk through the site where users have it, and see that no worker died of that."""
    smoke_test(deployment)
    deployment.workers.final_check()


def smoke_test(deployment: Deployment, headers: Mapping[str, str] | None = None) -> None:
    """Walk through the site as a user does, and ask what runs there."""
    verify_release(deployment, deployment.release.version, headers or {})


def verify_release(deployment: Deployment, version: str, headers: Mapping[str, str]) -> None:
    """Walk through the site, and expect it to be of one version."""
    environment, values = deployment.environment, deployment.secrets
    given = {**deployment.headers, **headers}
    run_smoke_test(environment.url, version, values, given, environment.trusted_certificate(values))
