"""The command line of Trivy, which knows the vulnerabilities of what is in an image."""

import os

from pipeline.images.targets import Command, Target

VARIABLES = "TRIVY_"
PLACES = {
    f"TRIVY_{name}" for name in ("CACHE_DIR", "DB_REPOSITORY", "JAVA_DB_REPOSITORY", "TIMEOUT")
}
"""Its variables that say where things are, and not what is found."""
UNREACHABLE = ("failed to download vulnerability DB", "failed to download Java DB")
"""What it says where no registry hands out what it knows."""
OUTPUT_FILES = {
    "json": "scan.json",
    "sarif": "scan.sarif",
    "table": "scan.txt",
    "cosign-vuln": "scan.attestation.json",
}
"""Each format, and the file that it goes to."""


def scan_command(target: Target, form: str) -> Command:
    """Scan an image's archive; the findings are judged by us, so that they never fail this.

    No file of Trivy's own is read: security/exceptions.toml is the only one, and its entries end.

    Args:
        target: Whose archive.
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
