"""The command line of Trivy, which scans images for vulnerabilities."""

import os

from pipeline.images.targets import Command, Target

VARIABLES = "TRIVY_"
LOCATION_VARIABLES = {
    f"TRIVY_{name}" for name in ("CACHE_DIR", "DB_REPOSITORY", "JAVA_DB_REPOSITORY", "TIMEOUT")
}
"""Variables that set locations, and do not change the findings."""
UNREACHABLE = ("failed to download vulnerability DB", "failed to download Java DB")
"""Error messages of Trivy if its database cannot be downloaded."""
OUTPUT_FILES = {
    "json": "scan.json",
    "sarif": "scan.sarif",
    "table": "scan.txt",
    "cosign-vuln": "scan.attestation.json",
}
"""The file of each format."""


def scan_command(target: Target, form: str) -> Command:
    """Scan an archive. Findings do not fail the command; they are evaluated later.

    No configuration file of Trivy is read; security/exceptions.toml is the only list of exceptions.

    Args:
        target: The target of the archive.
        form: A key of `OUTPUT_FILES`.
    """
    quiet = ("--quiet", "--skip-version-check", "--disable-telemetry")
    output = (f"--format={form}", f"--output={target.directory / OUTPUT_FILES[form]}")
    return (
        "trivy",
        "image",
        f"--input={target.archive}",
        "--scanners=vuln,secret",
        f"--config={os.devnull}",
        f"--ignorefile={os.devnull}",
        "--secret-config=",
        *quiet,
        *output,
    )
