"""Names of secrets and variables that GitHub does not have yet; never a value."""

import re
from collections.abc import Iterator
from pathlib import Path

from pipeline.environments import Environment
from pipeline.files import read_text
from pipeline.github.model import WORKFLOWS_DIR
from pipeline.github_settings.client import GitHubClient, quote_path
from pipeline.settings import Settings

VARIABLE = re.compile(r"\bvars\.(\w+)")
BUILTIN_SECRETS = {"GITHUB_TOKEN"}
"""GitHub sets it itself."""
SSH_KEY_NAME = "DEPLOY_SSH_KEY"


def missing_secrets(
    github: GitHubClient, environment: Environment, at_all: set[str]
) -> Iterator[str]:
    """Yield a line for each secret that a deployment needs and would not find.

    Args:
        github: The API.
        environment: Where the deployment would go.
        at_all: The secrets of the repository, which every environment falls back to.
    """
    path = f"environments/{quote_path(environment.name)}"
    known = at_all | {
        each["name"]
        for each in (github.paginate(f"{path}/secrets", "secrets") if github.get(path) else ())
    }
    needed = {*environment.secrets, *([SSH_KEY_NAME] if environment.host else [])}
    for name in sorted(needed - known):
        yield f"secret {name} of environment `{environment.name}` is not set"


def unset_optional(github: GitHubClient, settings: Settings, at_all: set[str]) -> Iterator[str]:
    """Yield a line for each secret and variable that a job reads, and can do without.

    Args:
        github: The API.
        settings: pipeline.toml.
        at_all: The secrets of the repository.
    """
    needed = {name for each in settings.environments.values() for name in each.secrets}
    listed = {name for names in settings.parity.secrets.values() for name in names}
    read = listed - needed - BUILTIN_SECRETS - {SSH_KEY_NAME}
    for name in sorted(read - at_all):
        yield f"secret {name} is not set; nothing needs it"
    known = {each["name"] for each in github.paginate("actions/variables", "variables")}
    files = Path(WORKFLOWS_DIR).glob("*.yml")
    used = {name for file in files for name in VARIABLE.findall(read_text(file))}
    for name in sorted(used - known):
        yield f"variable {name} is not set; CI_CD.md says what it is for"


def repository_secrets(github: GitHubClient) -> set[str]:
    """Return the names of the repository's own secrets."""
    return {each["name"] for each in github.paginate("actions/secrets", "secrets")}
