"""Find secrets in a text, or in the files of a folder."""

from collections.abc import Iterator, Mapping
from pathlib import Path


def secrets_in_text(secrets: Mapping[str, str], text: str) -> list[str]:
    """Return the names of the secrets in a text.

    Args:
        secrets: The secrets by their names.
        text: The text.
    """
    return sorted(name for name, secret in secrets.items() if secret in text)


def secrets_in_directory(secrets: Mapping[str, str], folder: Path) -> Iterator[str]:
    """Yield each secret in the files of a folder, with the file.

    Args:
        secrets: The secrets by their names.
        folder: The folder, ignored files included; symbolic links are not followed.
    """
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink():
            content = path.read_bytes()
            for name in (name for name, secret in secrets.items() if secret.encode() in content):
                yield f"{name} in {path.relative_to(folder)}"
