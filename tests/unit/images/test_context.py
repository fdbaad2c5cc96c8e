"""What an image is made from: files that git ignores are on one machine only, and may hold secrets.

`clean` in a build record means that the build context contains only files of the commit.
"""

import re
from pathlib import PurePosixPath

import pytest

from pipeline.ci.areas import glob_to_regex
from tests.conftest import ROOT

FOLDERS = {"backend": ("apps/health", "config"), "frontend": ("public", "src/app")}
NEEDED = {
    "backend": ("manage.py", "apps/health/api.py", "requirements/production.txt"),
    "frontend": (".npmrc", "public/favicon.svg", "src/app/entry.tsx", "tsconfig.app.json"),
}
IGNORED = [
    line.rstrip("/").replace("*", "x")
    for line in (ROOT / ".gitignore").read_text().splitlines()
    if line and line[0] not in "#!/"
]


def is_sent(image: str, path: str) -> bool:
    """Say whether a file is sent to the builder: the last line that fits it or its folder decides.

    https://docs.docker.com/build/concepts/context/#dockerignore-files
    """
    sent = True
    places = [path, *map(str, PurePosixPath(path).parents[:-1])]
    for line in (ROOT / image / ".dockerignore").read_text().splitlines():
        pattern = line.removeprefix("!")
        if pattern and not line.startswith("#"):
            fits = re.compile(glob_to_regex(pattern)).fullmatch
            sent = line.startswith("!") if any(map(fits, places)) else sent
    return sent


@pytest.mark.parametrize("image", FOLDERS)
@pytest.mark.parametrize("name", IGNORED)
def test_what_git_ignores_reaches_no_builder(image: str, name: str) -> None:
    assert not [folder for folder in FOLDERS[image] if is_sent(image, f"{folder}/{name}")]


@pytest.mark.parametrize("name", ["tests", "tests.py", "test_a.py", "a_test.py", "a_tests.py"])
def test_no_test_reaches_a_builder(name: str) -> None:
    assert not [folder for folder in FOLDERS["backend"] if is_sent("backend", f"{folder}/{name}")]


@pytest.mark.parametrize(("image", "path"), [(i, path) for i in NEEDED for path in NEEDED[i]])
def test_what_an_image_needs_is_sent(image: str, path: str) -> None:
    assert (ROOT / image / path).exists()
    assert is_sent(image, path)
