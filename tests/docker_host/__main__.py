"""Give a bare Debian machine all that images need: an engine, bases, a registry, a key.

    eval "$(python -m tests.docker_host)"

Where an engine runs, it is used as it is; where base images can be pulled, they are. Standard
output sets the variables that name the rest. It changes the machine that it runs on: packages are
installed, and the engine and the registry, a container called `pipeline-registry`, stay.
"""

import shlex
from pathlib import Path

from pipeline.config import load
from pipeline.errors import clear_inconclusive, handle_errors
from pipeline.process import capture
from tests.docker_host import base_images, debian
from tests.docker_host.debian import run_checked

REGISTRY = "pipeline-registry"


def main() -> None:
    """Run the command line."""
    if not debian.is_up():
        debian.require_unconfigured_debian()
        if not debian.is_installed():
            debian.install()
        debian.start()
    clear_inconclusive(debian.ENGINE)
    variables = (
        {}
        if can_pull(next(iter(base_images.base_image_names().values())))
        else base_images.build_all()
    )
    variables |= {"IMAGES_REGISTRY": registry(), "COSIGN_KEY": signing_key(), "COSIGN_PASSWORD": ""}
    for name, value in variables.items():
        print(f"export {name}={shlex.quote(value)}")


def can_pull(tag: str) -> bool:
    """Say whether the registry of an image answers."""
    return capture(["docker", "buildx", "imagetools", "inspect", tag]).returncode == 0


def registry() -> str:
    """Have a registry on this machine, and return where images go in it."""
    if capture(["docker", "start", REGISTRY]).returncode:
        run_checked(["docker", "run", "--detach", f"--name={REGISTRY}",
              "--publish=127.0.0.1:5000:5000",
              base_images.base_image_names()["REGISTRY_IMAGE"]])  # fmt: skip
    return f"127.0.0.1:5000/{load().name}"


def signing_key() -> str:
    """Have a key pair to sign with, and return its private half."""
    path = Path.home() / "cosign.key"
    if not path.exists():
        run_checked(["cosign", "generate-key-pair"], path.parent, {"COSIGN_PASSWORD": ""})
    return str(path)


if __name__ == "__main__":
    with handle_errors():
        main()
