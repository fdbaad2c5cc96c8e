"""What was deployed, when, by whom, and what became of it: kept in the swarm itself.

Each entry is made of config objects, which nobody can change: one when a deployment starts, with
all that is needed to put it back, and one when it ends.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from pipeline.deploy.cluster.client import SwarmClient
from pipeline.deploy.confirmation import utc_now
from pipeline.errors import CheckFailedError, InputError

SUCCEEDED = "succeeded"
END_FIELDS = ("outcome", "note", "ended")
STARTED_PATTERN = re.compile(r"-journal-\d+-started$")
KEPT_RELEASES = 5
"""How many good releases can be gone back to."""


@dataclass(frozen=True)
class DeploymentRecord:
    """One deployment.

    Attributes:
        number: They are counted.
        kind: `deploy` or `rollback`.
        by: Who deployed.
        started: When, in ISO 8601.
        deploy_id: Names it in what runs.
        version: What was deployed.
        commit: What it was built from.
        images: Each service's image, by digest.
        services: Each service as the engine was told to have it.
        restores: The number of the entry that it puts back; 0, if it is a deployment.
        outcome: What became of it; nothing yet, if it is under way, or its deployer is dead.
        note: Why.
        ended: When.
    """

    number: int
    kind: str
    by: str
    started: str
    deploy_id: str
    version: str
    commit: str
    images: Mapping[str, str]
    services: Mapping[str, Any]
    restores: int = 0
    outcome: str = ""
    note: str = ""
    ended: str = ""


def entries(swarm: SwarmClient, stack: str) -> list[DeploymentRecord]:
    """Return all that the journal of a stack tells, the oldest first.

    Where only the end of an entry is left, somebody was stopped while he forgot it.
    """
    found: dict[int, dict[str, Any]] = {}
    for content in swarm.configs(label(stack)).values():
        part = json.loads(content)
        found.setdefault(part["number"], {}).update(part)
    return [
        DeploymentRecord(**found[number])
        for number in sorted(found)
        if "deploy_id" in found[number]
    ]


def all_images(swarm: SwarmClient) -> set[str]:
    """Return the images that the journals in a swarm name, of whatever stack."""
    names = swarm.check_output("config", "ls", "--format={{.Name}}").split()
    texts = swarm.config_contents(*(name for name in names if STARTED_PATTERN.search(name)))
    return {image for text in texts for image in json.loads(text)["images"].values()}


def last_successful(known: Sequence[DeploymentRecord]) -> DeploymentRecord | None:
    """Return what is live by the journal: the last that went well."""
    return next((entry for entry in reversed(known) if entry.outcome == SUCCEEDED), None)


def find_rollback_target(known: Sequence[DeploymentRecord], to: str | None) -> DeploymentRecord:
    """Return the release of the journal to go back to.

    Without a name it is what served before the one that serves now. What was gone back from is
    never meant: to go back twice is to go back further, not back and forth.

    Raises:
        InputError: There is none.
    """
    good = [entry for entry in known if entry.outcome == SUCCEEDED]
    if to:
        fitting = [entry for entry in good if to in {entry.version, str(entry.number)}]
    else:
        fitting = effective_history(good)[:-1]
    if fitting:
        return fitting[-1]
    versions = ", ".join(dict.fromkeys(entry.version for entry in good)) or "none"
    live = good[-1].version if good else "any"
    raise InputError(
        f"the journal has no good release `{to}`" if to else f"there is no release before {live}",
        hint=f"good releases: {versions}; invoke history shows them, --to takes one",
    )


def fallback_release(
    known: Sequence[DeploymentRecord], failed: Mapping[str, str]
) -> DeploymentRecord | None:
    """Return the last release that served before the one that is live, and is not what failed.

    Args:
        known: All that the journal tells.
        failed: The images of what failed just now.
    """
    steps = effective_history([entry for entry in known if entry.outcome == SUCCEEDED])[:-1]
    return next((step for step in reversed(steps) if step.images != failed), None)


def effective_history(good: Sequence[DeploymentRecord]) -> list[DeploymentRecord]:
    """Return the releases that led to the one that serves, which is the last.

    What is put back stands where it stood at first, and what came after it is no step any more.
    """
    steps: list[DeploymentRecord] = []
    for entry in good:
        steps = [step for step in steps if original_number(step) < original_number(entry)] + [entry]
    return steps


def number_for_version(known: Sequence[DeploymentRecord], version: str) -> int:
    """Return the number of the deployment that brought a version; 0, if it is not known."""
    good = [entry for entry in known if entry.outcome == SUCCEEDED and entry.version == version]
    return original_number(good[-1]) if good else 0


def original_number(entry: DeploymentRecord) -> int:
    """Return the number of the deployment whose release this is."""
    return entry.restores or entry.number


def unfinished(known: Sequence[DeploymentRecord]) -> DeploymentRecord | None:
    """Return the deployment that never ended, if the last did not."""
    return known[-1] if known and not known[-1].outcome else None


def record_start(swarm: SwarmClient, stack: str, entry: DeploymentRecord) -> None:
    """Write down that a deployment starts.

    Raises:
        CheckFailedError: The swarm does not take it.
    """
    content = {key: value for key, value in asdict(entry).items() if key not in END_FIELDS}
    write_config(swarm, stack, f"{entry.number:05}-started", content)


def record_end(
    swarm: SwarmClient, stack: str, entry: DeploymentRecord, outcome: str, note: str = ""
) -> None:
    """Write down what became of a deployment.

    Raises:
        CheckFailedError: The swarm does not take it.
    """
    content = {"number": entry.number, "outcome": outcome, "note": note[:500], "ended": utc_now()}
    write_config(swarm, stack, f"{entry.number:05}-ended", content)


def write_config(swarm: SwarmClient, stack: str, name: str, content: Mapping[str, Any]) -> None:
    """Write one object of the journal.

    Raises:
        CheckFailedError: The swarm does not take it.
    """
    text = json.dumps(content, indent=2)
    if not swarm.create_config(f"{stack}-journal-{name}", text, {label(stack): "journal"}):
        raise CheckFailedError(
            f"the journal of {stack} cannot be written", hint="docker config ls; docker node ls"
        )


def prune(swarm: SwarmClient, stack: str) -> list[DeploymentRecord]:
    """Forget what lies before the last good deployments, and return what is left."""
    known = entries(swarm, stack)
    good = [entry.number for entry in known if entry.outcome == SUCCEEDED and not entry.restores]
    first_kept = good[-KEPT_RELEASES:][:1]
    for entry in known:
        if first_kept and entry.number < first_kept[0]:
            names = [f"{stack}-journal-{entry.number:05}-{part}" for part in ("started", "ended")]
            swarm.run("config", "rm", *names)
    return [entry for entry in known if not first_kept or entry.number >= first_kept[0]]


def label(stack: str) -> str:
    """Return the label of all that belongs to the journal."""
    return f"pipeline.journal.{stack}"
