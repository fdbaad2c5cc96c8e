"""What PyPI's advisories say of the Python locks, asked by pip-audit.

pip-audit exits 0 when its service knows nothing of a package, so its report is judged, not its exit
code. A known vulnerability counts whatever its severity: PyPI gives none.
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
"""What everybody knows to be vulnerable; a service that does not is none."""


def audit() -> Iterator[Advisory]:
    """Ask about every package of every Python lock, also those for other platforms.

    Raises:
        NotJudgedError: The service did not answer; what was found before stands.
    """
    if not [
        *parse_advisories(
            run_pip_audit([KNOWN_VULNERABLE]), [KNOWN_VULNERABLE], {KNOWN_VULNERABLE: []}
        )
    ]:
        raise empty_database_error(CHECK, "==".join(KNOWN_VULNERABLE))
    locks = packages_by_lock(python_locks())
    for number, asked in enumerate(batches(locks), start=1):
        report = run_pip_audit(asked)
        save_report(f"{CHECK}-{number}", report)
        yield from parse_advisories(report, asked, locks)


def packages_by_lock(locks: Iterable[Path]) -> dict[Pin, list[Path]]:
    """Return what is locked, and by which locks.

    Raises:
        InputError: A lock holds something that no service could be asked about.
    """
    found: dict[Pin, list[Path]] = defaultdict(list)
    for lock in locks:
        for pin in parse_pins(str(lock), read_text(lock)):
            found[pin].append(lock)
    return found


def batches(locked: Iterable[Pin]) -> Iterator[list[Pin]]:
    """Return all pins in as few rounds as there are versions of one package: each has one of it."""
    versions: dict[str, list[Pin]] = defaultdict(list)
    for pin in sorted(locked):
        versions[pin[0]].append(pin)
    for chosen in zip_longest(*versions.values()):
        yield [pin for pin in chosen if pin]


def run_pip_audit(asked: Iterable[Pin]) -> str:
    """Return pip-audit's report on packages."""
    options = ["--disable-pip", "--no-deps", "--progress-spinner=off", "--format=json"]
    with TemporaryDirectory() as folder:
        listed = Path(folder, "requirements.txt")
        listed.write_text("".join(f"{name}=={version}\n" for name, version in asked))
        return capture([CHECK, *options, f"--requirement={listed}"]).stdout


def parse_advisories(
    report: str, asked: Iterable[Pin], locks: Mapping[Pin, Iterable[Path]]
) -> Iterator[Advisory]:
    """Read a report.

    Raises:
        NotJudgedError: It is none, or a package was left out.
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
    if missing := {*asked} - known.keys():
        names = ", ".join(sorted("==".join(pin) for pin in missing))
        raise unavailable_error(CHECK, f"it does not know {names}")
