"""Set GitHub as pipeline.toml wants it: `invoke github-settings`."""

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
    """Change what is not as it is wanted, and list the names that are missing.

    Args:
        dry_run: Whether to only print, on stdout, what would be sent.

    Raises:
        InputError: pipeline.toml is wrong, there is no token, or GitHub refuses.
    """
    settings, api = load(), connect()
    found = list(plan_changes(api, settings))
    (print_changes if dry_run else partial(apply_changes, api))(found)
    if not found:
        print("nothing to change: GitHub is as pipeline.toml wants it", file=sys.stderr)
    for line in missing_settings(api, settings):
        print(line, file=sys.stderr)


def plan_changes(api: GitHubClient, settings: Settings) -> Iterator[SettingChange]:
    """Yield all that has to be changed."""
    asked = settings.github
    places, versions = desired.remote_environments(settings), desired.version_tag_patterns()
    yield from diff.workflow_changes(api)
    yield from diff.ruleset_changes(api, desired.rulesets(asked, settings.ci.main_branch, versions))
    for place in places:
        yield from diff.environment_changes(api, place, asked, versions)


def print_changes(found: Iterable[SettingChange]) -> None:
    """Print what would be sent."""
    for change in found:
        print(f"would change: {change.what}", file=sys.stderr)
        print(change.method, change.path, json.dumps(change.body), sep="\t")


def apply_changes(api: GitHubClient, found: Iterable[SettingChange]) -> None:
    """Send all changes, and say each once it is made."""
    for change in found:
        api.send(change.method, change.path, change.body)
        print(f"changed: {change.what}", file=sys.stderr)


def missing_settings(api: GitHubClient, settings: Settings) -> Iterator[str]:
    """Yield what only a person can add: secrets, variables, reviewers."""
    known = missing.repository_secrets(api)
    for place in desired.remote_environments(settings):
        yield from missing.missing_secrets(api, place, known)
        if place.confirm and not settings.github.reviewers.get(place.name):
            yield f"environment `{place.name}` wants a person to agree: name reviewers in [github]"
    yield from missing.unset_optional(api, settings, known)
