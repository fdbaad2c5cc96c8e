"""What PyPI's advisories say of the Python locks, asked by pip-audit.

pip-audit exits 0 when its service knows nothing of a package, so its report is judged, not its exit
code. A known vulnerability counts whatever its severity: PyPI gives none.
https://github.com/pypa/pip-audit#usage
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import zip_longest
from pathlib import Path
from tempfile import TemporaryDirectory

from pipeline.errors import InputError, NotJudgedError
from pipeline.gates.answer import Advisory, keep, knows_nothing, parsed
from pipeline.locks import python_locks
from pipeline.run import read

CHECK = "pip-audit"
ENTRY = re.compile(r"^[^\s#].*", re.MULTILINE)
PIN = re.compile(r"(?P<name>[\w.-]+)==(?P<version>[^\s;\\]+)")
PROBE = ("flask", "0.5")
"""What everybody knows to be vulnerable; a service that does not is none."""

Pin = tuple[str, str]
"""A package, and its version."""


def audit() -> Iterator[Advisory]:
    """Ask about every package of every Python lock, also those for other platforms.

    Raises:
        NotJudgedError: The service did not answer; what was found before stands.
    """
    if not [*advisories(ask([PROBE]), [PROBE], {PROBE: []})]:
        raise knows_nothing(CHECK, "==".join(PROBE))
    locks = pinned(python_locks())
    for number, pins in enumerate(rounds(locks), start=1):
        report = ask(pins)
        keep(f"{CHECK}-{number}", report)
        yield from advisories(report, pins, locks)


def pinned(locks: Iterable[Path]) -> dict[Pin, list[Path]]:
    """Return what is locked, and by which locks.

    Raises:
        InputError: A lock holds something that no service could be asked about.
    """
    found: dict[Pin, list[Path]] = defaultdict(list)
    for lock in locks:
        for line in ENTRY.findall(lock.read_text()):
            pin = PIN.match(line)
            if pin is None:
                raise InputError(f"{lock} pins no version here: {line}", hint="nox -s lock")
            found[pin["name"], pin["version"]].append(lock)
    return found


def rounds(pins: Iterable[Pin]) -> Iterator[list[Pin]]:
    """Return all pins in as few rounds as there are versions of one package: each has one of it."""
    versions: dict[str, list[Pin]] = defaultdict(list)
    for pin in sorted(pins):
        versions[pin[0]].append(pin)
    for chosen in zip_longest(*versions.values()):
        yield [pin for pin in chosen if pin]


def ask(pins: Iterable[Pin]) -> str:
    """Return pip-audit's report on packages."""
    options = ["--disable-pip", "--no-deps", "--progress-spinner=off", "--format=json"]
    with TemporaryDirectory() as folder:
        listed = Path(folder, "requirements.txt")
        listed.write_text("".join(f"{name}=={version}\n" for name, version in pins))
        return read([CHECK, *options, f"--requirement={listed}"]).stdout


def advisories(
    report: str, asked: Iterable[Pin], locks: Mapping[Pin, Iterable[Path]]
) -> Iterator[Advisory]:
    """Read a report.

    Raises:
        NotJudgedError: It is none, or a package was left out.
    """
    packages = parsed(CHECK, report).get("dependencies", [])
    known = [package for package in packages if "skip_reason" not in package]
    for package in known:
        name, version = package["name"], package["version"]
        where = ", ".join(map(str, locks[name, version]))
        for found in package["vulns"]:
            text = f"{name} {version}: {found['id']} ({where})"
            yield Advisory(frozenset({found["id"], *found["aliases"]}), name, text)
    if missing := {*asked} - {(package["name"], package["version"]) for package in known}:
        names = ", ".join(sorted("==".join(pin) for pin in missing))
        raise NotJudgedError(CHECK, f"the advisory service does not know {names}")
