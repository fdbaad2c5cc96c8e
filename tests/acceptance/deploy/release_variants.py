"""Releases with a fault in them, made quickly: the good images, and one layer with the fault."""

import json
from pathlib import Path

from pipeline.process import capture
from pipeline.rehearsal.workspace import Sandbox

HERE = Path("dist", "images")
IMAGES = ("backend", "frontend")
USERS = {"backend": "10001:10001", "frontend": "101:101"}


def append_layer(file: str, *lines: str) -> str:
    """Return the layer that adds lines to a module of the backend; its bytecode must go as well."""
    quoted = " ".join(f"'{line}'" for line in lines)
    return f"RUN rm -rf {Path(file).parent}/__pycache__ && printf '%s\\n' {quoted} >> {file}"


def file_layer(file: str, text: str) -> str:
    """Return the layer that has another file of the backend."""
    return f"COPY <<'END' {file}\n{text}\nEND"


def migration_layer(name: str, operation: str) -> str:
    """Return the layer that has one more migration."""
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
    """Run docker, and expect it to succeed."""
    output = capture(["docker", *arguments], stdin=stdin, env=environ)
    assert output.returncode == 0, output.stderr
    return output.stdout.strip()


class ReleaseVariants:
    """Makes releases from the first one of a yard."""

    def __init__(self, yard: Sandbox) -> None:
        self.yard = yard
        self.good = {image: f"{yard.name}/{image}:good" for image in IMAGES}
        for image, name in self.good.items():
            built = json.loads((self.folder(image) / "build.json").read_text())
            docker("tag", built["image_id"], name)

    def release(self, layer: str = "", *, frontend: str = "", sign: bool = True) -> str:
        """Make a release whose images have one more layer, and return its commit."""
        commit = self.yard.commit({})
        told = f"ENV RELEASE=sha-{commit[:12]}"
        for image, change in {"backend": layer, "frontend": frontend}.items():
            self.build(image, f"{change}\n{told}")
        for paper in (self.yard.folder / HERE).glob("*/*/build.json"):
            patch_record(paper, commit=commit)
        self.yard.invoke_ok("push")
        if sign:
            self.yard.invoke_ok("sign")
        return commit

    def build(self, image: str, layer: str) -> None:
        """Have another image in the engine and in its archive."""
        name, user = f"local/{image}:linux-amd64", USERS[image]
        dockerfile = f"FROM {self.good[image]}\nUSER 0:0\n{layer}\nUSER {user}\n"
        docker("buildx", "build", "--quiet", f"--tag={name}", "-", stdin=dockerfile)
        docker("save", f"--output={self.folder(image) / 'image.tar'}", name)
        for paper in self.folder(image).glob("s*.json"):  # they are no older than the archive
            paper.touch()
        built = docker("image", "inspect", "--format={{.Id}}", name)
        patch_record(self.folder(image) / "build.json", image_id=built)

    def folder(self, image: str) -> Path:
        """Return where an image and what is said of it are."""
        return self.yard.folder / HERE / image / "linux-amd64"


def patch_record(paper: Path, **said: str) -> None:
    """Say something else of how an image was built."""
    paper.write_text(json.dumps({**json.loads(paper.read_text()), **said}))
