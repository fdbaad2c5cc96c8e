"""Checks everything that a deployment needs, without changing anything."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from functools import partial
from os import environ

from pipeline.deploy.cluster.client import SwarmClient
from pipeline.deploy.cluster.convergence import blocking_cause
from pipeline.deploy.cluster.deploy_target import DeployTarget
from pipeline.deploy.commands.site import find_user_error, infrastructure_replicas, workers_of
from pipeline.deploy.commands.status import find_drift
from pipeline.deploy.database import require_database_url
from pipeline.deploy.environment_secrets import load_secrets, secret_object_name
from pipeline.deploy.preflight import certificate, docker_engine, variables
from pipeline.deploy.preflight.model import FAILED, INCONCLUSIVE, Check, CheckResult, run_check
from pipeline.deploy.rollout.edge import edge_config_in_use, edge_config_name
from pipeline.deploy.state import journal
from pipeline.deploy.state.journal import DeploymentRecord
from pipeline.deploy.target import swarm_for
from pipeline.environments import Environment
from pipeline.errors import (
    CheckFailedError,
    InconclusiveError,
    InputError,
    PipelineError,
    clear_inconclusive,
)

_CHECK_NAME = "doctor"


def doctor(environment: Environment, *, as_json: bool = False) -> int:
    """Print the result of each check; return 1 if one failed.

    Args:
        environment: The target of a deployment.
        as_json: Print JSON instead of a table.

    Raises:
        InconclusiveError: No check failed, but some were inconclusive.
    """
    found = list(run_checks(environment))
    as_data = [json.dumps([asdict(each) for each in found], indent=2)]
    print("\n".join(as_data if as_json else _format_table(found)))
    if any(each.state == FAILED for each in found):
        return 1
    if left := [each.check for each in found if each.state == INCONCLUSIVE]:
        raise InconclusiveError(
            _CHECK_NAME,
            "some checks were inconclusive",
            detail=", ".join(left),
            hint="see the table",
        )
    clear_inconclusive(_CHECK_NAME)
    return 0


def _format_table(found: list[CheckResult]) -> Iterator[str]:
    """Yield the lines of a table, each hint below its result."""
    width = max(len(each.check) for each in found)
    for each in found:
        yield f"{each.check:{width}}  {each.state:12}  {each.what}"
        if each.hint:
            yield f"{'':{width}}  {'':12}  hint: {each.hint}"


def run_checks(environment: Environment) -> Iterator[CheckResult]:
    """Yield the result of each check."""
    for check, look in _local_checks(environment):
        yield run_check(check, look)
    try:
        values = load_secrets(environment, environ)
    except InputError as error:
        values = {}
        yield CheckResult("secrets", FAILED, str(error), error.hint)
    else:
        yield CheckResult("secrets", "ok", f"all {len(environment.secrets)} are set here")
    yield run_check("certificate", partial(_check_certificate, environment, values))
    yield run_check("database", partial(_check_database_url, environment, values))
    try:
        yield from _run_engine_checks(environment, values)
    except PipelineError as error:  # the engine was lost between two checks
        yield CheckResult("engine", FAILED, str(error), error.hint)


def _run_engine_checks(
    environment: Environment, values: Mapping[str, str]
) -> Iterator[CheckResult]:
    """Yield the results of the checks that need the engine.

    Raises:
        InputError: The host cannot be reached.
        CheckFailedError: The engine does not answer any more.
    """
    swarm = swarm_for(environment)
    swarm.docker_env()  # an unreachable host reports its reason once
    for check, look in _engine_checks(swarm):
        finding = run_check(check, look)
        yield finding
        if finding.state == FAILED:  # all later checks would fail too
            return
    for check, look in _site_checks(DeployTarget(environment, swarm, values)):
        yield run_check(check, look)


def _local_checks(environment: Environment) -> Iterator[tuple[str, Check]]:
    """Yield the checks of files and tools on this machine."""
    yield "example", variables.check_env_example
    yield "variables", partial(variables.check_required_variables, environment)
    yield "readers", partial(variables.check_unused_variables, environment)
    yield "workflow", partial(variables.check_workflow_secrets, environment)
    for tool in ("cosign", "syft"):
        yield tool, partial(docker_engine.check_tool, tool)


def _engine_checks(swarm: SwarmClient) -> Iterator[tuple[str, Check]]:
    """Yield the checks that all later ones depend on."""
    yield "engine", partial(docker_engine.check_engine_version, swarm)
    yield "swarm", partial(docker_engine.check_nodes, swarm)


def _site_checks(target: DeployTarget) -> Iterator[tuple[str, Check]]:
    """Yield the checks of the site and its infrastructure."""
    known = journal.entries(target.swarm, target.stack)
    live = journal.last_successful(known)
    yield "clock", partial(docker_engine.check_clock, target.swarm)
    yield "disk", partial(docker_engine.check_disk, target.swarm, live)
    yield "registry", partial(docker_engine.check_registry, live)
    yield "lock", partial(docker_engine.check_lock, target.swarm, target.stack)
    yield "journal", partial(_check_journal, known)
    yield "release", partial(_check_release, target, live)
    yield "edge", partial(_check_edge, target)
    if live:
        yield "foundation", partial(check_infrastructure, target)
        yield "users", partial(_check_site_opens, target)
        yield "workers", partial(_workers_live, target, live)


def _check_certificate(environment: Environment, values: Mapping[str, str]) -> str:
    """Check the certificate of the edge.

    Raises:
        CheckFailedError: It is not valid.
        InconclusiveError: The secrets are not set here.
    """
    if not values:
        raise InconclusiveError("certificate", "the secrets are not set here", hint="set them")
    return certificate.check_certificate(
        values["TLS_CERTIFICATE"], values["TLS_KEY"], environment.url
    )


def _check_database_url(environment: Environment, values: Mapping[str, str]) -> str:
    """Check that a dump can read the database address of the app.

    Raises:
        InputError: The address cannot be written to a service file.
        InconclusiveError: The secrets are not set here.
    """
    if not environment.backup_before_migrate:
        return "its host makes the dumps"
    if not values:
        raise InconclusiveError("database", "the secrets are not set here", hint="set them")
    require_database_url(values)
    return "its address works for dumps"


def _check_journal(known: list[DeploymentRecord]) -> str:
    """Check that the last deployment has ended.

    Raises:
        CheckFailedError: It never ended.
    """
    if waiting := journal.unfinished(known):
        raise CheckFailedError(
            f"the {waiting.kind} of {waiting.version} never ended", hint="invoke deploy --recover"
        )
    return f"{len(known)} entries"


def _check_release(target: DeployTarget, live: DeploymentRecord | None) -> str:
    """Check that the live release of the journal runs.

    Raises:
        CheckFailedError: It does not.
        InconclusiveError: The journal is empty.
    """
    if live is None:
        raise InconclusiveError("release", "none yet", hint="invoke deploy")
    if found := list(find_drift(target, live)):
        raise CheckFailedError("; ".join(found), hint="invoke status; invoke logs")
    return f"{live.version}, since {live.ended}"


def check_infrastructure(target: DeployTarget) -> str:
    """Check that the edge, PostgreSQL and Redis run.

    Raises:
        CheckFailedError: Names the services without replicas.
    """
    found = list(infrastructure_replicas(target))
    if lacking := [each for each in found if each[1] < each[2]]:
        services = [f"{target.stack}_{name}" for name, *_ in lacking]
        why = [
            blocking_cause(target.swarm, service, target.swarm.tasks(service))
            for service in services
        ]
        counts = [f"{name} has {up} of {all_} replicas" for name, up, all_ in lacking]
        text = "; ".join(f"{what}{each.sentence}" for what, each in zip(counts, why, strict=True))
        raise CheckFailedError(text, hint="; ".join(dict.fromkeys(cause.hint for cause in why)))
    return f"{', '.join(name for name, *_ in found)} run"


def _check_site_opens(target: DeployTarget) -> str:
    """Check that the site opens at its public URL.

    Raises:
        CheckFailedError: It does not.
    """
    well, wrong = find_user_error(target)
    if wrong:
        raise CheckFailedError(wrong, hint="invoke status; invoke logs")
    return well


def _workers_live(target: DeployTarget, live: DeploymentRecord) -> str:
    """Check that no worker exited inside a replica, which the engine does not notice.

    Raises:
        CheckFailedError: Workers exited.
        InconclusiveError: Not all replicas report.
    """
    workers = workers_of(target, live)
    if fault := workers.fault():
        raise CheckFailedError(fault, hint=workers.hint)
    if not workers.has_all_reports:
        raise InconclusiveError("workers", f"{workers.share} replicas report", hint="invoke status")
    return str(workers)


def _check_edge(target: DeployTarget) -> str:
    """Check that the edge runs the current configuration and certificate.

    Raises:
        CheckFailedError: It runs other ones.
        InconclusiveError: There is no edge, or the secrets are not set here.
    """
    edge = target.swarm.service(f"{target.stack}_edge")
    if edge is None or not target.secrets:
        raise InconclusiveError("edge", "no edge, or no secrets to compare", hint="invoke deploy")
    name = "TLS_CERTIFICATE"
    current = secret_object_name(target.stack, name, target.secrets[name])
    mounted = edge["Spec"]["TaskTemplate"]["ContainerSpec"].get("Secrets") or []
    old = [] if current in {each["SecretName"] for each in mounted} else ["certificate"]
    if edge_config_in_use(edge) != edge_config_name(target.stack):
        old.append("configuration")
    if old:
        raise CheckFailedError(f"it runs another {' and '.join(old)}", hint="invoke renew-edge")
    return "the current certificate and configuration"
