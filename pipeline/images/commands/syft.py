"""The command line of Syft, which lists what is in an image."""

from pathlib import Path

from pipeline.images.targets import Command, Target

# https://github.com/anchore/syft/wiki/configuration
CONFIGURATION = Path(__file__).with_name("syft.yaml")
VARIABLES = "SYFT_"
OUTPUT_FILES = {"spdx-json": "sbom.spdx.json", "cyclonedx-json": "sbom.cdx.json"}
"""Each format, and the file that it goes to."""


def sbom_command(target: Target, name: str, version: str) -> Command:
    """List what is in an image's archive, in every format.

    Args:
        target: Whose archive.
        name: The image's repository.
        version: What its contents are called.
    """
    outputs = [f"--output={form}={target.directory / file}" for form, file in OUTPUT_FILES.items()]
    source = [f"--source-name={name}", f"--source-version={version}"]
    quiet = (f"--config={CONFIGURATION}", "--quiet")
    return ("syft", "scan", f"docker-archive:{target.archive}", *quiet, *source, *outputs)
