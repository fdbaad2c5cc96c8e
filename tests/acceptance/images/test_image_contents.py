"""What is in the images, and what must not be."""

import json
import re
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pipeline import secret_search
from pipeline.fault_injection import canaries
from pipeline.fault_injection.repository_copy import copy_repository
from pipeline.process import capture
from tests.acceptance.images.docker_cli import check_output, docker, inspect
from tests.acceptance.images.inspect import BACKEND, IMAGES, Entry, Image, content
from tests.conftest import ROOT

MIB = 1024 * 1024
LABELS = ("source", "revision", "version", "created")
APP = ("app/", "venv/", "srv/")
TOOLS = "cc c++ gcc g++ ld make git node npm npx pip pip3 uv hg svn"
LEFT_BEHIND = re.compile(
    r"(^|/)(\.cache|\.env|\.git|\.npm|\.npmrc|\.pypirc|node_modules|tests|conftest\.py)(/|$)"
)
THROW_AWAY = re.compile(r"(?:DJANGO_SECRET|FIELD_ENCRYPTION)_KEY=(\S+)")


@pytest.fixture(scope="module")
def contents(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Entry]]:
    """All that each image has above its base."""
    folder = tmp_path_factory.mktemp("images")
    return {image.name: list(image.entries(folder)) for image in IMAGES}


def described(image: Image) -> str:
    """The configuration of an image that every user can read."""
    history = check_output("history", "--no-trunc", "--format={{.CreatedBy}}", image.reference)
    return history + json.dumps(inspect("image", image.reference))


def test_it_runs_as_a_user_that_is_a_number_and_not_root(image: Image) -> None:
    assert image.config["User"] == image.user
    assert (
        check_output("run", "--rm", "--entrypoint=id", image.reference, "-u")
        == image.user.split(":")[0]
    )


def test_it_is_started_without_a_shell_and_knows_whether_it_is_well(image: Image) -> None:
    command = [*(image.config["Entrypoint"] or []), *(image.config["Cmd"] or [])]
    assert command
    assert command[:2] != ["/bin/sh", "-c"]
    assert image.config["Healthcheck"]["Test"][0] == "CMD"


def test_it_says_what_it_was_built_from(image: Image) -> None:
    labels = image.config["Labels"]
    message = [labels[f"org.opencontainers.image.{name}"] for name in LABELS]
    assert all(message) or "unknown" in message  # a developer's own build need not know it


def test_all_that_was_added_is_roots_and_nobody_else_can_write_it(
    image: Image, contents: dict[str, list[Entry]]
) -> None:
    entries = [entry for entry, _ in contents[image.name]]
    assert entries
    assert {(entry.uid, entry.gid) for entry in entries} == {(0, 0)}
    assert not [entry.name for entry in entries if entry.mode & 0o022 and not entry.issym()]


def test_its_user_can_write_no_file_at_all(image: Image) -> None:
    find = ["/", "-xdev", "-type", "f", "-writable", "-not", "-path", "/proc/*"]
    found = docker("run", "--rm", "--entrypoint=find", image.reference, *find)
    assert found.stdout == ""
    assert "No such file" not in found.stderr  # folders that it may not even read are no fault


def test_no_tool_that_builds_or_installs_is_there(image: Image) -> None:
    script = f"for tool in {TOOLS}; do command -v $tool; done; true"
    assert check_output("run", "--rm", "--entrypoint=sh", image.reference, "-c", script) == ""


def test_python_cannot_install_anything() -> None:
    script = "from importlib.util import find_spec; print(find_spec('pip'), find_spec('ensurepip'))"
    command = ["--entrypoint=python", BACKEND.reference, "-c", script]
    assert check_output("run", "--rm", *command) == "None None"


def test_no_cache_test_or_setting_of_a_developer_was_left_behind(
    image: Image, contents: dict[str, list[Entry]]
) -> None:
    names = [entry.name for entry, _ in contents[image.name]]
    assert not [name for name in names if ours(name) and LEFT_BEHIND.search(name)]


def ours(name: str) -> bool:
    """Return whether a path is not part of a third-party package."""
    return "/site-packages/" not in name


def test_no_secret_is_in_the_layers_the_history_or_the_environment(
    image: Image, contents: dict[str, list[Entry]]
) -> None:
    keys = THROW_AWAY.findall(image.dockerfile)
    assert bool(keys) == (image is BACKEND)
    for key in [*keys, "DJANGO_SECRET_KEY=", "FIELD_ENCRYPTION_KEY="]:
        assert key not in described(image)
    for key in keys:
        assert not holders(contents[image.name], key)


def test_no_secret_nor_the_umask_of_its_builder_is_in_it(image: Image, tmp_path: Path) -> None:
    place, hatched = copy_repository(ROOT, tmp_path / "checkout").root, canaries.generate_canaries()
    for path in place.rglob("*"):  # as `umask 077` leaves a checkout
        path.chmod(path.stat().st_mode & ~0o077)
    with retained(image):
        command = ["invoke", "build", f"--image={image.name}"]
        output = capture(command, cwd=place, env=canaries.canary_environment(hatched))
        assert output.returncode == 0, output.stderr
        assert secret_search.secrets_in_text(hatched, output.stdout + output.stderr) == []
        (archive,) = place.glob("dist/images/**/image.tar")
        added = [*image.added(archive)]
        assert added
        assert not [name for name, secret in hatched.items() if holders(added, secret)]
        of_the_app = [entry for entry, _ in added if entry.name.startswith(APP)]
        assert not [entry.name for entry in of_the_app if not entry.mode & 0o004]
        with tarfile.open(archive) as saved:
            message = [content(saved, each) for each in saved.getnames() if each.endswith(".json")]
        assert message
        assert (
            secret_search.secrets_in_text(hatched, b"".join(message).decode(errors="replace")) == []
        )


@contextmanager
def retained(image: Image) -> Iterator[None]:
    """Give an image its names back, even if others were built with them."""
    before = inspect("image", image.reference)
    try:
        yield
    finally:
        for name in before["RepoTags"]:
            check_output("tag", before["Id"], name)


def test_the_search_for_secrets_finds_what_is_there(contents: dict[str, list[Entry]]) -> None:
    assert "app/manage.py" in holders(contents["backend"], "execute_from_command_line")


def holders(entries: list[Entry], text: str) -> list[str]:
    """Return the files that contain a text."""
    return [entry.name for entry, content in entries if text.encode() in content]


def test_it_is_not_much_larger_than_its_base(
    image: Image, capsys: pytest.CaptureFixture[str]
) -> None:
    whole, base = inspect("image", image.reference), image.base_image
    layers = base["RootFS"]["Layers"]
    above = (whole["Size"] - base["Size"]) / MIB
    with capsys.disabled():
        print(f"\n{image.name}: {above:.1f} MiB above its base, of {image.mib} allowed")

    assert whole["RootFS"]["Layers"][: len(layers)] == layers
    assert above <= image.mib


def test_the_files_of_the_app_are_as_old_as_all_others(
    image: Image, contents: dict[str, list[Entry]]
) -> None:
    assert {e.mtime for e, _ in contents[image.name] if e.name.startswith(APP)} == {0}


def test_what_the_page_loads_is_in_the_image(contents: dict[str, list[Entry]]) -> None:
    files = {Path("/", entry.name): content for entry, content in contents["frontend"]}
    page = files[Path("/srv/www/index.html")].decode()
    loaded = re.findall(r'(?:src|href)="(/[^"]+)"', page)
    assert loaded
    assert all(files[Path(f"/srv/www{path}")] for path in loaded)
