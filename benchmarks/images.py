"""Compare our images with those of the plan's first Dockerfiles, side by side on the same bases.

python -m benchmarks.images [--rounds 1]

It needs a Docker Engine. Each image is built from a copy of its folder: cold (no layer, and no
download that is kept), again after one line of source changed, and again after its list of
dependencies changed. Then it is started with PostgreSQL and Redis until the engine calls it
healthy. Sizes are without the base image. What is made here is removed at the end, by name.
"""

import argparse
import os
import re
import shutil
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from pipeline import git, scratch_repository
from pipeline.errors import CheckFailedError, handle_errors
from pipeline.images.pin import IMAGE_DEFAULT
from pipeline.images.tools import command_output, require_tools
from pipeline.process import capture

BASELINE_DIR = Path("benchmarks", "plan")
NAMES = "benchmark"
"""What local images and the Compose project are called."""
VARIANTS = ("plan", "ours")
CACHE = "--mount=type=cache,"

Measures = dict[tuple[str, str, str], list[float]]
"""All values by image, measure and side."""


@dataclass(frozen=True)
class Image:
    """An image, and where one line of it changes."""

    name: str
    source: str
    line: str
    dependencies: str
    change: Callable[[str], str]


IMAGES = [
    Image(
        "backend",
        "apps/health/api.py",
        "# changed\n",
        "requirements/production.txt",
        lambda text: f"{text}# changed\n",
    ),
    Image(
        "frontend",
        "src/app/entry.tsx",
        "console.info('changed')\n",
        "package.json",
        lambda text: text.replace('"0.0.0"', '"0.0.1"'),
    ),
]


def measure(image: Image, side: str) -> Iterator[tuple[str, float]]:
    """Build one image three times and start it; yield what each took, in seconds and megabytes."""
    tag = f"{NAMES}/{image.name}:{side}"
    with context(image.name, side) as folder:
        yield "cold build, s", seconds(lambda: build(folder, tag, "--no-cache"))
        yield "above the base, MB", above_base(folder, tag) / 1e6
        yield "start to healthy, s", seconds_to_healthy(image.name, side)
        source = folder / image.source
        source.write_text(source.read_text() + image.line)
        yield "source changed, s", seconds(lambda: build(folder, tag))
        dependencies = folder / image.dependencies
        dependencies.write_text(image.change(dependencies.read_text()))
        yield "dependency changed, s", seconds(lambda: build(folder, tag))


@contextmanager
def context(name: str, side: str) -> Iterator[Path]:
    """Copy what git has of an image's folder, with this side's Dockerfile and caches of its own."""
    with TemporaryDirectory(prefix="benchmark-") as folder:
        copy = Path(folder, name)
        scratch_repository.copy_files(git.split_names("ls-files", "-z", name), Path(folder))
        dockerfile = copy / "Dockerfile"
        if side == "plan":
            shutil.copy(BASELINE_DIR / f"{name}.Dockerfile", dockerfile)
        own = f"{CACHE}id={uuid.uuid4()}-"  # a cache that an earlier build filled is not cold
        dockerfile.write_text(
            re.sub(f"{CACHE}target=(\\S+)", rf"{own}\1,target=\1", dockerfile.read_text())
        )
        yield copy


def build(folder: Path, tag: str, *options: str) -> None:
    """Build an image, on the bases that the environment names."""
    bases = [f"--build-arg={name}" for name in named(folder) if name in os.environ]
    command_output(
        ("docker", "buildx", "build", "--load", f"--tag={tag}", *bases, *options, str(folder))
    )


def named(folder: Path) -> dict[str, str]:
    """Return the base images of a Dockerfile; the last is the base of the image."""
    text = (folder / "Dockerfile").read_text()
    return {found["variable"]: found["tag"] for found in IMAGE_DEFAULT.finditer(text)}


def above_base(folder: Path, tag: str) -> int:
    """Return the bytes of an image that are not its base's."""
    variable, reference = list(named(folder).items())[-1]
    return size(tag) - size(os.environ.get(variable, reference))


def size(reference: str) -> int:
    """Return the bytes of an image."""
    return int(command_output(("docker", "image", "inspect", "--format={{.Size}}", reference)))


def seconds_to_healthy(name: str, side: str) -> float:
    """Start one image with the services that it needs, and return the seconds until it is ready."""
    env = {"IMAGE_REGISTRY": NAMES, "IMAGE_TAG": side, "FRONTEND_PORT": "0", "POSTGRES_PORT": "0"}
    env |= {"REDIS_PORT": "0", "MAIL_PORT": "0", "MAIL_UI_PORT": "0"}

    def compose(*arguments: str) -> None:
        command = ["docker", "compose", f"--project-name={NAMES}", *arguments]
        output = capture(command, env=env)
        if output.returncode:
            raise CheckFailedError(f"{side} {name}: {output.stderr}", hint=" ".join(command))

    try:
        if name == "backend":
            compose("up", "--detach", "--wait", "postgres", "redis")
            compose("run", "--rm", "migrate")
        return seconds(lambda: compose("up", "--detach", "--wait", "--no-deps", name))
    finally:
        compose("down", "--volumes")


def seconds(action: Callable[[], None]) -> float:
    """Return how long something takes."""
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def table(measures: Measures) -> Iterator[str]:
    """Show the medians of both sides, and our part of the plan's."""
    yield f"{'image':10}{'':24}{'plan':>9}{'ours':>9}{'ratio':>7}"
    for name, what in dict.fromkeys(key[:2] for key in measures):
        plan, ours = (median(measures[name, what, side]) for side in VARIANTS)
        yield f"{name:10}{what:24}{plan:9.1f}{ours:9.1f}{ours / plan:7.2f}"


def main(arguments: Sequence[str]) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser("python -m benchmarks.images")
    parser.add_argument("--rounds", type=int, default=1)
    options = parser.parse_args(arguments)
    require_tools("docker")
    measures: Measures = {}
    try:
        for _ in range(options.rounds):
            for image in IMAGES:
                for side in VARIANTS:
                    for what, value in measure(image, side):
                        print(f"{side} {image.name}: {what} {value:.1f}", file=sys.stderr)
                        measures.setdefault((image.name, what, side), []).append(value)
    finally:
        tags = [f"{NAMES}/{image.name}:{side}" for image in IMAGES for side in VARIANTS]
        capture(["docker", "image", "rm", *tags])
    print(*table(measures), sep="\n")


if __name__ == "__main__":
    with handle_errors():
        main(sys.argv[1:])
