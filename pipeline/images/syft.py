"""The command line of Syft, which lists what is in an image."""

from pipeline.images.names import Command, Target

# Not to ask for a newer Syft: https://github.com/anchore/syft/wiki/configuration
ENVIRONMENT = {"SYFT_CHECK_FOR_APP_UPDATE": "false"}
FILES = {"spdx-json": "sbom.spdx.json", "cyclonedx-json": "sbom.cdx.json"}
"""Each format, and the file that it goes to."""


def scan(target: Target, name: str, version: str) -> Command:
    """List what is in an image's archive, in every format.

    Args:
        target: Whose archive.
        name: The image's repository.
        version: What its contents are called.
    """
    outputs = [f"--output={form}={target.folder / file}" for form, file in FILES.items()]
    source = [f"--source-name={name}", f"--source-version={version}"]
    return ("syft", "scan", f"docker-archive:{target.archive}", "--quiet", *source, *outputs)
