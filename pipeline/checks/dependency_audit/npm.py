"""What npm's advisories say of what the frontend ships, asked by npm.

https://docs.npmjs.com/cli/commands/npm-audit
"""

import json
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pipeline.checks.dependency_audit.model import (
    Advisory,
    empty_database_error,
    parse_report,
    save_report,
    unavailable_error,
)
from pipeline.home import npm_environment
from pipeline.process import capture

CHECK = "npm-audit"
PROJECT = Path("frontend")
BLOCKING_SEVERITIES = {"high", "critical"}
KNOWN_VULNERABLE = ("lodash", "4.17.4")
"""What everybody knows to be vulnerable; a service that does not is none."""


def audit() -> Iterator[Advisory]:
    """Ask about what the frontend ships; what is not grave is left alone.

    Raises:
        NotJudgedError: The service did not answer.
    """
    check_service()
    report = run_npm_audit(PROJECT)
    save_report(CHECK, report)
    yield from parse_advisories(report)


def check_service() -> None:
    """Ask about a package that is known to be vulnerable.

    Raises:
        NotJudgedError: The service knows nothing of it.
    """
    name, version = KNOWN_VULNERABLE
    project = {"name": "probe", "version": "0.0.0", "dependencies": {name: version}}
    packages = {"": project, f"node_modules/{name}": {"version": version}}
    with TemporaryDirectory() as folder:
        Path(folder, "package.json").write_text(json.dumps(project))
        lock = {"name": "probe", "version": "0.0.0", "lockfileVersion": 3, "packages": packages}
        Path(folder, "package-lock.json").write_text(json.dumps(lock))
        if not [*parse_advisories(run_npm_audit(Path(folder)))]:
            raise empty_database_error(CHECK, f"{name} {version}")


def run_npm_audit(project: Path) -> str:
    """Return npm's report on a project's lock; nothing has to be installed."""
    command = ["npm", "audit", "--package-lock-only", "--omit=dev", "--json"]
    return capture(command, cwd=project, env=npm_environment()).stdout


def parse_advisories(report: str) -> Iterator[Advisory]:
    """Read a report: each advisory once, at the package that has the vulnerability.

    Raises:
        NotJudgedError: It is none.
    """
    found = parse_report(CHECK, report).get("vulnerabilities")
    if found is None:
        raise unavailable_error(CHECK)
    causes = [cause for entry in found.values() for cause in entry["via"]]
    for cause in causes:  # what only depends on such a package has its name here
        if isinstance(cause, dict) and cause["severity"] in BLOCKING_SEVERITIES:
            yield _advisory(cause)


def _advisory(cause: dict[str, Any]) -> Advisory:
    name = cause["url"].rpartition("/")[2]
    text = f"{cause['name']} ({cause['range']}): {name}, {cause['severity']}: {cause['title']}"
    return Advisory(frozenset({name}), cause["name"], text)
