"""The invoke tasks: they build, release and deploy (`invoke --list`). Checks are nox sessions.

Each task imports its modules when it runs: `invoke ci` without changes starts in a fraction of a
second.
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

streams.open_standard_streams()  # before invoke prints, for example its list of tasks
os.chdir(Path(__file__).parent)  # a task can be started from any folder
# invoke disables bytecode files for its process, so each start would compile all imports again
sys.dont_write_bytecode = bool(os.environ.get("PYTHONDONTWRITEBYTECODE"))

IMAGE = {"image": "one image of pipeline.toml, instead of all"}
PLATFORM = {"platform": "a platform such as linux/arm64, instead of the engine's own"}
KEY = {"key": "a private key with its .pub file; default: COSIGN_KEY, then GitHub's identity"}
DRY = {"dry-run": "print the commands, and run none"}
IMAGE_ENV_HELP = {
    "env": "the target; only `local` accepts a single platform, and images without a scan"
}
LOCAL = "local"


class NoGlobalDryRunTask(invoke.tasks.Task[Any]):
    """A task that refuses invoke's own option `--dry`.

    `--dry` only disables `Context.run`, which no task here uses: the task would change everything
    in spite of the option. https://docs.pyinvoke.org/en/stable/invoke.html
    """

    def __call__(self, context: Context, *args: object, **kwargs: object) -> object:
        """Run the task; refuse it with `--dry`."""
        if context.config.run.dry:
            with handle_errors():
                self.reject_global_dry_run()
        return super().__call__(context, *args, **kwargs)

    def get_arguments(self, ignore_unknown_help: bool | None = None) -> list[Argument]:  # noqa: FBT001
        """Return the options, with `-n` as the short form of `--dry-run` only."""
        arguments = super().get_arguments(ignore_unknown_help)
        if any(argument.name == "dry_run" for argument in arguments):
            for argument in arguments:
                names = [name for name in argument.names if len(name) > 1]
                short = [name for name in argument.names if len(name) == 1 and name != "n"]
                argument.names = (*names, *(["n"] if argument.name == "dry_run" else short))
        return arguments

    def reject_global_dry_run(self) -> None:
        """Refuse invoke's `--dry`, with the task's own option as the hint.

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
        "all": "run the sessions of a push to main, regardless of the change",
        "plan": "only print the selected sessions, with reasons",
        "no-cache": "run cached sessions too",
        "fail-fast": "start no more sessions after a failure",
        "enforce-budgets": "fail if a session exceeds its budget",
        "jobs": "number of parallel sessions; default: the number of processors",
        "explain": "a session: print its inputs, and what changed since its last pass",
        "isolated": "a session: run it in a copy with only its declared inputs",
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
    """Run the uncached sessions that this change needs."""
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
        "name": "name of the product, such as acme-shop",
        "without": "an optional part of pipeline.toml to leave out",
        "domain": "domain of the environments, such as acme.com",
        "dry-run": "print the diff, and change nothing",
    }
)
def init(
    _: Context, name: str, *, without: str = "", domain: str = "", dry_run: bool = False
) -> None:
    """Turn a copy of this repository into a separate product."""
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
    """Write SBOMs of the built images: SPDX and CycloneDX."""
    from pipeline.images import build as building
    from pipeline.images import inspection

    with handle_errors():
        inspection.sbom(building.resolve_targets(image, platform), dry_run=dry_run)


@task(help=IMAGE | PLATFORM | DRY)
def scan(
    _: Context, *, image: str | None = None, platform: str | None = None, dry_run: bool = False
) -> None:
    """Scan the built images, and fail on severe vulnerabilities."""
    from pipeline.images import build as building
    from pipeline.images import inspection

    with handle_errors():
        inspection.scan(building.resolve_targets(image, platform), dry_run=dry_run)


@task(help=IMAGE | DRY)
def push(_: Context, *, image: str | None = None, dry_run: bool = False) -> None:
    """Push the built images as one index for all platforms."""
    from pipeline.images import push
    from pipeline.images.targets import platforms, select_images

    with handle_errors():
        push.push(select_images(image), platforms(), dry_run=dry_run)


