"""Apply the settings of pipeline.toml to GitHub: `invoke github-settings`."""

import json
import sys
from collections.abc import Iterable, Iterator
from functools import partial

from pipeline.config import load
from pipeline.github_settings import desired, diff, missing
from pipeline.github_settings.client import GitHubClient, connect
from pipeline.github_settings.diff import SettingChange
from pipeline.settings import Settings


def sync_settings(*, dry_run: bool = False) -> None:
    """Change the settings that differ, and print the names of missing secrets and variables.

    Args:
        dry_run: Whether to only print the requests, on stdout.

    Raises:
        InputError: pipeline.toml is invalid, there is no token, or GitHub refuses.
    """
    settings, api = load(), connect()
    found = list(_plan_changes(api, settings))
    (_print_changes if dry_run else partial(_apply_changes, api))(found)
    if not found:
        print("nothing to change: GitHub has the settings of pipeline.toml", file=sys.stderr)
    for line in _missing_settings(api, settings):
        print(line, file=sys.stderr)


def _plan_changes(api: GitHubClient, settings: Settings) -> Iterator[SettingChange]:
    """Yield every change."""
    wanted = settings.github
    environments, versions = desired.remote_environments(settings), desired.version_tag_patterns()
    yield from diff.workflow_changes(api)
    yield from diff.ruleset_changes(
        api, desired.rulesets(wanted, settings.ci.main_branch, versions)
    )
    for environment in environments:
        yield from diff.environment_changes(api, environment, wanted, versions)


def _print_changes(found: Iterable[SettingChange]) -> None:
    """Print the requests."""
    for change in found:
        print(f"would change: {change.what}", file=sys.stderr)
        print(change.method, change.path, json.dumps(change.body), sep="\t")


def _apply_changes(api: GitHubClient, found: Iterable[SettingChange]) -> None:
    """Send the requests, and print each change after it is made."""
    for change in found:
        api.send(change.method, change.path, change.body)
        print(f"changed: {change.what}", file=sys.stderr)


def _missing_settings(api: GitHubClient, settings: Settings) -> Iterator[str]:
    """Yield the settings that must be added by hand: secrets, variables, reviewers."""
    known = missing.repository_secrets(api)
    for environment in desired.remote_environments(settings):
        yield from missing.missing_secrets(api, environment, known)
        if environment.confirm and not settings.github.reviewers.get(environment.name):
            yield f"environment `{environment.name}` has `confirm`, but no reviewers in [github]"
    yield from missing.unset_optional(api, settings, known)
