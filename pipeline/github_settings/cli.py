"""Set GitHub as pipeline.toml wants it: `invoke github`."""

import json
import sys
from collections.abc import Iterable, Iterator
from functools import partial

from pipeline.config import load
from pipeline.github_settings import desired, diff, missing
from pipeline.github_settings.client import GitHub, connected
from pipeline.github_settings.diff import Change
from pipeline.settings import Settings


def github(*, dry: bool = False) -> None:
    """Change what is not as it is wanted, and list the names that are missing.

    Args:
        dry: Whether to only print, on stdout, what would be sent.

    Raises:
        InputError: pipeline.toml is wrong, there is no token, or GitHub refuses.
    """
    settings, api = load(), connected()
    found = list(compared(api, settings))
    (show if dry else partial(act, api))(found)
    if not found:
        print("nothing to change: GitHub is as pipeline.toml wants it", file=sys.stderr)
    for line in lacking(api, settings):
        print(line, file=sys.stderr)


def compared(api: GitHub, settings: Settings) -> Iterator[Change]:
    """Yield all that has to be changed."""
    asked = settings.github
    places, versions = desired.remote(settings), desired.tags()
    yield from diff.of_workflows(api)
    yield from diff.of_rulesets(api, desired.rulesets(asked, settings.ci.main, versions))
    for place in places:
        yield from diff.of_environment(api, place, asked, versions)


def show(found: Iterable[Change]) -> None:
    """Print what would be sent."""
    for change in found:
        print(f"would change: {change.what}", file=sys.stderr)
        print(change.method, change.path, json.dumps(change.body), sep="\t")


def act(api: GitHub, found: Iterable[Change]) -> None:
    """Send all changes, and say each once it is made."""
    for change in found:
        api.send(change.method, change.path, change.body)
        print(f"changed: {change.what}", file=sys.stderr)


def lacking(api: GitHub, settings: Settings) -> Iterator[str]:
    """Yield what only a person can add: secrets, variables, reviewers."""
    known = missing.of_repository(api)
    for place in desired.remote(settings):
        yield from missing.secrets(api, place, known)
        if place.confirm and not settings.github.reviewers.get(place.name):
            yield f"environment `{place.name}` wants a person to agree: name reviewers in [github]"
    yield from missing.optional(api, settings, known)
