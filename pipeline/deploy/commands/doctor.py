"""Look at all that a deployment will need, and change nothing: names, machines, state."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from functools import partial
from os import environ

from pipeline.deploy.cluster.client import Swarm
from pipeline.deploy.cluster.convergence import held_up
from pipeline.deploy.commands.site import foundation, users_find, workers_of
from pipeline.deploy.commands.status import drift
from pipeline.deploy.database import require_address
from pipeline.deploy.environment_secrets import credentials, object_name
from pipeline.deploy.preflight import certificate, cluster, variables
from pipeline.deploy.preflight.model import NOT_JUDGED, NOT_OK, Finding, Look, examined
from pipeline.deploy.rollout.edge import configuration_of, edge_config
from pipeline.deploy.state import journal
from pipeline.deploy.state.journal import Entry
from pipeline.deploy.target import engine_of
from pipeline.environments import Environment
from pipeline.errors import CheckFailedError, InputError, NotJudgedError, PipelineError, judged

CHECK = "doctor"


def doctor(environment: Environment, *, as_json: bool = False) -> int:
    """Print what was found, one line a check, and return 1 if anything is not well.

    Args:
        environment: Where a deployment would go.
        as_json: Whether a program is to read it.

    Raises:
        NotJudgedError: All that could be looked at is well, but not all could.
    """
    found = list(examine(environment))
    as_data = [json.dumps([asdict(each) for each in found], indent=2)]
    print("\n".join(as_data if as_json else table(found)))
    if any(each.state == NOT_OK for each in found):
        return 1
    if left := [each.check for each in found if each.state == NOT_JUDGED]:
        raise NotJudgedError(
            CHECK, "some checks could not look", detail=", ".join(left), hint="the table says why"
        )
    judged(CHECK)
    return 0


def table(found: list[Finding]) -> Iterator[str]:
    """Yield the lines of a table, each hint below its finding."""
    width = max(len(each.check) for each in found)
    for each in found:
        yield f"{each.check:{width}}  {each.state:10}  {each.what}"
        if each.hint:
            yield f"{'':{width}}  {'':10}  hint: {each.hint}"


def examine(environment: Environment) -> Iterator[Finding]:
    """Look at one thing after the other."""
    for check, look in on_paper(environment):
        yield examined(check, look)
    try:
        values = credentials(environment, environ)
    except InputError as error:
        values = {}
        yield Finding("secrets", NOT_OK, str(error), error.hint)
    else:
        yield Finding("secrets", "ok", f"all {len(environment.secrets)} are set here")
    yield examined("certificate", partial(certificate_fits, environment, values))
    yield examined("database", partial(database_can_be_dumped, environment, values))
    try:
        yield from examine_engine(environment, values)
    except PipelineError as error:  # between two looks: nothing more can be known
        yield Finding("engine", NOT_OK, str(error), error.hint)


def examine_engine(environment: Environment, values: Mapping[str, str]) -> Iterator[Finding]:
    """Look at what only the engine knows.

    Raises:
        InputError: There is no way to it.
        CheckFailedError: It does not answer any more.
    """
    swarm = engine_of(environment)
    swarm.variables()  # a host out of reach says why, once
    for check, look in on_the_engine(swarm):
        finding = examined(check, look)
        yield finding
        if finding.state == NOT_OK:  # then nobody there answers anything else
            return
    for check, look in of_the_site(swarm, environment, values):
        yield examined(check, look)


def on_paper(environment: Environment) -> Iterator[tuple[str, Look]]:
    """Yield the looks at files, and for tools."""
    yield "example", variables.example_is_whole
    yield "variables", partial(variables.all_is_given, environment)
    yield "readers", partial(variables.all_is_read, environment)
    yield "workflow", partial(variables.workflow_passes_all, environment)
    for tool in ("cosign", "syft"):
        yield tool, partial(cluster.tool_is_here, tool)


def on_the_engine(swarm: Swarm) -> Iterator[tuple[str, Look]]:
    """Yield the looks without which there are no others."""
    yield "engine", partial(cluster.engine_is_new_enough, swarm)
    yield "swarm", partial(cluster.nodes_are_ready, swarm)


def of_the_site(
    swarm: Swarm, environment: Environment, values: Mapping[str, str]
) -> Iterator[tuple[str, Look]]:
    """Yield the looks at what runs there, and what it stands on."""
    known = journal.entries(swarm, environment.stack)
    live = journal.good(known)
    yield "clock", partial(cluster.clocks_agree, swarm)
    yield "disk", partial(cluster.disk_has_room, swarm, live)
    yield "registry", partial(cluster.registry_answers, live)
    yield "lock", partial(cluster.lock_is_free, swarm, environment.stack)
    yield "journal", partial(journal_is_closed, known)
    yield "release", partial(release_is_whole, swarm, environment, live)
    yield "edge", partial(edge_is_of_today, swarm, environment, values)
    if live:
        yield "foundation", partial(foundation_runs, swarm, environment)
        yield "users", partial(users_are_served, swarm, environment, values)
        yield "workers", partial(workers_live, swarm, environment, live, values)


def certificate_fits(environment: Environment, values: Mapping[str, str]) -> str:
    """Look at the certificate of the edge.

    Raises:
        CheckFailedError: It will not do.
        NotJudgedError: Nobody knows it here.
    """
    if not values:
        raise NotJudgedError("certificate", "without secrets there is none", hint="set them")
    return certificate.fits(values["TLS_CERTIFICATE"], values["TLS_KEY"], environment.url)


def database_can_be_dumped(environment: Environment, values: Mapping[str, str]) -> str:
    """Look whether a dump would find the database where the app has it.

    Raises:
        InputError: Its address cannot be told to PostgreSQL's programs.
        NotJudgedError: The address is not known here.
    """
    if not environment.dump:
        return "its host dumps it"
    if not values:
        raise NotJudgedError("database", "without secrets there is none", hint="set them")
    require_address(values)
    return "its address can be dumped from"


def journal_is_closed(known: list[Entry]) -> str:
    """Look whether every deployment has ended.

    Raises:
        CheckFailedError: The last one has not.
    """
    if waiting := journal.unfinished(known):
        raise CheckFailedError(
            f"the {waiting.kind} of {waiting.version} never ended", hint="invoke deploy --resume"
        )
    return f"{len(known)} entries"


def release_is_whole(swarm: Swarm, environment: Environment, live: Entry | None) -> str:
    """Look whether what the journal says runs.

    Raises:
        CheckFailedError: It does not.
        NotJudgedError: The journal says nothing.
    """
    if live is None:
        raise NotJudgedError("release", "none yet", hint="invoke deploy")
    if found := list(drift(swarm, environment, live)):
        raise CheckFailedError("; ".join(found), hint="invoke status; invoke logs")
    return f"{live.version}, since {live.ended}"


def foundation_runs(swarm: Swarm, environment: Environment) -> str:
    """Look whether the edge and the data run.

    Raises:
        CheckFailedError: Names what does not.
    """
    found = list(foundation(swarm, environment))
    if lacking := [each for each in found if each[1] < each[2]]:
        services = [f"{environment.stack}_{name}" for name, *_ in lacking]
        why = [held_up(swarm, service, swarm.tasks(service)) for service in services]
        said = [f"{name} has {up} of {meant} replicas" for name, up, meant in lacking]
        told = "; ".join(f"{what}{cause.sentence}" for what, cause in zip(said, why, strict=True))
        raise CheckFailedError(told, hint="; ".join(dict.fromkeys(cause.hint for cause in why)))
    return f"{', '.join(name for name, *_ in found)} run"


def users_are_served(swarm: Swarm, environment: Environment, values: Mapping[str, str]) -> str:
    """Look whether the site opens, as a user reaches it.

    Raises:
        CheckFailedError: It does not.
    """
    well, wrong = users_find(swarm, environment, values)
    if wrong:
        raise CheckFailedError(wrong, hint="invoke status; invoke logs")
    return well


def workers_live(
    swarm: Swarm, environment: Environment, live: Entry, values: Mapping[str, str]
) -> str:
    """Look whether worker processes died within the replicas, which the engine does not see.

    Raises:
        CheckFailedError: Some did.
        NotJudgedError: Not all replicas tell.
    """
    workers = workers_of(swarm, environment, live, values)
    if fault := workers.fault():
        raise CheckFailedError(fault, hint=workers.hint)
    if not workers.all_told:
        raise NotJudgedError("workers", f"{workers.share} replicas tell", hint="invoke status")
    return str(workers)


def edge_is_of_today(swarm: Swarm, environment: Environment, values: Mapping[str, str]) -> str:
    """Look whether the edge has the configuration and the certificate of today.

    Raises:
        CheckFailedError: It has older ones.
        NotJudgedError: There is none, or nobody knows which is today's.
    """
    edge = swarm.service(f"{environment.stack}_edge")
    if edge is None or not values:
        raise NotJudgedError("edge", "no edge, or no secrets to compare", hint="invoke deploy")
    name = "TLS_CERTIFICATE"
    today = object_name(environment.stack, name, values[name])
    mounted = edge["Spec"]["TaskTemplate"]["ContainerSpec"].get("Secrets") or []
    old = [] if today in {each["SecretName"] for each in mounted} else ["certificate"]
    if configuration_of(edge) != edge_config(environment.stack):
        old.append("configuration")
    if old:
        raise CheckFailedError(f"it has another {' and '.join(old)}", hint="invoke renew")
    return "the certificate and configuration of today"
