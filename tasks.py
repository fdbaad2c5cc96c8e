"""What makes or moves artefacts, and what runs them: `invoke --list`. Checks are nox's.

A task imports what it needs when it runs: `invoke ci` answers at once, when nothing changed.
"""

import os
import sys
from functools import partial
from pathlib import Path
from typing import Any

import invoke.tasks
from invoke.context import Context
from invoke.exceptions import Exit
from invoke.parser.argument import Argument

from pipeline import streams
from pipeline.errors import InputError, handle_errors
from pipeline.process import run

streams.open_standard_streams()  # for what invoke itself prints, such as its list
os.chdir(Path(__file__).parent)  # so that a task can be run from any folder
# invoke keeps no bytecode: each start would compile anew what its task imports
sys.dont_write_bytecode = bool(os.environ.get("PYTHONDONTWRITEBYTECODE"))

IMAGE = {"image": "only this one, of those in pipeline.toml"}
PLATFORM = {"platform": "this one instead of the engine's own, such as linux/arm64"}
KEY = {"key": "a private key with its .pub beside it; else COSIGN_KEY, else GitHub's identity"}
DRY = {"dry-run": "print the commands on stdout, and run none"}
IMAGE_ENV_HELP = {
    "env": "where it is to run; only `local` takes one platform, and images without a scan"
}
LOCAL = "local"


class NoGlobalDryRunTask(invoke.tasks.Task[Any]):
    """A task that refuses invoke's own `--dry`, by which everything would be done all the same.

    That option keeps `Context.run` from running anything, and no task here uses it:
    https://docs.pyinvoke.org/en/stable/invoke.html
    """

    def __call__(self, context: Context, *args: object, **kwargs: object) -> object:
        """Run it, unless nothing was meant to be done."""
        if context.config.run.dry:
            with handle_errors():
                self.reject_global_dry_run()
        return super().__call__(context, *args, **kwargs)

    def get_arguments(self, ignore_unknown_help: bool | None = None) -> list[Argument]:  # noqa: FBT001
        """Return the options; `-n` is short for `--dry-run`."""
        arguments = super().get_arguments(ignore_unknown_help)
        if any(argument.name == "dry_run" for argument in arguments):
            for argument in arguments:
                names = [name for name in argument.names if len(name) > 1]
                short = [name for name in argument.names if len(name) == 1 and name != "n"]
                argument.names = (*names, *(["n"] if argument.name == "dry_run" else short))
        return arguments

    def reject_global_dry_run(self) -> None:
        """Refuse invoke's `--dry`, and name the option of the task.

        Raises:
            InputError: Always.
        """
        own = {argument.name for argument in self.get_arguments()}
        option = "--dry-run" if "dry_run" in own else "--help"
        raise InputError(
            "invoke's own --dry does not work here", hint=f"invoke {self.name} {option}"
        )


task = partial(invoke.tasks.task, klass=NoGlobalDryRunTask)


@task(
    name="ci",
    help={
        "all": "run what a push to main runs, whatever the change touches",
        "plan": "only show what would run, and why",
        "no-cache": "run also what is known to be green",
        "fail-fast": "start nothing more once something failed",
        "enforce-budgets": "take a session over its budget for an error",
        "jobs": "how many sessions at once; as many as there are processors, if not given",
        "explain": "a session: what its result hangs on, and what has changed of that",
        "isolated": "a session: run it where only its declared inputs are",
    },
)
def ci_(  # noqa: PLR0913 - each is an option of the command line
    _: Context,
    *,
    all_: bool = False,
    plan: bool = False,
    no_cache: bool = False,
    fail_fast: bool = False,
    enforce_budgets: bool = False,
    jobs: str = "",
    explain: str = "",
    isolated: str = "",
) -> None:
    """Run what this change needs and is not known to be green."""
    from pipeline.ci.cli import Options, run_command

    with handle_errors():
        code = run_command(
            Options(all_, plan, no_cache, fail_fast, enforce_budgets, jobs, explain, isolated)
        )
    if code:
        raise Exit(code=code)


# The copy


@task(
    help={
        "name": "of the product, such as acme-shop",
        "without": "a part to leave out, of those that pipeline.toml names",
        "domain": "where its environments are, such as acme.com",
        "dry-run": "print the diff on stdout, and change nothing",
    }
)
def init(
    _: Context, name: str, *, without: str = "", domain: str = "", dry_run: bool = False
) -> None:
    """Turn a copy of this repository into a product of its own."""
    from pipeline.scaffold.init import init as initialise

    with handle_errors():
        initialise(name, part=without, domain=domain, dry_run=dry_run)


