"""A second product: other folders, names and port, no Redis, and so one image less.

`rework` does what its team would do: move the folders, edit the product's own files, and declare
the rest in pipeline.toml. No file of the pipeline changes.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from pipeline.fault_injection.repository_copy import RepositoryCopy

NAMES = {"backend": "server", "frontend": "web"}
WORD = re.compile(rf"(?<![\w.])({'|'.join(NAMES)})(?![\w])(?!s)")
PORT, OLD_PORT = "9000", "8000"
OWN_FILES = (
    "*.md",
    "*.toml",
    "*.yml",
    ".*",
    ".github/**/*.yml",
    "deploy/*",
    "noxfile.py",
    "requirements/*.in",
    "requirements/*.txt",
    "security/*.toml",
    "server/Dockerfile",
    "server/requirements/*",
    "tests/acceptance/images/*.py",
    "web/Dockerfile",
    "web/*.conf",
    "web/*.sh",
    "web/.dockerignore",
)
LISTENS = (
    "deploy/edge.conf",
    "server/Dockerfile",
    "server/healthcheck.py",
    "server/server.py",
    "web/entrypoint.sh",
)
REDIS = {
    ".github/workflows/container-build.yml": r" +- session: image\(image='redis'.*\n.*\n.*\n",
    "deploy/data.yml": r"\n  redis:\n(?:    .*\n)+",
    "docker-compose.yml": r" +REDIS_URL: .*\n| +redis: \{.*\n|  redis:\n(?:    .*\n)+\n",
    "pipeline.toml": r' *"?REDIS_URL"?.*\n',
}
"""What names Redis, by file."""
DECLARATIONS = """
[layout]
backend = "server"
frontend = "web"

[app]
api = "server"
page = "web"
edge = "web"
port = 9000
"""


def rework(made: RepositoryCopy) -> None:
    """Make a copy the second product, and commit it."""
    root = made.root
    for file in sorted(root.glob(".github/workflows/*.yml")):
        if (new := renamed(file.name)) != file.name:
            file.rename(file.with_name(new))
    for old, new in NAMES.items():
        (root / old).rename(root / new)
    for path in own_files(root):
        path.write_text(renamed(path.read_text()))
    for name in LISTENS:
        edit(root / name, OLD_PORT, PORT)
    without_redis(root)
    settings = root / "pipeline.toml"
    settings.write_text(settings.read_text() + DECLARATIONS)
    made.commit("Make it the second product")


def renamed(text: str) -> str:
    """Return a text with the new names of folders, images and sessions."""
    return WORD.sub(lambda found: NAMES[found[1]], text)


def own_files(root: Path) -> Iterator[Path]:
    """Yield the files of the product that name its folders."""
    for pattern in OWN_FILES:
        yield from (path for path in sorted(root.glob(pattern)) if path.is_file())


def without_redis(root: Path) -> None:
    """Remove Redis from the stack, the images and the secrets; the app then caches in memory."""
    optional = 'or rediss:// for TLS"),\n    ]'
    edit(root / "server/config/environment.py", optional, f"{optional} = None")
    for name, pattern in REDIS.items():
        path = root / name
        path.write_text(re.sub(pattern, "", path.read_text()))
    edit(root / "pipeline.toml", '["postgres", "redis"]', '["postgres"]')


def edit(path: Path, old: str, new: str) -> None:
    """Replace a text in a file, which must have it."""
    text = path.read_text()
    assert old in text, f"{path} has no {old}"
    path.write_text(text.replace(old, new))
