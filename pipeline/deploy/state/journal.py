"""The journal of deployments, kept in the swarm itself.

Each record consists of config objects, which are immutable: one at the start of a deployment, with
everything that a rollback needs, and one at its end.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from pipeline.config import load
from pipeline.deploy.cluster.client import SwarmClient
from pipeline.deploy.confirmation import utc_now
from pipeline.errors import CheckFailedError, InputError
from pipeline.images.targets import ImageRef

SUCCEEDED = "succeeded"
_END_FIELDS = ("outcome", "note", "ended")
_STARTED_PATTERN = re.compile(r"-journal-\d+-started$")
KEPT_RELEASES = 5
"""Number of good releases that a rollback can reach."""


@dataclass(frozen=True)
class DeploymentRecord:
    """One deployment.

    Attributes:
        number: Serial number.
        kind: `deploy` or `rollback`.
        by: The user.
        started: Time, in ISO 8601.
        deploy_id: Id of the deployment, in its tasks.
        version: The deployed version.
        commit: The commit that it was built from.
        images: Image of each service, by digest.
        services: The services, as in a stack file.
        restores: Number of the record that a rollback restores; 0 for a deploy.
        outcome: The result; empty while it runs, or if its deployer was killed.
        note: The reason, or a remark.
        ended: Time of the end.
    """

    number: int
    kind: str
    by: str
    started: str
    deploy_id: str
    version: str
    commit: str
    images: Mapping[str, ImageRef]
    services: Mapping[str, Any]
    restores: int = 0
    outcome: str = ""
    note: str = ""
    ended: str = ""

    @property
    def api(self) -> dict[str, Any]:
        """The service of the API."""
        service: dict[str, Any] = self.services[load().app.api]
        return service

    @property
    def page_image(self) -> str:
        """The image of the page; empty, if the API serves it."""
        return self.images.get(load().app.page, "")


def entries(swarm: SwarmClient, stack: str) -> list[DeploymentRecord]:
    """Return all records, the oldest first.

    An end without a start belongs to a record whose pruning was interrupted; it is skipped.
    """
    found: dict[int, dict[str, Any]] = {}
    for content in swarm.configs(_label(stack)).values():
        part = json.loads(content)
        found.setdefault(part["number"], {}).update(part)
    return [_record(found[number]) for number in sorted(found) if "deploy_id" in found[number]]


def _record(content: Mapping[str, Any]) -> DeploymentRecord:
    images = {name: ImageRef(reference) for name, reference in content["images"].items()}
    return DeploymentRecord(**{**content, "images": images})


def all_images(swarm: SwarmClient) -> set[str]:
    """Return the images in the journals of all stacks of a swarm."""
    names = swarm.check_output("config", "ls", "--format={{.Name}}").split()
    texts = swarm.config_contents(*(name for name in names if _STARTED_PATTERN.search(name)))
    return {image for text in texts for image in json.loads(text)["images"].values()}


def last_successful(known: Sequence[DeploymentRecord]) -> DeploymentRecord | None:
    """Return the live release: the last successful record."""
    return next((entry for entry in reversed(known) if entry.outcome == SUCCEEDED), None)


def find_rollback_target(known: Sequence[DeploymentRecord], to: str | None) -> DeploymentRecord:
    """Return the release to roll back to.

    By default it is the release that served before the live one. Releases that were rolled back are
    never chosen, so a second rollback goes further back.

    Raises:
        InputError: There is none.
    """
    good = [entry for entry in known if entry.outcome == SUCCEEDED]
    if to:
        fitting = [entry for entry in good if to in {entry.version, str(entry.number)}]
    else:
        fitting = _effective_history(good)[:-1]
    if fitting:
        return fitting[-1]
    versions = ", ".join(dict.fromkeys(entry.version for entry in good)) or "none"
    live = good[-1].version if good else "any"
    raise InputError(
        f"the journal has no good release `{to}`" if to else f"there is no release before {live}",
        hint=f"good releases: {versions}; select one with --to",
    )


def fallback_release(
    known: Sequence[DeploymentRecord], failed: Mapping[str, str]
) -> DeploymentRecord | None:
    """Return the last release that served before the live one, other than the failed one.

    Args:
        known: All records.
        failed: The images of the failed release.
    """
    steps = _effective_history([entry for entry in known if entry.outcome == SUCCEEDED])[:-1]
    return next((step for step in reversed(steps) if step.images != failed), None)


def _effective_history(good: Sequence[DeploymentRecord]) -> list[DeploymentRecord]:
    """Return the releases that led to the live one, which is the last.

    A rollback returns to the position of its release; later releases are dropped.
    """
    steps: list[DeploymentRecord] = []
    for entry in good:
        steps = [step for step in steps if original_number(step) < original_number(entry)] + [entry]
    return steps


def number_for_version(known: Sequence[DeploymentRecord], version: str) -> int:
    """Return the number of the record that deployed a version; 0 if it is unknown."""
    good = [entry for entry in known if entry.outcome == SUCCEEDED and entry.version == version]
    return original_number(good[-1]) if good else 0


def original_number(entry: DeploymentRecord) -> int:
    """Return the number of the record that first deployed this release."""
    return entry.restores or entry.number


def unfinished(known: Sequence[DeploymentRecord]) -> DeploymentRecord | None:
    """Return the last record, if it never ended."""
    return known[-1] if known and not known[-1].outcome else None


def record_start(swarm: SwarmClient, stack: str, entry: DeploymentRecord) -> None:
    """Record the start of a deployment.

    Raises:
        CheckFailedError: The swarm rejects it.
    """
    content = {key: value for key, value in asdict(entry).items() if key not in _END_FIELDS}
    _write_config(swarm, stack, f"{entry.number:05}-started", content)


def record_end(
    swarm: SwarmClient, stack: str, entry: DeploymentRecord, outcome: str, note: str = ""
) -> None:
    """Record the end of a deployment.

    Raises:
        CheckFailedError: The swarm rejects it.
    """
    content = {"number": entry.number, "outcome": outcome, "note": note[:500], "ended": utc_now()}
    _write_config(swarm, stack, f"{entry.number:05}-ended", content)


def _write_config(swarm: SwarmClient, stack: str, name: str, content: Mapping[str, Any]) -> None:
    """Write one object of the journal.

    Raises:
        CheckFailedError: The swarm rejects it.
    """
    text = json.dumps(content, indent=2)
    if not swarm.create_config(f"{stack}-journal-{name}", text, {_label(stack): "journal"}):
        raise CheckFailedError(
            f"the journal of {stack} cannot be written", hint="docker config ls; docker node ls"
        )


def prune(swarm: SwarmClient, stack: str) -> list[DeploymentRecord]:
    """Remove the records before the last good releases, and return the others."""
    known = entries(swarm, stack)
    good = [entry.number for entry in known if entry.outcome == SUCCEEDED and not entry.restores]
    first_kept = good[-KEPT_RELEASES:][:1]
    for entry in known:
        if first_kept and entry.number < first_kept[0]:
            names = [f"{stack}-journal-{entry.number:05}-{part}" for part in ("started", "ended")]
            swarm.run("config", "rm", *names)
    return [entry for entry in known if not first_kept or entry.number >= first_kept[0]]


def _label(stack: str) -> str:
    """Return the label of all objects of the journal."""
    return f"pipeline.journal.{stack}"
