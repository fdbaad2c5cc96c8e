"""The command line of Syft, which writes SBOMs."""

from pathlib import Path

from pipeline.images.targets import Command, Target

# https://github.com/anchore/syft/wiki/configuration
CONFIGURATION = Path(__file__).with_name("syft.yaml")
VARIABLES = "SYFT_"
OUTPUT_FILES = {"spdx-json": "sbom.spdx.json", "cyclonedx-json": "sbom.cdx.json"}
"""The file of each format."""


def sbom_command(target: Target, name: str, version: str) -> Command:
    """Write the SBOMs of an archive in every format.

    Args:
        target: The target of the archive.
        name: The repository of the image.
        version: The version for the SBOM.
    """
    outputs = [f"--output={form}={target.directory / file}" for form, file in OUTPUT_FILES.items()]
    source = [f"--source-name={name}", f"--source-version={version}"]
    quiet = (f"--config={CONFIGURATION}", "--quiet")
    return ("syft", "scan", f"docker-archive:{target.archive}", *quiet, *source, *outputs)
