"""Write the SLSA provenance of an image.

https://slsa.dev/spec/v1.0/provenance
"""

import json
from pathlib import Path
from typing import Any

from pipeline.images.records import BuildRecord
from pipeline.images.targets import Target

FILE = "provenance.json"
_BUILD_TYPE = "https://docs.docker.com/build/bake/"
_DIGEST = "@sha256:"


def write_provenance(target: Target, build: BuildRecord, source: str) -> Path:
    """Write a target's provenance, and return its path.

    Args:
        target: The target.
        build: Its build record.
        source: The page of its repository; empty, if there is none.
    """
    path = target.directory / FILE
    path.write_text(json.dumps(predicate(target, build, source), indent=2))
    return path


def predicate(target: Target, build: BuildRecord, source: str) -> dict[str, Any]:
    """Return the provenance of a build."""
    bases = [_resource_descriptor(reference) for reference in build.bases.values()]
    location = {"uri": f"git+{source}"} if source else {}
    commit = {**location, "digest": {"gitCommit": build.commit}}
    return {
        "buildDefinition": {
            "buildType": _BUILD_TYPE,
            "externalParameters": {"image": target.image, "platform": target.platform},
            "resolvedDependencies": [commit, *bases],
        },
        "runDetails": {
            "builder": {"id": build.builder},
            "metadata": {"startedOn": build.started, "finishedOn": build.finished},
        },
    }


def _resource_descriptor(reference: str) -> dict[str, Any]:
    """Return an image as a package URL: https://github.com/package-url/purl-spec."""
    named, _, digest = reference.partition(_DIGEST)
    folder, slash, name = named.rpartition("/")
    uri = f"pkg:docker/{folder}{slash}{name.replace(':', '@')}"
    return {"uri": uri, "digest": {"sha256": digest}} if digest else {"uri": uri}
