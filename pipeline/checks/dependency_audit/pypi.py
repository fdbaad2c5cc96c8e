"""Advisories of PyPI about the Python locks, from pip-audit.

pip-audit exits with 0 if its service has no data about a package, so its report is evaluated, not
its exit code. Any known vulnerability counts, as PyPI gives no severity.
https://github.com/pypa/pip-audit#usage
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import zip_longest
from pathlib import Path
from tempfile import TemporaryDirectory

from pipeline.checks.dependency_audit.model import (
    Advisory,
    empty_database_error,
    parse_report,
    save_report,
    unavailable_error,
)
from pipeline.checks.python_lock import Pin, normalize, parse_pins
from pipeline.dependency_locks import python_locks
from pipeline.files import read_text
from pipeline.process import capture

CHECK = "pip-audit"
KNOWN_VULNERABLE = ("flask", "0.5")
"""A well-known vulnerable package; a service that does not report it has no data."""


def audit() -> Iterator[Advisory]:
    """Yield the advisories about all packages of all Python locks, for all platforms.

    Raises:
        InconclusiveError: The service did not answer; earlier findings are kept.
    """
    if not [
        *_parse_advisories(
            _run_pip_audit([KNOWN_VULNERABLE]), [KNOWN_VULNERABLE], {KNOWN_VULNERABLE: []}
        )
    ]:
        raise empty_database_error(CHECK, "==".join(KNOWN_VULNERABLE))
    locks = _packages_by_lock(python_locks())
    for number, pins in enumerate(_batches(locks), start=1):
        report = _run_pip_audit(pins)
        save_report(f"{CHECK}-{number}", report)
        yield from _parse_advisories(report, pins, locks)


def _packages_by_lock(locks: Iterable[Path]) -> dict[Pin, list[Path]]:
    """Return all pins, each with its locks.

    Raises:
        InputError: A line of a lock is not a pin.
    """
    found: dict[Pin, list[Path]] = defaultdict(list)
    for lock in locks:
        for pin in parse_pins(str(lock), read_text(lock)):
            found[pin].append(lock)
    return found


def _batches(locked: Iterable[Pin]) -> Iterator[list[Pin]]:
    """Yield all pins in as few batches as possible, with one version of a package in each."""
    versions: dict[str, list[Pin]] = defaultdict(list)
    for pin in sorted(locked):
        versions[pin[0]].append(pin)
    for chosen in zip_longest(*versions.values()):
        yield [pin for pin in chosen if pin]


def _run_pip_audit(pins: Iterable[Pin]) -> str:
    """Return pip-audit's report about packages."""
    options = ["--disable-pip", "--no-deps", "--progress-spinner=off", "--format=json"]
    with TemporaryDirectory() as folder:
        listed = Path(folder, "requirements.txt")
        listed.write_text("".join(f"{name}=={version}\n" for name, version in pins))
        return capture([CHECK, *options, f"--requirement={listed}"]).stdout


def _parse_advisories(
    report: str, pins: Iterable[Pin], locks: Mapping[Pin, Iterable[Path]]
) -> Iterator[Advisory]:
    """Yield the advisories of a report.

    Raises:
        InconclusiveError: It is not a report, or a package is missing in it.
    """
    packages = parse_report(CHECK, report).get("dependencies", [])
    known = {
        normalize(package["name"], package["version"]): package["vulns"]
        for package in packages
        if "skip_reason" not in package
    }
    for (name, version), vulnerabilities in known.items():
        where = ", ".join(map(str, locks.get((name, version), ())))
        for found in vulnerabilities:
            text = f"{name} {version}: {found['id']} ({where})"
            yield Advisory(frozenset({found["id"], *found["aliases"]}), name, text)
    if missing := {*pins} - known.keys():
        names = ", ".join(sorted("==".join(pin) for pin in missing))
        raise unavailable_error(CHECK, f"it has no data about {names}")
