"""A fake Trivy that reports `findings.json` in Trivy's formats; it knows only documented flags.

https://trivy.dev/docs/latest/guide/references/configuration/cli/trivy_image/
"""

import argparse
import json
import os
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

from tests.unit.images.fakes.call_log import HOME, fail, read, record_call

Report = dict[str, Any]

FORMATS = ["table", "json", "template", "sarif", "cyclonedx", "spdx", "spdx-json", "github"]
LISTS = {
    "severity": ["UNKNOWN", "LOW", "MEDIUM", "HIGH", "CRITICAL"],
    "scanners": ["vuln", "misconfig", "secret", "license"],
    "pkg-types": ["os", "library"],
    "image-src": ["docker", "containerd", "podman", "remote"],
}
SWITCHES = ["ignore-unfixed", "quiet", "skip-version-check", "disable-telemetry", "offline-scan",
            "skip-db-update", "skip-java-db-update", "skip-check-update"]  # fmt: skip
VALUES = ["exit-code", "config", "ignorefile", "secret-config", "input", "output", "cache-dir",
          "timeout", "db-repository", "exit-on-eol", "server", "ignore-status", "vex"]  # fmt: skip


def main() -> None:
    options = parsed(record_call())
    if (HOME / "registry-is-away").exists():
        fatal("run error: init error: DB error: failed to download vulnerability DB: 1 error")
    report = report_on(options)
    made = {"json": report, "sarif": sarif(report), "cosign-vuln": cosign_vuln(report)}
    text = table(report) if options.format == "table" else json.dumps(made[options.format])
    Path(options.output).write_text(text)


def parsed(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("command", choices=["image"])
    parser.add_argument("image", nargs="?")
    parser.add_argument("--format", choices=[*FORMATS, "cosign-vuln"], default="table")
    for name in SWITCHES:
        parser.add_argument(f"--{name}", action="store_true")
    for name in [*VALUES, *LISTS]:
        parser.add_argument(f"--{name}")
    options, unknown = parser.parse_known_args(arguments)
    if unknown:
        fatal(f"unknown flag: {unknown[0]}")
    for name, allowed in LISTS.items():
        given = getattr(options, name.replace("-", "_")) or allowed[0]
        if set(given.split(",")) - set(allowed):
            fatal(f"invalid argument {given!r} for --{name}")
    if not Path(options.input).exists():
        fatal(f"unable to open the archive: stat {options.input}: no such file or directory")
    return options


def fatal(reason: str) -> NoReturn:
    fail(f"FATAL\tFatal error\t{reason}")


def severities(options: argparse.Namespace) -> list[str]:
    """The last source wins: a configuration file, a variable, a flag."""
    file = Path(options.config or "trivy.yaml")
    listed = re.search(r"severity: \[(.*)\]", file.read_text() if file.exists() else "")
    received = options.severity or os.environ.get("TRIVY_SEVERITY") or (listed and listed[1])
    return re.split(", *", received) if received else LISTS["severity"]


def report_on(options: argparse.Namespace) -> Report:
    archive, found, received = options.input, read("findings"), severities(options)
    if options.secret_config is None and Path("trivy-secret.yaml").exists():
        found["secrets"] = []
    packages: Report = {"Target": f"{archive} (debian 13.1)", "Class": "os-pkgs", "Type": "debian"}
    if grave := [entry for entry in found["vulnerabilities"] if entry["Severity"] in received]:
        packages["Vulnerabilities"] = grave
    settings = {"Target": "/app/settings.py", "Class": "secret", "Secrets": found["secrets"]}
    return {
        "SchemaVersion": 2,
        "CreatedAt": now(),
        "ArtifactName": archive,
        "ArtifactType": "container_image",
        "Metadata": {"OS": {"Family": "debian", "Name": "13.1"}, "ImageID": f"sha256:{'1' * 64}"},
        "Results": [packages, *([settings] if found["secrets"] else [])],
    }


def now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f000Z")  # Go prints nanoseconds


def vulnerabilities(report: Report) -> list[Report]:
    return [entry for result in report["Results"] for entry in result.get("Vulnerabilities", [])]


def sarif(report: Report) -> Report:
    rules = sorted({entry["VulnerabilityID"] for entry in vulnerabilities(report)})
    driver = {
        "fullName": "Trivy Vulnerability Scanner",
        "informationUri": "https://github.com/aquasecurity/trivy",
        "name": "Trivy",
        "rules": [{"id": rule, "name": "OsPackageVulnerability"} for rule in rules],
        "version": "0.74.0",
    }
    return {
        "version": "2.1.0",
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "runs": [{"tool": {"driver": driver}, "results": [*map(result, vulnerabilities(report))]}],
    }


def result(entry: Report) -> Report:
    place = {"artifactLocation": {"uri": "image.tar", "uriBaseId": "ROOTPATH"}}
    return {
        "ruleId": entry["VulnerabilityID"],
        "level": "error" if entry["Severity"] in {"HIGH", "CRITICAL"} else "warning",
        "message": {"text": f"Package: {entry['PkgName']}\nSeverity: {entry['Severity']}"},
        "locations": [{"physicalLocation": {**place, "region": {"startLine": 1}}}],
    }


def table(report: Report) -> str:
    rows = [f"{entry['PkgName']} {entry['VulnerabilityID']}" for entry in vulnerabilities(report)]
    return "\n".join([report["Results"][0]["Target"], f"Total: {len(rows)}", *rows, ""])


def cosign_vuln(report: Report) -> Report:
    return {
        "invocation": {"parameters": None, "uri": "", "event_id": "", "builder.id": ""},
        "scanner": {
            "uri": "pkg:github/aquasecurity/trivy@0.74.0",
            "version": "0.74.0",
            "db": {"uri": "", "version": ""},
            "result": report,
        },
        "metadata": {"scanStartedOn": now(), "scanFinishedOn": now()},
    }


main()
