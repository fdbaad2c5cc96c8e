"""A throw-away project of one tiny image, which `invoke` is run in."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests import settings
from tests.conftest import ROOT, Result

AMD, ARM = "linux/amd64", "linux/arm64"
DOCKERFILE = """\
FROM scratch
COPY content /
ARG COMMIT CREATED RELEASE SOURCE
LABEL org.opencontainers.image.revision=${COMMIT} org.opencontainers.image.version=${RELEASE}
"""


@dataclass(frozen=True)
class Project:
    """A committed checkout, where its images are pushed to, and what its tools are."""

    folder: Path
    image: str
    registry: str
    environment: Mapping[str, str] = field(repr=False)

    @classmethod
    def make(cls, folder: Path, image: str, registry: str, key: Path, tools: Path) -> "Project":
        """Write and commit a project."""
        project = cls(folder, image, registry, {
            "COSIGN_KEY": str(key),
            "COSIGN_PASSWORD": "",
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "IMAGES_REGISTRY": registry,
            "PATH": str(tools),
            "PIPELINE_STRICT": "",
            "PYTHONPATH": str(ROOT),
        })  # fmt: skip
        project.write()
        project.git("init", "--quiet")
        project.commit()
        return project

    def write(self) -> None:
        """Write all files that a build needs."""
        (self.folder / self.image).mkdir(parents=True)
        (self.folder / self.image / "Dockerfile").write_text(DOCKERFILE)
        (self.folder / self.image / "content").write_text(self.image)
        services = {self.image: {"build": {"context": self.image}, "image": f"local/{self.image}"}}
        (self.folder / "docker-compose.yml").write_text(json.dumps({"services": services}))
        (self.folder / ".gitignore").write_text("/dist/\n/reports/\n__pycache__/\n")
        shutil.copy(ROOT / "tasks.py", self.folder)
        self.configure([AMD])

    def configure(self, platforms: list[str]) -> None:
        """Say what a release is made for."""
        images = {"built": [self.image], "third_party": [], "platforms": platforms}
        (self.folder / "pipeline.toml").write_text(settings.text({"images": images}))

    def git(self, *arguments: str) -> str:
        """Run git."""
        name = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com"]
        command = ["git", *name, *arguments]
        return subprocess.run(
            command, cwd=self.folder, check=True, capture_output=True, text=True
        ).stdout.strip()

    def commit(self) -> str:
        """Commit all files, and return the sha."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message=Work")
        return self.sha

    @property
    def sha(self) -> str:
        """The commit that is checked out."""
        return self.git("rev-parse", "HEAD")

    @property
    def tag(self) -> str:
        """The tag of the commit that is checked out."""
        return f"sha-{self.sha[:12]}"

    def invoke(self, *arguments: str) -> Result:
        """Run tasks as a person does."""
        command = [sys.executable, "-m", "invoke", *arguments]
        environment = {**os.environ, **self.environment}
        return subprocess.run(
            command, cwd=self.folder, env=environment, check=False, capture_output=True, text=True
        )

    def archive(self, platform: str = AMD) -> Path:
        """The archive of a platform's image."""
        return self.documents(platform) / "image.tar"

    def documents(self, platform: str = AMD) -> Path:
        """The folder of a platform's files."""
        return self.folder / "dist" / "images" / self.image / platform.replace("/", "-")

    def released(self) -> dict[str, Any]:
        """Return what was pushed."""
        path = self.folder / "dist" / "images" / "release.json"
        found: dict[str, Any] = json.loads(path.read_text())["images"][self.image]
        return found


def effectful_commands(result: Result) -> list[str]:
    """Return the commands that changed something; looking is silent."""
    return [line for line in result.stderr.splitlines() if line.startswith("+ ")]


def completed(result: Result) -> Result:
    """Insist on success."""
    assert result.returncode == 0, result.stderr
    return result
