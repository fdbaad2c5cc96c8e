"""Prints the state of an environment, its history and its logs."""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from operator import itemgetter
from os import environ
from typing import Any

from pipeline.config import load
from pipeline.deploy.cluster.client import JSONObject, service_image, service_variable
from pipeline.deploy.cluster.convergence import blocking_cause
from pipeline.deploy.cluster.deploy_target import DeployTarget
from pipeline.deploy.cluster.management_commands import leftovers
from pipeline.deploy.commands.maintenance import bypass_headers, maintenance_since
from pipeline.deploy.commands.site import find_user_error, infrastructure_replicas, workers_of
from pipeline.deploy.environment_secrets import load_secrets
from pipeline.deploy.progress import log
from pipeline.deploy.rollout.health import running_tasks
from pipeline.deploy.smoke.runner import run_smoke_test as walk
from pipeline.deploy.state import journal
from pipeline.deploy.state.audit_log import entries
from pipeline.deploy.state.deploy_lock import describe_lock, is_stale, read_lock
from pipeline.deploy.state.journal import DeploymentRecord
from pipeline.deploy.target import connect, swarm_for
from pipeline.environments import Environment
from pipeline.errors import InputError, MigrationError, OutageError
from pipeline.process import run


def status(environment: Environment) -> int:
    """Print the state of an environment.

    Returns:
        0 if it is healthy, 1 if it differs from the journal, and the code of `OutageError` if users
        cannot reach the site, or a service that it needs does not run.

    Raises:
        InputError: The engine does not answer.
    """
    target = connect(environment, environ)
    known = journal.entries(target.swarm, environment.stack)
    live = journal.last_successful(known)
    print(f"{environment.name}: {environment.url}")
    what = f"{live.version}, since {live.ended} by {live.by}" if live else "none yet"
    print(f"  release   {what}")
    faults = list(find_drift(target, live)) if live else []
    for line in faults:
        print(f"  drift     {line}")
    if live and not faults:
        print("  healthy   every replica runs the live release")
    outage = list(find_outages(target)) if live else []
    for line in outage:
        print(f"  outage    {line}")
    if live and not outage:
        print(f"  workers   {workers_of(target, live)}")
    if since := maintenance_since(target):
        print(f"  closed    for maintenance, {since}")
    for line in _after_migration(target, known):
        print(f"  database  {line}")
    if waiting := journal.unfinished(known):
        print(f"  open      {waiting.kind} of {waiting.version}, since {waiting.started}")
    lock = read_lock(target.swarm, environment.stack)
    stale = " (stale)" if lock and is_stale(target.swarm, environment.stack) else ""
    print(f"  lock      {describe_lock(lock)}{stale}" if lock else "  lock      free")
    return OutageError.exit_code if outage else int(bool(faults))


def _after_migration(target: DeployTarget, known: Sequence[DeploymentRecord]) -> list[str]:
    """Return what the last failed migration left in the database.

    The job gets a unique name, because a deployment may run at the same time.
    """
    if not known or known[-1].outcome != MigrationError.outcome:
        return []
    log(f"checking what the migration of {known[-1].version} left in the database")
    name = f"leftovers-{uuid.uuid4().hex[:8]}"
    found = leftovers(target, known[-1].api, name=name)
    return found or [f"the migration of {known[-1].version} failed, and left nothing behind"]


def find_outages(target: DeployTarget) -> Iterator[str]:
    """Yield each reason why users cannot reach the site; print what works."""
    for name, running, desired in infrastructure_replicas(target):
        if running < desired:
            cause = _start_cause(target, name)
            yield f"{name} has {running} of {desired} replicas{cause}"
        else:
            print(f"  {name:9} runs")
    well, wrong = find_user_error(target)
    if wrong:
        yield f"users cannot open the site: {wrong}"
    else:
        print(f"  users     {well}")


def find_drift(target: DeployTarget, live: DeploymentRecord) -> Iterator[str]:
    """Yield each difference between the engine and the journal."""
    for name, service in live.services.items():
        found = target.swarm.service(f"{target.stack}_{name}")
        if found is None:
            yield f"{name} is missing"
            continue
        if (
            service_image(found) != service["image"]
            or service_variable(found, "DEPLOY_ID") != live.deploy_id
        ):
            yield f"{name} is another release: {service_image(found)}"
        yield from (f"{name} {fault}" for fault in _find_manual_changes(found, service))
        running = running_tasks(target.swarm, f"{target.stack}_{name}")
        wanted = service["deploy"]["replicas"]
        if len(running) != wanted:
            cause = _start_cause(target, name)
            yield f"{name} has {len(running)} of {wanted} replicas{cause}"


def _start_cause(target: DeployTarget, name: str) -> str:
    """Return the cause that keeps replicas of a service from running; empty if it is unknown."""
    service = f"{target.stack}_{name}"
    return blocking_cause(target.swarm, service, target.swarm.tasks(service)).sentence


def _find_manual_changes(found: JSONObject, service: Mapping[str, Any]) -> Iterator[str]:
    """Yield changes of a service that the deployer did not make.

    Args:
        found: The service of the engine.
        service: The service, as it was deployed.
    """
    state = (found.get("UpdateStatus") or {}).get("State", "completed")
    if state != "completed":
        yield f"has an update that did not complete: {state.replace('_', ' ')}"
    spec = found["Spec"]["TaskTemplate"]["ContainerSpec"]
    if spec.get("Args") or spec.get("Command"):
        yield "runs another command"
    wanted = {f"{name}={value}" for name, value in service["environment"].items()}
    if other := sorted({line.partition("=")[0] for line in {*spec.get("Env", ())} ^ wanted}):
        yield f"has other values of {', '.join(other)}"


def live_release(target: DeployTarget) -> DeploymentRecord:
    """Return the live release.

    Raises:
        InputError: There is none.
    """
    live = journal.last_successful(journal.entries(target.swarm, target.stack))
    if live is None:
        raise InputError(
            f"no release serves in {target.environment.name} yet", hint="invoke deploy"
        )
    return live


def history(environment: Environment) -> None:
    """Print all deployments and other commands, the newest last."""
    target = connect(environment)
    lines = [
        (entry.started, str(entry.number), entry.kind, entry.version, entry.outcome, entry.by)
        for entry in journal.entries(target.swarm, environment.stack)
    ]
    lines += [
        (act.at, "", act.kind, act.what, act.outcome, act.by)
        for act in entries(target.swarm, environment.stack)
    ]
    if not lines:
        log(f"{environment.name} has no history yet")
    for at, number, kind, what, outcome, by in sorted(lines, key=itemgetter(0)):
        print(f"{number:>4}  {at}  {kind:11}  {what:18}  {outcome or 'open':16}  {by}")


def smoke_test(environment: Environment) -> None:
    """Run the smoke test on the site of an environment."""
    values = load_secrets(environment, environ)
    target = connect(environment, values)
    live = journal.last_successful(journal.entries(target.swarm, environment.stack))
    headers = bypass_headers(target)
    version = live.version if live else None
    walk(environment.url, version, values, headers, target.certificate)


def follow_logs(environment: Environment, service: str | None) -> int:
    """Follow the logs of a service, by default of the API."""
    command = ["docker", "service", "logs", "--follow", "--tail=100"]
    name = f"{environment.stack}_{service or load().app.api}"
    return run([*command, name], env=swarm_for(environment).docker_env())