@task(help=IMAGE | KEY | DRY)
def sign(
    _: Context, *, image: str | None = None, key: str | None = None, dry_run: bool = False
) -> None:
    """Sign the pushed digests and their attestations."""
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
        "reference": "repository@sha256:…, instead of the digests pushed for this commit",
        "commit": "the expected source commit; default: the checked out commit",
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
    """Check the signatures and attestations of image digests."""
    from pipeline.images import signing, verification
    from pipeline.images.commands.cosign import resolve_signer
    from pipeline.images.targets import select_images

    with handle_errors():
        signer = resolve_signer(key)
        digests = signing.resolve_references(select_images(image), reference)
        verification.verify_all(digests, signer, commit, local=env == LOCAL)


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
    """Verify this commit's images, and add a version tag."""
    from pipeline.images import signing
    from pipeline.images.commands.cosign import resolve_signer
    from pipeline.images.targets import select_images

    with handle_errors():
        signing.promote(
            select_images(image), version, resolve_signer(key), local=env == LOCAL, dry_run=dry_run
        )


@task(help={"dry-run": "print the changes, and write nothing"})
def pin_base_images(_: Context, *, dry_run: bool = False) -> None:
    """Pin the base images by digest in the files that name them."""
    from pipeline.images import pin

    with handle_errors():
        pin.pin_base_images(dry_run=dry_run)


@task(
    name="image",
    help={
        "image": "an image of pipeline.toml",
        "platform": "a platform such as linux/arm64",
    },
)
def check_image(_: Context, image: str, platform: str) -> None:
    """Build, test and scan one image: the CI job `image`."""
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


# GitHub


@task(help={"dry-run": "print the requests, and change nothing"})
def github_settings(_: Context, *, dry_run: bool = False) -> None:
    """Apply the GitHub settings of pipeline.toml; list gaps."""
    from pipeline.github_settings import cli

    with handle_errors():
        cli.sync_settings(dry_run=dry_run)


# Environments


ENVIRONMENT_HELP = {"env": "an environment of pipeline.toml"}
DEPLOY_DRY_RUN = {"dry-run": "print the commands for the cluster, and change nothing"}
YES = {"yes": "confirm in advance, if the environment requires a confirmation"}
LOG_OUT = {"log-out": "accept that a changed secret key logs all users out"}


