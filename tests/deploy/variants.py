"""Releases with a fault in them, made quickly: the good images, and one layer with the fault."""

import json
from pathlib import Path

from pipeline.rehearsal.yard import Yard
from pipeline.run import read

HERE = Path("dist", "images")
BACKEND = "local/backend:linux-amd64"


def appended(file: str, *lines: str) -> str:
    """Return the layer that adds lines to a module of the backend; its bytecode must go as well."""
    quoted = " ".join(f"'{line}'" for line in lines)
    return f"RUN rm -rf {Path(file).parent}/__pycache__ && printf '%s\\n' {quoted} >> {file}"


def written(file: str, text: str) -> str:
    """Return the layer that has another file of the backend."""
    return f"COPY <<'END' {file}\n{text}\nEND"


def migration(name: str, operation: str) -> str:
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
    return written(f"apps/projects/migrations/{name}.py", text)


def docker(*arguments: str, stdin: str = "") -> str:
    """Run docker, and expect it to succeed."""
    output = read(["docker", *arguments], stdin=stdin)
    assert output.returncode == 0, output.stderr
    return output.stdout.strip()


class Variants:
    """Makes releases from the first one of a yard."""

    def __init__(self, yard: Yard) -> None:
        self.yard = yard
        self.backend = yard.folder / HERE / "backend" / "linux-amd64"
        self.good = f"{yard.name}/backend:good"
        docker("tag", json.loads((self.backend / "build.json").read_text())["image_id"], self.good)

    def release(self, layer: str = "", *, sign: bool = True) -> str:
        """Make a release whose backend has one more layer, and return its commit."""
        commit = self.yard.commit({})
        release = f"USER 10001:10001\nENV RELEASE=sha-{commit[:12]}\n"
        self.build(f"FROM {self.good}\nUSER 0:0\n{layer}\n{release}")
        for paper in (self.yard.folder / HERE).glob("*/*/build.json"):
            paper.write_text(json.dumps({**json.loads(paper.read_text()), "commit": commit}))
        self.yard.must("push")
        if sign:
            self.yard.must("sign")
        return commit

    def build(self, dockerfile: str) -> None:
        """Have another backend in the engine and in its archive."""
        docker("buildx", "build", "--quiet", f"--tag={BACKEND}", "-", stdin=dockerfile)
        docker("save", f"--output={self.backend / 'image.tar'}", BACKEND)
        for paper in self.backend.glob("s*.json"):  # they are no older than the archive
            paper.touch()
        build = json.loads((self.backend / "build.json").read_text())
        built = docker("image", "inspect", "--format={{.Id}}", BACKEND)
        (self.backend / "build.json").write_text(json.dumps({**build, "image_id": built}))
