"""Stand-ins for the base images, where no registry can be reached.

Each `bases/<name>.Dockerfile` replaces the image that the variable <NAME>_IMAGE names in the
repository's own files, under the same tag, on Debian's packages. The certificates that this
machine trusts are in the stand-ins only, so that the Dockerfiles that are tested stay clean.
"""

import sys
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

from pipeline.config import python_versions
from pipeline.images.pin import IMAGE_DEFAULT, files_with_images
from pipeline.process import capture
from tests.docker_host.debian import run_checked

HERE = Path(__file__).parent / "bases"
ROOT = "debian:trixie-slim"
CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
TRUST = ["SSL_CERT_FILE", "PIP_CERT", "NODE_EXTRA_CA_CERTS", "npm_config_cafile"]
EXCLUDED = ["/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*"]
ROOT_IMAGE = "PYTHON_IMAGE"
"""Made before the others: node's stand-in takes Node from a wheel with it."""


def base_image_names() -> dict[str, str]:
    """Return the tags, without their digests, that the repository's files give to variables."""
    texts = (path.read_text() for path in files_with_images())
    return {
        found["variable"]: found["tag"] for text in texts for found in IMAGE_DEFAULT.finditer(text)
    }


def build_all() -> dict[str, str]:
    """Make every stand-in that is not there, and return what each variable is to be set to."""
    tags = base_image_names()
    missing = {variable: tag for variable, tag in tags.items() if not exists(tag)}
    if missing and not exists(ROOT):
        build_root()
    for variable in in_order(missing):
        make(variable.removesuffix("_IMAGE").lower(), tags[variable])
    return tags


def in_order(variables: Iterable[str]) -> list[str]:
    """Return variables so that none is made before what its stand-in is made from."""
    return sorted(variables, key=lambda name: (name != ROOT_IMAGE, name))


def exists(tag: str) -> bool:
    """Say whether the engine has this image."""
    return capture(["docker", "image", "inspect", tag]).returncode == 0


def build_root() -> None:
    """Make the smallest Debian from its packages."""
    with TemporaryDirectory() as folder:
        archive = Path(folder, "root.tar")
        command = ["mmdebstrap", "--quiet", "--variant=minbase", "--include=ca-certificates"]
        command += [f"--dpkgopt=path-exclude={pattern}" for pattern in EXCLUDED]
        command += [f"--customize-hook=upload {CERTIFICATES} {CERTIFICATES}"]
        run_checked([*command, "trixie", str(archive)])
        trust = " ".join(f"{name}={CERTIFICATES}" for name in TRUST)
        run_checked(["docker", "import", f"--change=ENV {trust}", str(archive), ROOT])


def make(name: str, tag: str) -> None:
    """Build one replacement; its context contains a Python and the locks."""
    contexts = {"interpreter": interpreter(), "locks": "requirements"}
    options = [f"--build-context={context}={path}" for context, path in contexts.items()]
    dockerfile = f"--file={HERE / name}.Dockerfile"
    run_checked(
        ["docker", "buildx", "build", "--quiet", dockerfile, f"--tag={tag}", *options, str(HERE)]
    )


def interpreter() -> str:
    """Return the folder of this machine's default Python."""
    find = ["uv", "python", "find", python_versions()[0]]
    code = "import sys; print(sys.base_prefix)"
    return capture([capture(find).stdout.strip() or sys.executable, "-c", code]).stdout.strip()