# Images


@task(help=IMAGE | PLATFORM | DRY)
def build(
    _: Context, *, image: str | None = None, platform: str | None = None, dry_run: bool = False
) -> None:
    """Build this commit's images, and save them in dist/images."""
    from pipeline.images import build as building

    with handle_errors():
        building.build(building.resolve_targets(image, platform), dry_run=dry_run)


@task(help=IMAGE | PLATFORM | DRY)
def sbom(
    _: Context, *, image: str | None = None, platform: str | None = None, dry_run: bool = False
) -> None:
    """List what is in the built images: SPDX and CycloneDX."""
    from pipeline.images import build as building
    from pipeline.images import inspection

    with handle_errors():
        inspection.sbom(building.resolve_targets(image, platform), dry_run=dry_run)


@task(help=IMAGE | PLATFORM | DRY)
def scan(
    _: Context, *, image: str | None = None, platform: str | None = None, dry_run: bool = False
) -> None:
    """Scan the built images, and refuse grave vulnerabilities."""
    from pipeline.images import build as building
    from pipeline.images import inspection

    with handle_errors():
        inspection.scan(building.resolve_targets(image, platform), dry_run=dry_run)


@task(help=IMAGE | DRY)
def push(_: Context, *, image: str | None = None, dry_run: bool = False) -> None:
    """Push the built images, one index for all platforms."""
    from pipeline.images import push
    from pipeline.images.targets import platforms, select_images

    with handle_errors():
        push.push(select_images(image), platforms(), dry_run=dry_run)


@task(help=IMAGE | KEY | DRY)
def sign(
    _: Context, *, image: str | None = None, key: str | None = None, dry_run: bool = False
) -> None:
    """Sign the pushed digests, and what is attested of them."""
    from pipeline.images import signing
    from pipeline.images.commands.cosign import resolve_signer
    from pipeline.images.targets import select_images

    with handle_errors():
        signing.sign(select_images(image), resolve_signer(key), dry_run=dry_run)


@task(
    help=IMAGE
    | KEY
    | IMAGE_ENV_HELP
    | {
        "reference": "repository@sha256:… instead of what this commit has pushed",
        "commit": "what it has to be built from, if not the one checked out",
    }
)
def verify(
    _: Context,
    *,
    image: str | None = None,
    key: str | None = None,
    reference: str | None = None,
    commit: str | None = None,
    env: str = "staging",
) -> None:
    """Refuse digests that are not signed, or lack a statement."""
    from pipeline.images import signing, verification
    from pipeline.images.commands.cosign import resolve_signer
    from pipeline.images.targets import select_images

    with handle_errors():
        who = resolve_signer(key)
        digests = signing.resolve_references(select_images(image), reference)
        verification.verify_all(digests, who, commit, local=env == LOCAL)


@task(help=IMAGE | KEY | IMAGE_ENV_HELP | DRY | {"version": "the tag to add, such as v1.4.0"})
def promote(
    _: Context,
    version: str,
    *,
    image: str | None = None,
    key: str | None = None,
    env: str = "production",
    dry_run: bool = False,
) -> None:
    """Give this commit's images, once verified, a version too."""
    from pipeline.images import signing
    from pipeline.images.commands.cosign import resolve_signer
    from pipeline.images.targets import select_images

    with handle_errors():
        signing.promote(
            select_images(image), version, resolve_signer(key), local=env == LOCAL, dry_run=dry_run
        )


@task(help={"dry-run": "print what would change, and write nothing"})
def pin_base_images(_: Context, *, dry_run: bool = False) -> None:
    """Write the base images' digests where they are named."""
    from pipeline.images import pin

    with handle_errors():
        pin.pin_base_images(dry_run=dry_run)


@task(
    name="image",
    help={
        "image": "which, of those in pipeline.toml",
        "platform": "what it is for, such as linux/arm64",
    },
)
def check_image(_: Context, image: str, platform: str) -> None:
    """Build, test and scan one image: the CI job of that name."""
    from pipeline.images import ci_jobs

    with handle_errors():
        ci_jobs.check_image(image, platform)


@task(name="release", help=KEY)
def release_images(_: Context, *, key: str | None = None) -> None:
    """Push, sign, verify all images: the CI job release-image."""
    from pipeline.images import ci_jobs
    from pipeline.images.commands.cosign import resolve_signer

    with handle_errors():
        ci_jobs.release_images(resolve_signer(key))


