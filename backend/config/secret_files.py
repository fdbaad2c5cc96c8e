"""Secrets that the container engine mounts as files, each under the name of its variable."""

import os
from pathlib import Path

FOLDER = Path("/run/secrets")


def load_secret_files(folder: Path = FOLDER) -> None:
    """Set each variable that is missing from the file of its name.

    Files, because what an engine is told in variables, whoever may inspect a container can read.
    """
    for file in sorted(folder.glob("[A-Z]*")) if folder.is_dir() else []:
        os.environ.setdefault(file.name, file.read_text().strip())
