"""Tell what runs in an environment, what ran, and whether the journal is true."""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from operator import itemgetter
from os import environ
from typing import Any

from pipeline.deploy.cluster.client import Object, Swarm, image_of, variable_of
from pipeline.deploy.cluster.convergence import held_up
from pipeline.deploy.cluster.management_commands import leftovers
from pipeline.deploy.commands.maintenance import closed, insider
from pipeline.deploy.commands.site import foundation, users_find, workers_of
from pipeline.deploy.environment_secrets import credentials
from pipeline.deploy.progress import say
from pipeline.deploy.rollout.health import running_of
from pipeline.deploy.smoke.runner import smoke as walk
from pipeline.deploy.state import journal
from pipeline.deploy.state.audit_log import acts
from pipeline.deploy.state.deploy_lock import current, described, is_stale
from pipeline.deploy.state.journal import Entry
from pipeline.deploy.target import connected, engine_of
from pipeline.environments import Environment
from pipeline.errors import InputError, MigrationError, OutageError
from pipeline.process import run


def status(environment: Environment) -> int:
    """Print what runs, and whether users can reach it.

    Returns:
        0 if all is well, 1 if it is not what the journal says, and the code of `OutageError` if
        users cannot reach it, or what it stands on does not run.

    Raises:
        InputError: The engine does not answer.
    """
    swarm = connected(environment)
    known = journal.entries(swarm, environment.stack)
    live = journal.good(known)
    print(f"{environment.name}: {environment.url}")
    what = f"{live.version}, since {live.ended} by {live.by}" if live else "none yet"
    print(f"  release   {what}")
    faults = list(drift(swarm, environment, live)) if live else []
    for line in faults:
        print(f"  drift     {line}")
    if live and not faults:
        print("  healthy   every replica runs what the journal says")
    outage = list(outages(swarm, environment)) if live else []
    for line in outage:
        print(f"  outage    {line}")
    if live and not outage:
        print(f"  workers   {workers_of(swarm, environment, live, environ)}")
    if since := closed(swarm, environment):
        print(f"  closed    for maintenance, {since}")
    for line in after_migration(swarm, environment, known):
        print(f"  database  {line}")
    if waiting := journal.unfinished(known):
        print(f"  open      {waiting.kind} of {waiting.version}, since {waiting.started}")
    lock = current(swarm, environment.stack)
    stale = " (stale)" if lock and is_stale(swarm, environment.stack) else ""
    print(f"  lock      {described(lock)}{stale}" if lock else "  lock      free")
    return OutageError.exit_code if outage else int(bool(faults))


def after_migration(swarm: Swarm, environment: Environment, known: Sequence[Entry]) -> list[str]:
    """Return what the migration has left in the database that failed last, if nothing came after.

    Its job has a name of its own, since a deployment may run meanwhile.
    """
    if not known or known[-1].outcome != MigrationError.outcome:
        return []
    say(f"asking {known[-1].version} what its migration left in the database")
    name = f"leftovers-{uuid.uuid4().hex[:8]}"
    found = leftovers(swarm, environment, known[-1].services["backend"], name=name)
    return found or [f"the migration of {known[-1].version} failed, and has left nothing"]


def outages(swarm: Swarm, environment: Environment) -> Iterator[str]:
    """Yield what keeps users from a site; say what is well."""
    for name, running, meant in foundation(swarm, environment):
        if running < meant:
            yield f"{name} has {running} of {meant} replicas{lack(swarm, environment, name)}"
        else:
            print(f"  {name:9} runs")
    well, wrong = users_find(swarm, environment, environ)
    if wrong:
        yield f"users cannot open the site: {wrong}"
    else:
        print(f"  users     {well}")


def drift(swarm: Swarm, environment: Environment, live: Entry) -> Iterator[str]:
    """Return what is not as the journal says."""
    for name, service in live.services.items():
        found = swarm.service(f"{environment.stack}_{name}")
        if found is None:
            yield f"{name} is gone"
            continue
        if image_of(found) != service["image"] or variable_of(found, "DEPLOY_ID") != live.deploy_id:
            yield f"{name} is another release: {image_of(found)}"
        yield from (f"{name} {fault}" for fault in meddled(found, service))
        running = running_of(swarm, f"{environment.stack}_{name}")
        wanted = service["deploy"]["replicas"]
        if len(running) != wanted:
            yield f"{name} has {len(running)} of {wanted} replicas{lack(swarm, environment, name)}"


def lack(swarm: Swarm, environment: Environment, name: str) -> str:
    """Say what keeps replicas of a service from running; nothing, if that is not known."""
    service = f"{environment.stack}_{name}"
    return held_up(swarm, service, swarm.tasks(service)).sentence


def meddled(found: Object, service: Mapping[str, Any]) -> Iterator[str]:
    """Return what others changed of a service, or left half done, past the deployer.

    Args:
        found: The service, as the engine describes it.
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
        yield f"is told something else in {', '.join(other)}"


def serving(swarm: Swarm, environment: Environment) -> Entry:
    """Return the release that serves.

    Raises:
        InputError: There is none.
    """
    live = journal.good(journal.entries(swarm, environment.stack))
    if live is None:
        raise InputError(f"nothing serves in {environment.name} yet", hint="invoke deploy")
    return live


def history(environment: Environment) -> None:
    """Print what was done, the newest last; a deployment has a number to go back to."""
    swarm = connected(environment)
    lines = [
        (entry.started, str(entry.number), entry.kind, entry.version, entry.outcome, entry.by)
        for entry in journal.entries(swarm, environment.stack)
    ]
    lines += [
        (act.at, "", act.kind, act.what, act.outcome, act.by)
        for act in acts(swarm, environment.stack)
    ]
    if not lines:
        say(f"nothing was done in {environment.name} yet")
    for at, number, kind, what, outcome, by in sorted(lines, key=itemgetter(0)):
        print(f"{number:>4}  {at}  {kind:11}  {what:18}  {outcome or 'open':16}  {by}")


def smoke(environment: Environment) -> None:
    """Walk through an environment's site as it is now."""
    values = credentials(environment, environ)
    swarm = connected(environment)
    live = journal.good(journal.entries(swarm, environment.stack))
    headers = insider(swarm, environment, values)
    version = live.version if live else None
    walk(environment.url, version, values, headers, environment.certificate(values))


def logs(environment: Environment, service: str) -> int:
    """Follow what a service says."""
    command = ["docker", "service", "logs", "--follow", "--tail=100"]
    return run([*command, f"{environment.stack}_{service}"], env=engine_of(environment).variables())
