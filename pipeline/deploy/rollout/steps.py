"""The steps of a deployment. Each raises an error when its check fails."""

from collections.abc import Mapping, Sequence
from functools import partial

from pipeline.config import load
from pipeline.deploy.cluster.convergence import wait_for_convergence, watch_stability
from pipeline.deploy.cluster.graceful_stop import check_graceful_stop
from pipeline.deploy.cluster.management_commands import management_arguments
from pipeline.deploy.cluster.stackfile import PREVIEW_SUFFIX, previews, stack_file
from pipeline.deploy.progress import log
from pipeline.deploy.rollout.assets import begin_publishing, end_publishing
from pipeline.deploy.rollout.context import Deployment
from pipeline.deploy.rollout.health import check_health
from pipeline.deploy.rollout.migration import run_api_job
from pipeline.deploy.rollout.schema_compatibility import require_forward_compatible
from pipeline.deploy.smoke.runner import keeps_sessions, run_smoke_test
from pipeline.errors import CheckFailedError

NO_MIGRATIONS_MARKER, SETTLED = "nothing is to be applied", "migrate has nothing to do"
"""Output of the self-check: no migration is pending; the migrate job would change nothing. Without
these lines the steps run, so that an unknown output skips nothing."""


def self_check(deployment: Deployment) -> None:
    """Run the self-check of the new image on every node: settings, secrets, database, cache.

    The jobs for assets, and without a migration also the preview, start at the same time. Their own
    steps wait for them.

    Raises:
        CheckFailedError: A migration would remove schema that the live release uses.
    """
    _check_live_release(deployment)
    _begin_assets(deployment)
    if not deployment.migrates:
        _begin_preview(deployment)
    command = management_arguments(load().app.commands.self_check)
    output = run_api_job(deployment, "check", command, everywhere=True)
    deployment.schema_is_current = NO_MIGRATIONS_MARKER in output
    deployment.settled = deployment.schema_is_current and SETTLED in output
    if (
        deployment.previous and not deployment.health.is_outage
    ):  # in an outage no user can lose anything
        require_forward_compatible(deployment.target, deployment.previous, output)


def _begin_assets(deployment: Deployment) -> None:
    """Start the job that copies the new page's assets next to those of older pages, on every node.

    Open pages still load their old assets at any moment of the roll.
    """
    if page := _page_of(deployment):
        begin_publishing(deployment.target, page)


def publish_assets(deployment: Deployment) -> None:
    """Wait until the new page's assets are on every node, before any new page is served.

    Raises:
        JobFailedError: The job failed on a node.
    """
    if page := _page_of(deployment):
        end_publishing(deployment.target, page)


def _page_of(deployment: Deployment) -> str:
    return deployment.release.images.get(load().app.page, "")


def deploy_preview(deployment: Deployment) -> None:
    """Run one replica of each new service next to the live ones, reachable by a private header."""
    _check_live_release(deployment)
    _require_health_checks(deployment)
    services, times = previews(deployment.services), deployment.environment.timings
    if deployment.migrates:  # otherwise it was started with the self-check
        _begin_preview(deployment)
    wanted = [deployment.expected_state(name, service) for name, service in services.items()]
    for each in wanted:
        wait_for_convergence(deployment.swarm, each, times.start_timeout * 2)
    app = load().app
    shown = {app.preview_header: deployment.secrets["PREVIEW_TOKEN"]}
    led, api = {**deployment.headers, **shown}, f"{app.api}{PREVIEW_SUFFIX}"
    workers = deployment.workers_of(api, services[api], led)
    watch_stability(deployment.swarm, wanted, times.preview_soak, look=workers.check)
    _smoke_test(deployment, shown)
    if deployment.previous and not deployment.health.is_outage and not deployment.log_out:
        _require_sessions_survive(deployment, led)
    workers.final_check()


def stop_preview(deployment: Deployment) -> None:
    """Stop the preview like a replica in the roll, and check that it stops gracefully.

    In an outage this check is skipped: a bad shutdown is less harm than a longer outage.
    """
    if deployment.health.is_outage:
        return log("the shutdown of the preview is not tested: this deploy ends an outage")
    wanted = [deployment.expected_state(*each) for each in previews(deployment.services).items()]
    check_graceful_stop(deployment.swarm, wanted, deployment.environment.timings)
    deployment.swarm.remove_services(*(each.service for each in wanted))
    return None


