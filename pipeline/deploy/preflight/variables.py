"""Whether all that name the app's variables mean the same ones: by name alone, never by value."""

import ast
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pipeline.deploy.cluster.stackfile import STACK_FILE as STACK
from pipeline.deploy.cluster.stackfile import Release, service_environment, services_of_file
from pipeline.environments import REQUIRED_SECRETS, Environment
from pipeline.errors import CheckFailedError, InconclusiveError
from pipeline.files import read_text
from pipeline.github import loader
from pipeline.github.model import WORKFLOWS_DIR, Workflow
from pipeline.github.schema import as_mapping

SCHEMA = (Path("backend", "config", "environment.py"), "Environment")
LAUNCHER = (Path("backend", "server.py"), "Settings")
EXAMPLE = Path("backend", ".env.example")
WORKFLOW = Path(WORKFLOWS_DIR, "deploy.yml")
ENV_LINE = re.compile(r"^([A-Z][A-Z0-9_]*)=", re.MULTILINE)
SECRET_REFERENCE = re.compile(r"\bsecrets\.([A-Z][A-Z0-9_]*)")
SMOKE_USER = {name for name in REQUIRED_SECRETS if name.startswith("SMOKE_USER_")}
"""What a management command reads, which is no setting."""


def check_env_example() -> str:
    """Look whether the example lists what the settings read.

    Raises:
        CheckFailedError: It does not.
    """
    read, listed = set(declared_variables(*SCHEMA)), set(ENV_LINE.findall(read_text(EXAMPLE)))
    fail_if_any(read ^ listed, f"{EXAMPLE} and the settings differ in", "nox -s env-example")
    return f"{len(read)} variables"


def check_required_variables(environment: Environment) -> str:
    """Look whether the app is told all that it cannot do without.

    Raises:
        CheckFailedError: It is not.
    """
    required = {name for name, needed in declared_variables(*SCHEMA).items() if needed}
    missing = required - configured_names(environment)
    hint = f"name them in `variables` or `secrets` of environments.{environment.name}"
    fail_if_any(missing, "the app needs and is not told", hint)
    return f"all {len(required)} required"


def check_unused_variables(environment: Environment) -> str:
    """Look whether the app reads all that it is told.

    Raises:
        CheckFailedError: It does not: something is misspelt, or nobody needs it any more.
    """
    read = set(declared_variables(*SCHEMA)) | set(declared_variables(*LAUNCHER)) | SMOKE_USER
    hint = f"correct the name in pipeline.toml or {STACK}, or take it out"
    fail_if_any(configured_names(environment) - read, "nobody reads", hint)
    return f"{len(configured_names(environment))} are told, and read"


def check_workflow_secrets(environment: Environment) -> str:
    """Look whether the workflow hands on each secret that a deployment asks for.

    Raises:
        CheckFailedError: It does not.
        InputError: The workflow cannot be read.
        NotJudgedError: No workflow deploys to this environment.
    """
    workflow = loader.load_workflow(WORKFLOW.name) if WORKFLOW.exists() else None
    if not workflow or environment.name not in workflow_environments(workflow):
        raise InconclusiveError("workflow", "none deploys here", hint="people deploy here by hand")
    asked = {*environment.secrets, *environment.optional_secrets}
    missing = asked - set(SECRET_REFERENCE.findall(workflow.text))
    fail_if_any(missing, f"{WORKFLOW} does not pass", "add them to `secrets` and to each `env`")
    return f"{len(asked)} secrets are passed"


def workflow_environments(workflow: Workflow) -> list[str]:
    """Return the environments that a workflow lets one choose from."""
    form: Any = workflow.triggers
    for key in ("workflow_dispatch", "inputs", "environment"):
        form = as_mapping(form).get(key)
    return as_mapping(form).get("options") or []


def configured_names(environment: Environment) -> set[str]:
    """Return the names of all that the app is told: variables, and secrets as files."""
    nothing = Release("", "", "", {}, {})
    services = services_of_file(STACK)
    told = {*services["backend"].get("environment", {})}
    told |= {*service_environment("backend", environment, nothing)}
    return told | set(environment.app_secrets)


def declared_variables(path: Path, name: str) -> dict[str, bool]:
    """Return the variables that a schema declares, and whether each is required."""
    tree = ast.parse(read_text(path))
    schema = next(
        node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == name
    )
    return {
        field.target.id.upper(): field.value is None
        for field in schema.body
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
    }


def fail_if_any(names: Iterable[str], what: str, hint: str) -> None:
    """Refuse if there are any.

    Raises:
        CheckFailedError: Names all of them.
    """
    if found := sorted(names):
        raise CheckFailedError(f"{what} {', '.join(found)}", hint=hint)