# GitHub's side


@task(help={"dry-run": "print what would be sent on stdout, and change nothing"})
def github_settings(_: Context, *, dry_run: bool = False) -> None:
    """Set GitHub as pipeline.toml says; name what is missing."""
    from pipeline.github_settings import cli

    with handle_errors():
        cli.sync_settings(dry_run=dry_run)


# Environments


ENVIRONMENT_HELP = {"env": "an environment of pipeline.toml"}
DEPLOY_DRY_RUN = {"dry-run": "print what the engine would be told on stdout, and change nothing"}
YES = {"yes": "agree beforehand, where the environment wants a person to"}
LOG_OUT = {"log-out": "all members may be logged out, since secret keys differ"}


@task(
    help=ENVIRONMENT_HELP
    | KEY
    | DEPLOY_DRY_RUN
    | YES
    | LOG_OUT
    | {
        "release": "a version tag or a commit, if not the one checked out",
        "recover": "only undo a deployment whose deployer died",
    }
)
def deploy(  # noqa: PLR0913 - each is an option of the command line
    _: Context,
    env: str,
    *,
    release: str | None = None,
    key: str | None = None,
    dry_run: bool = False,
    recover_: bool = False,
    yes: bool = False,
    log_out: bool = False,
) -> None:
    """Deploy a release, prove it, and go back on any fault."""
    from pipeline.config import get_environment
    from pipeline.deploy.commands import deploy, recover
    from pipeline.deploy.confirmation import Consent
    from pipeline.images.commands.cosign import resolve_signer

    with handle_errors():
        if recover_ and dry_run:
            raise InputError("--recover has no --dry-run", hint=f"invoke status --env={env}")
        if recover_:
            recover.recover(get_environment(env))
            return
        consent = Consent(yes=yes, log_out=log_out)
        deploy.deploy(
            get_environment(env),
            resolve_signer(key),
            release or None,
            dry_run=dry_run,
            consent=consent,
        )


@task(
    help=ENVIRONMENT_HELP
    | DEPLOY_DRY_RUN
    | YES
    | LOG_OUT
    | {"to": "a version or a number of invoke history; the good release before, if not given"}
)
def rollback(
    _: Context,
    env: str,
    *,
    to: str | None = None,
    dry_run: bool = False,
    yes: bool = False,
    log_out: bool = False,
) -> None:
    """Put an earlier good release back, and prove it."""
    from pipeline.config import get_environment
    from pipeline.deploy.commands import deploy
    from pipeline.deploy.confirmation import Consent

    with handle_errors():
        consent = Consent(yes=yes, log_out=log_out)
        deploy.rollback(get_environment(env), to, dry_run=dry_run, consent=consent)


@task(
    help={
        "env": f"{ENVIRONMENT_HELP['env']}; this machine, if not given",
        "format": "table or json",
    }
)
def doctor(_: Context, env: str | None = None, format_: str = "table") -> None:
    """Look at what is here, or at what a deployment will need."""
    from pipeline.config import get_environment
    from pipeline.deploy.commands import doctor as examination
    from pipeline.doctor import report as machine

    with handle_errors():
        as_json = parse_format(format_)
        if env is None:
            machine.doctor(as_json=as_json)
            return
        code = examination.doctor(get_environment(env), as_json=as_json)
    if code:
        raise Exit(code=code)


@task(help=ENVIRONMENT_HELP)
def status(_: Context, env: str) -> None:
    """Show what runs, whether it is well, and who deploys."""
    from pipeline.config import get_environment
    from pipeline.deploy.commands import status

    with handle_errors():
        code = status.status(get_environment(env))
    if code:
        raise Exit(code=code)


@task(help=ENVIRONMENT_HELP)
def history(_: Context, env: str) -> None:
    """Show what was deployed, when, by whom, and its outcome."""
    from pipeline.config import get_environment
    from pipeline.deploy.commands import status

    with handle_errors():
        status.history(get_environment(env))


@task(help=ENVIRONMENT_HELP)
def smoke(_: Context, env: str) -> None:
    """Walk through the site as a user does."""
    from pipeline.config import get_environment
    from pipeline.deploy.commands import status

    with handle_errors():
        status.smoke_test(get_environment(env))


