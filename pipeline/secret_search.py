"""Which secrets stand where nobody may see them: in a text, or in the files of a folder."""

from collections.abc import Iterator, Mapping
from pathlib import Path


def secrets_in_text(secrets: Mapping[str, str], text: str) -> list[str]:
    """Return the names of the secrets that a text shows.

    Args:
        secrets: What nobody may see, by its name.
        text: What somebody sees.
    """
    return sorted(name for name, secret in secrets.items() if secret in text)


def secrets_in_directory(secrets: Mapping[str, str], folder: Path) -> Iterator[str]:
    """Yield each secret that a file of a folder holds, with the file.

    Args:
        secrets: What nobody may see, by its name.
        folder: What is looked through, whatever git makes of it; links are not followed.
    """
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink():
            content = path.read_bytes()
            for name in (name for name, secret in secrets.items() if secret.encode() in content):
                yield f"{name} in {path.relative_to(folder)}"