@task(
    help=ENVIRONMENT_HELP
    | KEY
    | DEPLOY_DRY_RUN
    | YES
    | LOG_OUT
    | {
        "release": "a version tag or a commit; default: the checked out commit",
        "recover": "only roll back a deployment that was interrupted",
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
    """Deploy a release, verify it, and roll back on failure."""
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
    | {"to": "a version or a number of invoke history; default: the last good release before"}
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
    """Roll back to an earlier good release, and verify it."""
    from pipeline.config import get_environment
    from pipeline.deploy.commands import deploy
    from pipeline.deploy.confirmation import Consent

    with handle_errors():
        consent = Consent(yes=yes, log_out=log_out)
        deploy.rollback(get_environment(env), to, dry_run=dry_run, consent=consent)


@task(
    help={
        "env": f"{ENVIRONMENT_HELP['env']}; default: this machine",
        "format": "table or json",
    }
)
def doctor(_: Context, env: str | None = None, format_: str = "table") -> None:
    """Check this machine, or the requirements of a deployment."""
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
    """Show the live release, its health, and the deploy lock."""
    from pipeline.config import get_environment
    from pipeline.deploy.commands import status

    with handle_errors():
        code = status.status(get_environment(env))
    if code:
        raise Exit(code=code)


@task(help=ENVIRONMENT_HELP)
def history(_: Context, env: str) -> None:
    """Show all deployments, with time, user and outcome."""
    from pipeline.config import get_environment
    from pipeline.deploy.commands import status

    with handle_errors():
        status.history(get_environment(env))


@task(help=ENVIRONMENT_HELP)
def smoke(_: Context, env: str) -> None:
    """Run the smoke test against the site."""
    from pipeline.config import get_environment
    from pipeline.deploy.commands import status

    with handle_errors():
        status.smoke_test(get_environment(env))


@task(help=ENVIRONMENT_HELP)
def unlock(_: Context, env: str) -> None:
    """Remove a deploy lock whose holder has exited."""
    from pipeline.config import get_environment
    from pipeline.deploy.commands import recover

    with handle_errors():
        recover.unlock(get_environment(env))


@task(
    name="exec",
    help=ENVIRONMENT_HELP
    | YES
    | {
        "command": "the quoted command; it is not run by a shell",
        "service": "the service with the image, variables and secrets to use; default: the API",
        "seconds": "timeout; default: 3600",
    },
)
def exec_(
    _: Context,
    env: str,
    command: str,
    *,
    service: str | None = None,
    seconds: int = 3600,
    yes: bool = False,
) -> None:
    """Run a command in a container of the live release."""
    from pipeline.config import get_environment
    from pipeline.deploy.commands import execute

    with handle_errors():
        code = execute.run_command(
            get_environment(env), command, service=service, seconds=seconds, yes=yes
        )
    if code:
        raise Exit(code=code)


@task(help=ENVIRONMENT_HELP | {"dry-run": "print the names of the secrets, and write nothing"})
def generate_secrets(_: Context, env: str, *, dry_run: bool = False) -> None:
    """Generate the secrets of an environment on this machine."""
    from pipeline.config import get_environment
    from pipeline.deploy.commands import generate_secrets

    with handle_errors():
        generate_secrets.generate_secrets(get_environment(env), dry_run=dry_run)


@task(help=ENVIRONMENT_HELP)
def renew_edge(_: Context, env: str) -> None:
    """Restart the edge with the current certificate."""
    from pipeline.config import get_environment
    from pipeline.deploy.commands import edge

    with handle_errors():
        edge.renew_edge(get_environment(env))


@task(name="maintenance", help=ENVIRONMENT_HELP | {"state": "on or off"})
def switch_maintenance(_: Context, env: str, state: str) -> None:
    """Switch the maintenance page on or off."""
    from pipeline.config import get_environment
    from pipeline.deploy.commands import maintenance

    with handle_errors():
        maintenance.set_maintenance(get_environment(env), state)


@task(help=ENVIRONMENT_HELP)
def backup(_: Context, env: str) -> None:
    """Dump the database, and print the name of the dump."""
    from pipeline.config import get_environment
    from pipeline.deploy.commands import backup as restoring

    with handle_errors():
        restoring.backup(get_environment(env))


@task(
    help=ENVIRONMENT_HELP
    | {"from": "a dump; without it, all dumps are listed", "yes": "confirm in advance"}
)
def restore(_: Context, env: str, *, from_: str | None = None, yes: bool = False) -> None:
    """Replace the data of the database by a dump."""
    from pipeline.config import get_environment
    from pipeline.deploy.commands import backup as restoring

    with handle_errors():
        restoring.restore(get_environment(env), from_, yes=yes)


@task(help={"nodes": "number of engines to start (as root); default: this machine's own engine"})
def rehearse(_: Context, *, nodes: int = 1) -> None:
    """Rehearse build, deploy and rollback on this machine."""
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
        "env": "an environment; default: the local services",
        "service": "one service; default: all local services, or the API of the environment",
    }
)
def logs(_: Context, *, env: str | None = None, service: str | None = None) -> None:
    """Follow the logs of local services, or of an environment."""
    from pipeline.config import get_environment
    from pipeline.deploy.commands import status

    if env is None:
        compose("logs", "--follow", *([service] if service else []))
        return
    with handle_errors():
        code = status.follow_logs(get_environment(env), service)
    if code:
        raise Exit(code=code)


def compose(*arguments: str) -> None:
    """Run docker compose on this repository's docker-compose.yml."""
    with handle_errors():
        code = run(["docker", "compose", *arguments])
    if code:
        raise Exit(code=code)


def parse_format(name: str) -> bool:
    """Return whether the output format is JSON.

    Raises:
        InputError: The format is unknown.
    """
    if name not in {"json", "table"}:
        raise InputError(f"unknown format: `{name}`", hint="use --format=json or --format=table")
    return name == "json"
