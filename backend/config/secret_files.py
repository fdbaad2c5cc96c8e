"""Secrets that the container engine mounts as files, named like their variables."""

import os
from pathlib import Path

FOLDER = Path("/run/secrets")


def load_secret_files(folder: Path = FOLDER) -> None:
    """Set each missing variable from the file of the same name.

    Secrets are files because `docker inspect` shows the environment variables of a container.
    """
    for file in sorted(folder.glob("[A-Z]*")) if folder.is_dir() else []:
        os.environ.setdefault(file.name, file.read_text().strip())
