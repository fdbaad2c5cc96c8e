"""Checks that settings, .env.example, pipeline.toml and the workflow list the same variables."""

import ast
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pipeline.config import load
from pipeline.deploy.cluster.stackfile import STACK_FILE as STACK
from pipeline.deploy.cluster.stackfile import Release, service_environment, services_of_file
from pipeline.environments import REQUIRED_SECRETS, Environment
from pipeline.errors import CheckFailedError, InconclusiveError
from pipeline.files import read_text
from pipeline.github import loader
from pipeline.github.model import WORKFLOWS_DIR, Workflow
from pipeline.github.schema import as_mapping

_WORKFLOW = Path(WORKFLOWS_DIR, "deploy.yml")
_ENV_LINE = re.compile(r"^([A-Z][A-Z0-9_]*)=", re.MULTILINE)
_SECRET_REFERENCE = re.compile(r"\bsecrets\.([A-Z][A-Z0-9_]*)")
_SMOKE_USER = {name for name in REQUIRED_SECRETS if name.startswith("SMOKE_USER_")}
"""Read by a management command, not by the settings."""


def check_env_example() -> str:
    """Check that the example lists the variables of the settings.

    Raises:
        CheckFailedError: Names the differences.
    """
    layout = load().layout
    read, example = set(_declared_variables(layout.variables)), layout.env_example
    listed = set(_ENV_LINE.findall(read_text(example)))
    _fail_if_any(read ^ listed, f"{example} and the settings differ in", "nox -s env-example")
    return f"{len(read)} variables"


def check_required_variables(environment: Environment) -> str:
    """Check that the environment sets every required variable.

    Raises:
        CheckFailedError: Names the missing ones.
    """
    declared = _declared_variables(load().layout.variables)
    required = {name for name, needed in declared.items() if needed}
    missing = required - _configured_names(environment)
    hint = f"add them to `variables` or `secrets` of environments.{environment.name}"
    _fail_if_any(missing, "the app requires", hint)
    return f"all {len(required)} required"


def check_unused_variables(environment: Environment) -> str:
    """Check that the app reads every variable of the environment.

    Raises:
        CheckFailedError: Names the others: misspelt or no longer used.
    """
    layout = load().layout
    declared = map(_declared_variables, (layout.variables, layout.server_variables))
    read = _SMOKE_USER.union(*declared)
    hint = f"fix the name in pipeline.toml or {STACK}, or remove it"
    _fail_if_any(_configured_names(environment) - read, "the app does not read", hint)
    return f"{len(_configured_names(environment))} set, and all read"


def check_workflow_secrets(environment: Environment) -> str:
    """Check that the workflow passes every secret of a deployment.

    Raises:
        CheckFailedError: Names the missing ones.
        InputError: The workflow cannot be read.
        InconclusiveError: No workflow deploys to this environment.
    """
    workflow = loader.load_workflow(_WORKFLOW.name) if _WORKFLOW.exists() else None
    if not workflow or environment.name not in _workflow_environments(workflow):
        raise InconclusiveError("workflow", "no workflow deploys here", hint="deploy by hand")
    required = {*environment.secrets, *environment.optional_secrets}
    missing = required - set(_SECRET_REFERENCE.findall(workflow.text))
    _fail_if_any(missing, f"{_WORKFLOW} does not pass", "add them to `secrets` and to each `env`")
    return f"{len(required)} secrets are passed"


def _workflow_environments(workflow: Workflow) -> list[str]:
    """Return the environments in the form of a workflow."""
    form: Any = workflow.triggers
    for key in ("workflow_dispatch", "inputs", "environment"):
        form = as_mapping(form).get(key)
    return as_mapping(form).get("options") or []


def _configured_names(environment: Environment) -> set[str]:
    """Return the names of all variables and secrets that the app receives."""
    nothing = Release("", "", "", {}, {})
    services, api = services_of_file(STACK), load().app.api
    names = {*services[api].get("environment", {})}
    names |= {*service_environment(api, environment, nothing)}
    return names | set(environment.app_secrets)


def _declared_variables(schema: str) -> dict[str, bool]:
    """Return the variables of a class, and whether each is required.

    Args:
        schema: The class, as `file:name` in the folder of the Django project.
    """
    file, _, name = schema.partition(":")
    tree = ast.parse(read_text(Path(load().layout.backend, file)))
    declaration = next(
        node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == name
    )
    return {
        field.target.id.upper(): field.value is None
        for field in declaration.body
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
    }


def _fail_if_any(names: Iterable[str], what: str, hint: str) -> None:
    """Fail if there are names.

    Raises:
        CheckFailedError: Lists all of them.
    """
    if found := sorted(names):
        raise CheckFailedError(f"{what} {', '.join(found)}", hint=hint)
