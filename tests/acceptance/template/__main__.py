"""A copy in a new git repository becomes a product, and its jobs are green there.

python -m tests.acceptance.template                     the quick check jobs
python -m tests.acceptance.template --all               every check job of the workflows
python -m tests.acceptance.template pipeline-tests      this check job, or these
python -m tests.acceptance.template --deploy            a first deployment as well, to this engine
python -m tests.acceptance.template --without=billing   of a product without a part
python -m tests.acceptance.template --second            of a product with other folders and names
"""

import argparse
import shlex
import sys
import time
from collections.abc import Collection, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from pipeline.errors import CheckFailedError, InputError, handle_errors
from pipeline.fault_injection.repository_copy import RepositoryCopy, copy_repository
from pipeline.github import loader
from pipeline.process import run
from pipeline.rehearsal.credentials import create_secrets
from pipeline.rehearsal.local_engine import temporary_registry, temporary_swarm
from pipeline.scaffold.init import REGENERATE_COMMANDS
from tests.acceptance.template.second_product import rework

DEPLOY = "deploy.yml"
QUICK = ("parity", "faults", "docs", "lint", "locks", "workflows", "migrations", "build")
NAME = "acme-shop"
SECOND = (
    "nox -s parity -- --write || true",  # the tables of the documents follow
    "nox -s docs -- --write",
    "git commit --quiet --all --message='Regenerate'",
    "nox -s parity",
    "nox -s plan",
)
"""What the second product runs before its deployment."""


def main(arguments: list[str]) -> None:
    """Run the command line.

    Raises:
        CheckFailedError: Names what was red in the copy.
        InputError: There is no such job.
    """
    parser = argparse.ArgumentParser("python -m tests.acceptance.template", description=__doc__)
    parser.add_argument("job", nargs="*", help="only these check jobs")
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--deploy", action="store_true")
    parser.add_argument("--without", default="")
    parser.add_argument("--second", action="store_true")
    options = parser.parse_args(arguments)
    wanted = job_commands(options.job, every=options.all)
    with TemporaryDirectory() as folder:
        made = create_product(Path(folder, NAME), options.without)
        if options.second:
            rework(made)
            wanted = [*SECOND]
        red = [line for line in wanted if not passes(line, made.root)]
        if options.deploy:
            red += deploy_product(made.root)
    if red:
        raise CheckFailedError(f"red in the copy: {'; '.join(red)}", hint="its log is above")


def deploy_product(folder: Path) -> list[str]:
    """Release the copy, deploy it to this machine by the job for that; return what is red."""
    (job,) = (job for job in loader.load_workflow(DEPLOY).jobs.values() if job.id == "deploy")
    deploys = (step["run"] for step in job.run_steps)
    chain = ("invoke generate-secrets --env=local", "invoke build sbom scan push sign", *deploys)
    with (
        TemporaryDirectory() as keys,
        temporary_registry(NAME) as address,
        temporary_swarm([f"{NAME}-local"]),
    ):
        trusted = create_secrets(Path(keys))
        received = {name: trusted[name] for name in ("COSIGN_KEY", "COSIGN_PASSWORD")}
        received |= {"IMAGES_REGISTRY": f"{address}/{NAME}", "ENVIRONMENT": "local", "RELEASE": ""}
        return [line for line in chain if not passes(line, folder, received)]


def create_product(folder: Path, part: str) -> RepositoryCopy:
    """Return a copy that `invoke init` has made a product, renewed and committed.

    Args:
        folder: Where it is to be.
        part: What it goes without; nothing, if empty.
    """
    made = copy_repository(Path.cwd(), folder)
    run_checked(["invoke", "init", f"--name={NAME}", f"--without={part}"], folder)
    if part:
        for step in REGENERATE_COMMANDS:
            run_checked(shlex.split(step), folder)
    made.commit("Make it a product")
    return made


def job_commands(named: Collection[str], *, every: bool) -> list[str]:
    """Return the run lines of check jobs of the workflows.

    Args:
        named: Only these jobs; the quick ones, if none.
        every: Whether to take all of them.

    Raises:
        InputError: There is no such job.
    """
    jobs = [job for called in loader.jobs_by_call().values() for job in called]
    known = [*dict.fromkeys(job.id for job in jobs)]
    if unknown := [name for name in named if name not in known]:
        raise InputError(
            f"no such jobs: {', '.join(unknown)}", hint=f"there are: {', '.join(known)}"
        )
    kept = known if every else named or QUICK
    return [line for job in jobs if job.id in kept for line in job.shell_commands()]


def passes(line: str, folder: Path, received: Mapping[str, str] | None = None) -> bool:
    """Run a line of shell in the copy, and say how long it took."""
    started = time.monotonic()
    green = run(["bash", "-c", line], cwd=folder, env=received) == 0
    seconds = time.monotonic() - started
    print(f"{'green' if green else 'red':5} {seconds:4.0f} s  {line}", flush=True)
    return green


def run_checked(command: list[str], folder: Path) -> None:
    """Run a command in the copy.

    Raises:
        CheckFailedError: It failed.
    """
    if run(command, cwd=folder):
        raise CheckFailedError(f"`{' '.join(command)}` failed", hint="its reason is above")


if __name__ == "__main__":
    with handle_errors():
        main(sys.argv[1:])
