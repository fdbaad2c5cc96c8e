"""Say of an image what it was made from, by whom and when, as SLSA words it.

https://slsa.dev/spec/v1.0/provenance
"""

import json
from pathlib import Path
from typing import Any

from pipeline.images.records import BuildRecord
from pipeline.images.targets import Target

FILE = "provenance.json"
BUILD_TYPE = "https://docs.docker.com/build/bake/"
DIGEST = "@sha256:"


def write_provenance(target: Target, build: BuildRecord, source: str) -> Path:
    """Write a target's provenance among its papers, and return where.

    Args:
        target: Whose.
        build: How it was built.
        source: The page of the repository that it was built from, if there is one.
    """
    path = target.directory / FILE
    path.write_text(json.dumps(predicate(target, build, source), indent=2))
    return path


def predicate(target: Target, build: BuildRecord, source: str) -> dict[str, Any]:
    """Return the provenance of a build."""
    bases = [resource_descriptor(reference) for reference in build.bases.values()]
    where = {"uri": f"git+{source}"} if source else {}
    commit = {**where, "digest": {"gitCommit": build.commit}}
    return {
        "buildDefinition": {
            "buildType": BUILD_TYPE,
            "externalParameters": {"image": target.image, "platform": target.platform},
            "resolvedDependencies": [commit, *bases],
        },
        "runDetails": {
            "builder": {"id": build.builder},
            "metadata": {"startedOn": build.started, "finishedOn": build.finished},
        },
    }


def resource_descriptor(reference: str) -> dict[str, Any]:
    """Return how provenance names an image: https://github.com/package-url/purl-spec."""
    named, _, digest = reference.partition(DIGEST)
    folder, slash, name = named.rpartition("/")
    uri = f"pkg:docker/{folder}{slash}{name.replace(':', '@')}"
    return {"uri": uri, "digest": {"sha256": digest}} if digest else {"uri": uri}
