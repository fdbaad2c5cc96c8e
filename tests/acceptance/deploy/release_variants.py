"""Builds releases with a fault quickly: the good images with one more layer."""

import json
from pathlib import Path

from pipeline.process import capture
from pipeline.rehearsal.workspace import Sandbox

HERE = Path("dist", "images")
IMAGES = ("backend", "frontend")
USERS = {"backend": "10001:10001", "frontend": "101:101"}


def append_layer(file: str, *lines: str) -> str:
    """Return a layer that appends lines to a module of the backend and deletes its bytecode."""
    quoted = " ".join(f"'{line}'" for line in lines)
    return f"RUN rm -rf {Path(file).parent}/__pycache__ && printf '%s\\n' {quoted} >> {file}"


def file_layer(file: str, text: str) -> str:
    """Return a layer that writes a file of the backend."""
    return f"COPY <<'END' {file}\n{text}\nEND"


def migration_layer(name: str, operation: str) -> str:
    """Return a layer with one more migration."""
    text = f"""
import time
from django.db import migrations, models

def fail(*_):
    raise RuntimeError("it fails half-way")

class Migration(migrations.Migration):
    dependencies = [("projects", "0001_initial")]
    operations = [{operation}]
"""
    return file_layer(f"apps/projects/migrations/{name}.py", text)


def docker(*arguments: str, stdin: str = "", **environ: str) -> str:
    """Run docker, and return its output; it must succeed."""
    output = capture(["docker", *arguments], stdin=stdin, env=environ)
    assert output.returncode == 0, output.stderr
    return output.stdout.strip()


class ReleaseVariants:
    """Builds releases from the first release of a sandbox."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.good = {image: f"{sandbox.name}/{image}:good" for image in IMAGES}
        for image, name in self.good.items():
            built = json.loads((self.folder(image) / "build.json").read_text())
            docker("tag", built["image_id"], name)

    def release(self, layer: str = "", *, frontend: str = "", sign: bool = True) -> str:
        """Build, push and sign a release with one more layer; return its commit."""
        commit = self.sandbox.commit({})
        release = f"ENV RELEASE=sha-{commit[:12]}"
        for image, change in {"backend": layer, "frontend": frontend}.items():
            self.build(image, f"{change}\n{release}")
        for record in (self.sandbox.folder / HERE).glob("*/*/build.json"):
            patch_record(record, commit=commit)
        self.sandbox.invoke_ok("push")
        if sign:
            self.sandbox.invoke_ok("sign")
        return commit

    def build(self, image: str, layer: str) -> None:
        """Build an image with one more layer, and save its archive."""
        name, user = f"local/{image}:linux-amd64", USERS[image]
        dockerfile = f"FROM {self.good[image]}\nUSER 0:0\n{layer}\nUSER {user}\n"
        docker("buildx", "build", "--quiet", f"--tag={name}", "-", stdin=dockerfile)
        docker("save", f"--output={self.folder(image) / 'image.tar'}", name)
        for record in self.folder(image).glob(
            "s*.json"
        ):  # a report older than its archive would be rebuilt
            record.touch()
        built = docker("image", "inspect", "--format={{.Id}}", name)
        patch_record(self.folder(image) / "build.json", image_id=built)

    def folder(self, image: str) -> Path:
        """Return the folder of an image and its records."""
        return self.sandbox.folder / HERE / image / "linux-amd64"


def patch_record(record: Path, **fields: str) -> None:
    """Change fields of the build record of an image."""
    record.write_text(json.dumps({**json.loads(record.read_text()), **fields}))
