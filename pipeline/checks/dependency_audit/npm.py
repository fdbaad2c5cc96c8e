"""Advisories of npm about the page's shipped packages, from `npm audit`.

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
from pipeline.config import load
from pipeline.home import npm_environment
from pipeline.process import capture

CHECK = "npm-audit"
_BLOCKING_SEVERITIES = {"high", "critical"}
KNOWN_VULNERABLE = ("lodash", "4.17.4")
"""A well-known vulnerable package; a service that does not report it has no data."""


def audit() -> Iterator[Advisory]:
    """Yield the advisories about shipped packages, those of high and critical severity.

    Raises:
        InconclusiveError: The service did not answer.
    """
    _check_service()
    report = _run_npm_audit(Path(load().layout.frontend))
    save_report(CHECK, report)
    yield from _parse_advisories(report)


def _check_service() -> None:
    """Check that the service reports a vulnerable package.

    Raises:
        InconclusiveError: It does not.
    """
    name, version = KNOWN_VULNERABLE
    project = {"name": "probe", "version": "0.0.0", "dependencies": {name: version}}
    packages = {"": project, f"node_modules/{name}": {"version": version}}
    with TemporaryDirectory() as folder:
        Path(folder, "package.json").write_text(json.dumps(project))
        lock = {"name": "probe", "version": "0.0.0", "lockfileVersion": 3, "packages": packages}
        Path(folder, "package-lock.json").write_text(json.dumps(lock))
        if not [*_parse_advisories(_run_npm_audit(Path(folder)))]:
            raise empty_database_error(CHECK, f"{name} {version}")


def _run_npm_audit(project: Path) -> str:
    """Return npm's report about a project's lock; packages need not be installed."""
    command = ["npm", "audit", "--package-lock-only", "--omit=dev", "--json"]
    return capture(command, cwd=project, env=npm_environment()).stdout


def _parse_advisories(report: str) -> Iterator[Advisory]:
    """Yield each advisory of a report once, at the package that has the vulnerability.

    Raises:
        InconclusiveError: It is not a report.
    """
    found = parse_report(CHECK, report).get("vulnerabilities")
    if found is None:
        raise unavailable_error(CHECK)
    causes = [cause for entry in found.values() for cause in entry["via"]]
    for cause in causes:  # for dependents this is the name of the vulnerable package
        if isinstance(cause, dict) and cause["severity"] in _BLOCKING_SEVERITIES:
            yield _advisory(cause)


def _advisory(cause: dict[str, Any]) -> Advisory:
    name = cause["url"].rpartition("/")[2]
    text = f"{cause['name']} ({cause['range']}): {name}, {cause['severity']}: {cause['title']}"
    return Advisory(frozenset({name}), cause["name"], text)
