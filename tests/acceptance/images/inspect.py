"""The images under test, and what was put onto their bases."""

import json
import os
import re
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.acceptance.images.docker_cli import check_output, docker, inspect
from tests.conftest import ROOT

Entry = tuple[tarfile.TarInfo, bytes]


@dataclass(frozen=True)
class Image:
    """An image of this repository: IMAGE_<NAME> names it, or else it is what Compose builds."""

    name: str
    base: str
    user: str
    port: int
    probe: str
    mib: float

    @property
    def reference(self) -> str:
        return os.environ.get(f"IMAGE_{self.name.upper()}") or f"local/{self.name}:dev"

    @property
    def dockerfile(self) -> str:
        return (ROOT / self.name / "Dockerfile").read_text()

    @property
    def config(self) -> dict[str, Any]:
        config: dict[str, Any] = inspect("image", self.reference)["Config"]
        return config

    @property
    def release(self) -> str:
        """Its environment variables, which a deployment may override."""
        env: dict[str, str] = dict(pair.split("=", 1) for pair in self.config["Env"])
        return env["RELEASE"]

    @property
    def base_image(self) -> dict[str, Any]:
        """The base that the Dockerfile names, unless the environment names another one."""
        default = re.search(rf"^ARG {self.base}=(\S+)", self.dockerfile, re.MULTILINE)
        assert default
        reference = os.environ.get(self.base) or default[1]
        if docker("image", "inspect", reference).returncode:
            check_output("pull", "--quiet", reference)
        return inspect("image", reference)

    def entries(self, folder: Path) -> Iterator[Entry]:
        """Yield every file and folder that is above the base, with what it holds."""
        archive = folder / f"{self.name}.tar"
        check_output("save", f"--output={archive}", self.reference)
        yield from self.added(archive)
        archive.unlink()

    def added(self, archive: Path) -> Iterator[Entry]:
        """Yield every file and folder above the base in an archive of it."""
        base = len(self.base_image["RootFS"]["Layers"])
        with tarfile.open(archive) as saved:
            manifest = json.loads(content(saved, "manifest.json"))[0]
            for layer in manifest["Layers"][base:]:
                with tarfile.open(fileobj=saved.extractfile(layer)) as entries:
                    for entry in entries:
                        yield entry, content(entries, entry) if entry.isfile() else b""


def content(archive: tarfile.TarFile, entry: str | tarfile.TarInfo) -> bytes:
    """Return what a file in an archive holds."""
    file = archive.extractfile(entry)
    assert file
    return file.read()


# The last number: how many MiB above its base an image may have. Of the backend's, Django and
# stripe are 30 each, the server 20, cryptography 16.
BACKEND = Image("backend", "PYTHON_IMAGE", "10001:10001", 8000, "/api/v1/health/", 130)
FRONTEND = Image("frontend", "NGINX_IMAGE", "101:101", 8080, "/healthz", 1)
IMAGES = [BACKEND, FRONTEND]

# Enough for the backend to start; there are no stores behind it.
SINGLE_IMAGE = {
    "DATABASE_URL": "postgres://owner@127.0.0.1:9/none",
    "DJANGO_ALLOWED_HOSTS": "127.0.0.1",
    "DJANGO_SECRET_KEY": "only-in-tests-0123456789-0123456789-0123456789-0123456789",
    "EMAIL_URL": "memory:",
    "ENVIRONMENT": "production",
    "FIELD_ENCRYPTION_KEY": "b25seS1pbi10ZXN0cy1wcm90ZWN0cy1ub3RoaW5nLTA=",
    "PUBLIC_URL": "https://www.example.com",
    "REDIS_URL": "redis://127.0.0.1:9/0",
}
