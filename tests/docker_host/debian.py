"""A Docker Engine for a bare Debian machine, from Debian's packages.

Debian 12's own engine is too old to build with; the next release's runs on it, with Debian 12's
containerd and runc. A machine without an init system is served too: nothing is started here but
the engine, and that by `start`.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from pipeline.errors import InputError
from pipeline.images.tools import no_engine_error
from pipeline.process import capture, run
from tests.waiting import until

ENGINE = "docker engine"
NEXT_SUITE = "trixie"
FROM_NEXT = ["docker.io", "docker-cli", "docker-buildx", "docker-compose", "cosign"]
FROM_OWN = ["containerd", "runc", "iptables", "iproute2", "mmdebstrap"]
SOURCES = Path("/etc/apt/sources.list.d/debian.sources")
POLICY = Path("/usr/sbin/policy-rc.d")
LOG = Path("/var/log/dockerd.log")


def is_up() -> bool:
    """Say whether an engine answers."""
    return capture(["docker", "version", "--format={{.Server.Version}}"]).returncode == 0


def is_installed() -> bool:
    """Say whether an engine could be started."""
    return shutil.which("dockerd") is not None


def require_unconfigured_debian() -> None:
    """Refuse to install anywhere else than on a Debian machine, as root.

    Raises:
        InconclusiveError: The machine is another one; checks that need an engine are inconclusive.
    """
    if os.geteuid() != 0 or not SOURCES.exists():
        raise no_engine_error(ENGINE, "only root on Debian can be given one by this command")


def install() -> None:
    """Install the engine with its builder, Compose and Cosign.

    Raises:
        InputError: A package could not be had.
    """
    with TemporaryDirectory() as folder, policy_rc_d():
        here = Path(folder)
        options = next_release(here)
        steps = [
            ["apt-get", "--quiet", "update"],
            ["apt-get", "--quiet", *options, "update"],
            ["apt-get", "--quiet", *options, "download", *FROM_NEXT],
        ]
        for step in steps:
            run_checked(step, here)
        packages = [f"./{package.name}" for package in sorted(here.glob("*.deb"))]
        frontend = {"DEBIAN_FRONTEND": "noninteractive"}
        run_checked(["apt-get", "--quiet", "--yes", "--no-install-recommends", "install",
              *packages, *FROM_OWN], here, frontend)  # fmt: skip


def next_release(here: Path) -> list[str]:
    """Return the options that show apt the next release only, from where this one comes."""
    sources = re.sub(
        r"(?m)^Suites: \S+.*", f"Suites: {NEXT_SUITE}", SOURCES.read_text().split("\n\n")[0]
    )
    (here / "next.sources").write_text(sources)
    (here / "lists" / "partial").mkdir(parents=True)
    settings = {
        "Dir::Etc::SourceList": here / "next.sources",
        "Dir::Etc::SourceParts": "/dev/null",
        "Dir::State::Lists": here / "lists",
        "APT::Sandbox::User": "root",
    }
    return [f"--option={name}={value}" for name, value in settings.items()]


@contextmanager
def policy_rc_d() -> Iterator[None]:
    """Keep packages from starting their services, where there is no init to look after them."""
    if POLICY.exists():
        yield
        return
    POLICY.write_text("#!/bin/sh\nexit 101\n")
    POLICY.chmod(0o755)
    try:
        yield
    finally:
        POLICY.unlink()


def start() -> None:
    """Start the engine, and wait until it answers.

    Raises:
        InputError: It did not start; its log contains the reason.
    """
    with LOG.open("ab") as log:
        subprocess.Popen(
            ["/usr/sbin/dockerd", f"--mtu={mtu()}"],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
    try:
        until(is_up)
    except TimeoutError:
        raise InputError("the Docker Engine did not start", hint=f"tail {LOG}") from None


def mtu() -> int:
    """Return the largest packet, in bytes, that the way out of this machine takes."""
    route = capture(["ip", "route", "show", "default"]).stdout
    device = re.search(r"dev (\S+)", route)
    return int(Path("/sys/class/net", device[1], "mtu").read_text()) if device else 1500


def run_checked(
    command: list[str], cwd: Path | None = None, env: dict[str, str] | None = None
) -> None:
    """Run a command that has to succeed; what it prints goes to stderr.

    Raises:
        InputError: It failed.
    """
    if run(["sh", "-c", 'exec "$@" >&2', "sh", *command], cwd=cwd, env=env):
        raise InputError(f"{' '.join(command[:4])} … failed", hint="the reason is above")