def _begin_preview(deployment: Deployment) -> None:
    """Start the preview services."""
    services = previews(deployment.services)
    deployment.swarm.deploy(deployment.stack, stack_file(deployment.stack, services))


def _require_sessions_survive(deployment: Deployment, preview: Mapping[str, str]) -> None:
    """Refuse a release that does not accept the sessions of the live one, or the other way round.

    Both serve at the same time during the roll, and requests of one user reach both.

    Raises:
        CheckFailedError: One of them logs users of the other out.
    """
    target, live = deployment.target, deployment.headers
    check = partial(keeps_sessions, target.environment.url, target.secrets)
    try:
        kept = check(live, preview, target.certificate)
        kept = kept and check(preview, live, target.certificate)
    except CheckFailedError as error:
        return log(f"cannot check whether users stay logged in: {error}")
    if not kept:
        raise CheckFailedError(
            "users would be logged out: the live and the new release have different secret keys",
            hint="change the secret key in two steps (CI_CD.md), or use --log-out",
        )
    return None


def _check_live_release(deployment: Deployment) -> None:
    """Update the health of the live release, and log a change."""
    live, headers = deployment.previous, deployment.headers
    if live is None:
        return
    found = check_health(deployment.target, live, headers)
    if str(found) != str(deployment.health):
        rescue = "; this deploy ends an outage" if found.is_outage else ""
        log(f"live release {live.version}: {str(found) or 'serves again'}{rescue}")
    deployment.health = found


def _require_health_checks(deployment: Deployment) -> None:
    """Refuse images without a HEALTHCHECK: the engine would count a started container as healthy.

    Raises:
        CheckFailedError: Names these images.
    """
    images = [service["image"] for service in deployment.services.values()]
    bare = [
        image
        for image in images
        for found in deployment.swarm.inspect(
            "image", image
        )  # pulled by the preview, unless this node is drained
        if not _has_healthcheck((found["Config"].get("Healthcheck") or {}).get("Test"))
    ]
    if bare:
        raise CheckFailedError(
            f"no HEALTHCHECK in {', '.join(bare)}", hint="give its Dockerfile a HEALTHCHECK"
        )


def _has_healthcheck(test: Sequence[str] | None) -> bool:
    """Return whether a test is set: https://docs.docker.com/reference/dockerfile/#healthcheck."""
    return bool(test) and test != ["NONE"]


def roll_service(deployment: Deployment, name: str) -> None:
    """Replace replicas one at a time; each new one starts before an old one stops."""
    # the monitor takes its baseline when it is first used: that must be before the roll
    service, _ = deployment.services[name], deployment.traffic_monitor
    deployment.rolled_services.append(name)
    deployment.swarm.deploy(deployment.stack, stack_file(deployment.stack, {name: service}))
    wanted, seconds = (
        deployment.expected_state(name, service),
        deployment.environment.rollout_timeout,
    )
    wait_for_convergence(deployment.swarm, wanted, seconds, look=deployment.look)


def bake(deployment: Deployment) -> None:
    """Watch the whole release for a while under the traffic of users, to catch late failures."""
    wanted = [
        deployment.expected_state(name, service) for name, service in deployment.services.items()
    ]
    watch_stability(
        deployment.swarm, wanted, deployment.environment.timings.bake, look=deployment.look
    )
    deployment.note = deployment.traffic_monitor.final_check()
    deployment.workers.final_check()


def final_smoke_test(deployment: Deployment) -> None:
    """Run the smoke test at the public URL, and check that no worker exited."""
    _smoke_test(deployment)
    deployment.workers.final_check()


def _smoke_test(deployment: Deployment, headers: Mapping[str, str] | None = None) -> None:
    """Run the smoke test, and expect the version of this release."""
    verify_release(deployment, deployment.release.version, headers or {})


def verify_release(deployment: Deployment, version: str, headers: Mapping[str, str]) -> None:
    """Run the smoke test, and expect a version."""
    environment, values = deployment.environment, deployment.secrets
    given = {**deployment.headers, **headers}
    run_smoke_test(environment.url, version, values, given, deployment.target.certificate)
