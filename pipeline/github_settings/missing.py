"""Names of secrets and variables that are not set on GitHub; values are not read."""

import re
from collections.abc import Iterator
from pathlib import Path

from pipeline.environments import SSH_KEY, Environment
from pipeline.files import read_text
from pipeline.github.model import WORKFLOWS_DIR
from pipeline.github_settings.client import GitHubClient, quote_path
from pipeline.settings import BUILTIN_SECRETS, Settings

_VARIABLE = re.compile(r"\bvars\.(\w+)")


def missing_secrets(
    github: GitHubClient, environment: Environment, repository_names: set[str]
) -> Iterator[str]:
    """Yield a line for each required secret of an environment that is not set.

    Args:
        github: The client.
        environment: The environment.
        repository_names: The secrets of the repository, which every environment can read.
    """
    path = f"environments/{quote_path(environment.name)}"
    known = repository_names | {
        each["name"]
        for each in (github.paginate(f"{path}/secrets", "secrets") if github.get(path) else ())
    }
    needed = {*environment.secrets, *([SSH_KEY] if environment.host else [])}
    for name in sorted(needed - known):
        yield f"secret {name} of environment `{environment.name}` is not set"


def unset_optional(
    github: GitHubClient, settings: Settings, repository_names: set[str]
) -> Iterator[str]:
    """Yield a line for each optional secret and variable that a job reads and that is not set.

    Args:
        github: The client.
        settings: pipeline.toml.
        repository_names: The secrets of the repository.
    """
    needed = {name for each in settings.environments.values() for name in each.secrets}
    listed = {name for names in settings.job_secrets.values() for name in names}
    read = listed - needed - BUILTIN_SECRETS - {SSH_KEY}
    for name in sorted(read - repository_names):
        yield f"secret {name} is not set; it is optional"
    known = {each["name"] for each in github.paginate("actions/variables", "variables")}
    files = Path(WORKFLOWS_DIR).glob("*.yml")
    used = {name for file in files for name in _VARIABLE.findall(read_text(file))}
    for name in sorted(used - known):
        yield f"variable {name} is not set; it is optional, see CI_CD.md"


def repository_secrets(github: GitHubClient) -> set[str]:
    """Return the names of the secrets of the repository."""
    return {each["name"] for each in github.paginate("actions/secrets", "secrets")}