@task(help=ENVIRONMENT_HELP)
def unlock(_: Context, env: str) -> None:
    """Free a lock whose holder is dead."""
    from pipeline.config import get_environment
    from pipeline.deploy.commands import recover

    with handle_errors():
        recover.unlock(get_environment(env))


@task(
    name="exec",
    help=ENVIRONMENT_HELP
    | YES
    | {
        "command": "what to run, quoted; no shell reads it",
        "service": "whose image, variables and secrets it has; backend, if not given",
        "seconds": "how long it may take; an hour, if not given",
    },
)
def exec_(
    _: Context,
    env: str,
    command: str,
    *,
    service: str = "backend",
    seconds: int = 3600,
    yes: bool = False,
) -> None:
    """Run a command as the release that serves would."""
    from pipeline.config import get_environment
    from pipeline.deploy.commands import execute

    with handle_errors():
        code = execute.run_command(
            get_environment(env), command, service=service, seconds=seconds, yes=yes
        )
    if code:
        raise Exit(code=code)


@task(help=ENVIRONMENT_HELP | {"dry-run": "print the names, and write nothing"})
def generate_secrets(_: Context, env: str, *, dry_run: bool = False) -> None:
    """Make up the secrets of an environment on this machine."""
    from pipeline.config import get_environment
    from pipeline.deploy.commands import generate_secrets

    with handle_errors():
        generate_secrets.generate_secrets(get_environment(env), dry_run=dry_run)


@task(help=ENVIRONMENT_HELP)
def renew_edge(_: Context, env: str) -> None:
    """Start the edge anew, with today's certificate."""
    from pipeline.config import get_environment
    from pipeline.deploy.commands import edge

    with handle_errors():
        edge.renew_edge(get_environment(env))


@task(name="maintenance", help=ENVIRONMENT_HELP | {"state": "on or off"})
def switch_maintenance(_: Context, env: str, state: str) -> None:
    """Close the site for its users, or open it again."""
    from pipeline.config import get_environment
    from pipeline.deploy.commands import maintenance

    with handle_errors():
        maintenance.set_maintenance(get_environment(env), state)


@task(help=ENVIRONMENT_HELP)
def backup(_: Context, env: str) -> None:
    """Dump the database, and print what the dump is called."""
    from pipeline.config import get_environment
    from pipeline.deploy.commands import backup as restoring

    with handle_errors():
        restoring.backup(get_environment(env))


@task(
    help=ENVIRONMENT_HELP
    | {"from": "a dump; without one, all are named", "yes": "agree beforehand"}
)
def restore(_: Context, env: str, *, from_: str | None = None, yes: bool = False) -> None:
    """Replace the database's data by those of a dump."""
    from pipeline.config import get_environment
    from pipeline.deploy.commands import backup as restoring

    with handle_errors():
        restoring.restore(get_environment(env), from_, yes=yes)


@task(
    help={"nodes": "how many engines to make, which takes root; this machine's own, if not given"}
)
def rehearse(_: Context, *, nodes: int = 1) -> None:
    """Rehearse build, deploy and rollback here, under traffic."""
    from pipeline.rehearsal.runner import rehearse as rehearsal

    with handle_errors():
        rehearsal(nodes)


# The local stack


@task
def up(_: Context) -> None:
    """Start the local services and wait until they are healthy."""
    compose("up", "--detach", "--wait")


@task
def down(_: Context) -> None:
    """Stop the local services, and keep their data."""
    compose("down")


@task(
    help={
        "env": "an environment, instead of the local services",
        "service": "of which; all local ones, or an environment's backend, if not given",
    }
)
def logs(_: Context, *, env: str | None = None, service: str | None = None) -> None:
    """Follow the logs of local services, or an environment's."""
    from pipeline.config import get_environment
    from pipeline.deploy.commands import status

    if env is None:
        compose("logs", "--follow", *([service] if service else []))
        return
    with handle_errors():
        code = status.follow_logs(get_environment(env), service or "backend")
    if code:
        raise Exit(code=code)


def compose(*arguments: str) -> None:
    """Run docker compose on this repository's docker-compose.yml."""
    with handle_errors():
        code = run(["docker", "compose", *arguments])
    if code:
        raise Exit(code=code)


def parse_format(name: str) -> bool:
    """Say whether JSON was asked for.

    Raises:
        InputError: It is no format.
    """
    if name not in {"json", "table"}:
        raise InputError(f"no such format: `{name}`", hint="there are: json, table")
    return name == "json"
