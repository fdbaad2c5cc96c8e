"""Whether all that name the app's variables mean the same ones: by name alone, never by value."""

import ast
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pipeline.deploy.cluster.stackfile import FILE as STACK
from pipeline.deploy.cluster.stackfile import Release, services_in, variables
from pipeline.environments import NEEDED, Environment
from pipeline.errors import CheckFailedError, NotJudgedError
from pipeline.files import read_text
from pipeline.github import loader
from pipeline.github.model import FOLDER, Workflow
from pipeline.github.schema import mapping

SCHEMA = (Path("backend", "config", "environment.py"), "Environment")
LAUNCHER = (Path("backend", "server.py"), "Settings")
EXAMPLE = Path("backend", ".env.example")
WORKFLOW = Path(FOLDER, "deploy.yml")
SET = re.compile(r"^([A-Z][A-Z0-9_]*)=", re.MULTILINE)
PASSED = re.compile(r"\bsecrets\.([A-Z][A-Z0-9_]*)")
SMOKE_USER = {name for name in NEEDED if name.startswith("SMOKE_USER_")}
"""What a management command reads, which is no setting."""


def example_is_whole() -> str:
    """Look whether the example lists what the settings read.

    Raises:
        CheckFailedError: It does not.
    """
    read, listed = set(declared(*SCHEMA)), set(SET.findall(read_text(EXAMPLE)))
    require_none(read ^ listed, f"{EXAMPLE} and the settings differ in", "nox -s env-example")
    return f"{len(read)} variables"


def all_is_given(environment: Environment) -> str:
    """Look whether the app is told all that it cannot do without.

    Raises:
        CheckFailedError: It is not.
    """
    required = {name for name, needed in declared(*SCHEMA).items() if needed}
    missing = required - given(environment)
    hint = f"name them in `variables` or `secrets` of environments.{environment.name}"
    require_none(missing, "the app needs and is not told", hint)
    return f"all {len(required)} required"


def all_is_read(environment: Environment) -> str:
    """Look whether the app reads all that it is told.

    Raises:
        CheckFailedError: It does not: something is misspelt, or nobody needs it any more.
    """
    read = set(declared(*SCHEMA)) | set(declared(*LAUNCHER)) | SMOKE_USER
    hint = f"correct the name in pipeline.toml or {STACK}, or take it out"
    require_none(given(environment) - read, "nobody reads", hint)
    return f"{len(given(environment))} are told, and read"


def workflow_passes_all(environment: Environment) -> str:
    """Look whether the workflow hands on each secret that a deployment asks for.

    Raises:
        CheckFailedError: It does not.
        InputError: The workflow cannot be read.
        NotJudgedError: No workflow deploys to this environment.
    """
    workflow = loader.read(WORKFLOW.name) if WORKFLOW.exists() else None
    if not workflow or environment.name not in deploys_to(workflow):
        raise NotJudgedError("workflow", "none deploys here", hint="people deploy here by hand")
    asked = {*environment.secrets, *environment.optional}
    missing = asked - set(PASSED.findall(workflow.text))
    require_none(missing, f"{WORKFLOW} does not pass", "add them to `secrets` and to each `env`")
    return f"{len(asked)} secrets are passed"


def deploys_to(workflow: Workflow) -> list[str]:
    """Return the environments that a workflow lets one choose from."""
    form: Any = workflow.triggers
    for key in ("workflow_dispatch", "inputs", "environment"):
        form = mapping(form).get(key)
    return mapping(form).get("options") or []


def given(environment: Environment) -> set[str]:
    """Return the names of all that the app is told: variables, and secrets as files."""
    nothing = Release("", "", "", {}, {})
    services = services_in(STACK)
    told = {*services["backend"].get("environment", {})}
    told |= {*variables("backend", environment, nothing)}
    return told | set(environment.for_the_app)


def declared(path: Path, name: str) -> dict[str, bool]:
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


def require_none(names: Iterable[str], what: str, hint: str) -> None:
    """Refuse if there are any.

    Raises:
        CheckFailedError: Names all of them.
    """
    if found := sorted(names):
        raise CheckFailedError(f"{what} {', '.join(found)}", hint=hint)
