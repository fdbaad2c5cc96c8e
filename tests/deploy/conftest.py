"""A yard with a release that serves, and users who notice everything."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from types import MappingProxyType

import pytest

from pipeline.rehearsal.traffic import Sample, Traffic
from pipeline.rehearsal.yard import Yard, yard
from pipeline.run import Output
from tests.deploy.variants import Variants, docker

ENV = ("--env", "staging", "--yes")
CLIENTS = MappingProxyType({"get": 2, "page": 1, "post": 2, "slow": 2})
CHAIN = ("build", "sbom", "scan", "push", "sign")


@dataclass
class Site:
    """A site that serves its first release."""

    yard: Yard
    variants: Variants
    first: str

    def deploy(self, commit: str, **variables: str) -> Output:
        """Deploy a commit."""
        told = replace(self.yard, variables={**self.yard.variables, **variables})
        return told.invoke("deploy", *ENV, f"--release={commit}")

    def begin(self, commit: str) -> subprocess.Popen[str]:
        """Begin to deploy a commit."""
        command = [sys.executable, "-m", "invoke", "deploy", *ENV, f"--release={commit}"]
        env = {**os.environ, **self.yard.variables}
        return subprocess.Popen(command, cwd=self.yard.folder, env=env, stderr=-1, text=True)

    @contextmanager
    def watched(self, clients: Mapping[str, int] = CLIENTS) -> Iterator[list[Sample]]:
        """Have users, and note what they get."""
        user = (self.yard.variables["SMOKE_USER_EMAIL"], self.yard.variables["SMOKE_USER_PASSWORD"])
        certificate = self.yard.variables["SSL_CERT_FILE"]
        traffic = Traffic(self.yard.url("staging"), user, clients, certificate)
        with traffic.flowing():
            yield traffic.samples

    @contextmanager
    def users(self, clients: Mapping[str, int] = CLIENTS) -> Iterator[list[Sample]]:
        """Have users, and see to it that not one of their requests fails."""
        with self.watched(clients) as samples:
            yield samples
            time.sleep(1)
        assert [sample for sample in samples if sample.failed] == []
        assert {sample.kind for sample in samples} == set(clients)

    def history(self) -> list[list[str]]:
        """Return the journal, the newest last, as words."""
        lines = self.yard.must("history", "--env", "staging").stdout.splitlines()
        return [line.split(maxsplit=4) for line in lines]


@pytest.fixture(scope="session")
def site() -> Iterator[Site]:
    with yard() as place:
        place.must(*CHAIN)
        first = place.git("rev-parse", "HEAD")
        place.must("deploy", *ENV)
        variants = Variants(place)
        yield Site(place, variants, first)
        docker("image", "rm", variants.good)


@pytest.fixture(autouse=True)
def _old_release_serves(site: Site) -> Iterator[None]:
    """Whatever a test does: afterwards the first release serves, and nobody holds the lock."""
    yield
    status = site.yard.invoke("status", "--env", "staging")
    assert status.returncode == 0, status.stdout
    assert f"sha-{site.first[:12]}" in status.stdout
    assert "lock      free" in status.stdout


def interrupt(process: subprocess.Popen[str], step: str, number: signal.Signals) -> tuple[int, str]:
    """Send a signal once a step has begun; return the exit code, and what was said."""
    said = ""
    with process:
        assert process.stderr
        for line in process.stderr:
            said += line
            if f"{step} …" in line:
                time.sleep(1)
                process.send_signal(number)
                break
        said += process.stderr.read()
    return process.returncode, said
