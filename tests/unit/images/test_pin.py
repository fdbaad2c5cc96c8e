"""Pins are written behind tags: everywhere the same, all or none, and nothing else changes."""

from pathlib import Path

import pytest

from pipeline.errors import CheckFailedError, InputError
from pipeline.images import pin
from pipeline.images.pin import pin_base_images, pinned_reference, with_digests
from pipeline.images.registry import manifest_digest
from tests.conftest import ROOT
from tests.unit.images.conftest import DIGEST, Calls, CopyProject, commit, publish

NEW = f"sha256:{'a' * 64}"
DOCKERFILE, COMPOSE = Path("Dockerfile"), Path("docker-compose.yml")


@pytest.fixture
def files(put: CopyProject, monkeypatch: pytest.MonkeyPatch) -> None:
    put("docker")
    monkeypatch.setattr(pin, "files_with_images", lambda: [COMPOSE, DOCKERFILE])
    DOCKERFILE.write_text(f"ARG BASE_IMAGE=base:1@{DIGEST}\nFROM ${{BASE_IMAGE}}\n")
    COMPOSE.write_text("image: ${BASE_IMAGE:-base:1}\nother: ${STORE_IMAGE:-store:8}\n")


@pytest.mark.parametrize(
    ("output", "name"),
    [
        (f"${{STORE_IMAGE:-a/store:1@{NEW}}}", f"a/store:1@{NEW}"),
        ("${STORE_IMAGE:-store:1}", "store:1"),
        (f"store@{NEW}", f"store@{NEW}"),
    ],
)
def test_a_commit_names_an_image_of_others_whatever_is_here_now(
    files: None, monkeypatch: pytest.MonkeyPatch, output: str, name: str
) -> None:
    del files
    COMPOSE.write_text(f"services:\n  store:\n    image: {output}\n")
    commit()
    COMPOSE.write_text("services: {}\n")
    monkeypatch.setenv("STORE_IMAGE", "mirror.example.com/store:2")
    assert pinned_reference("store", "HEAD") == name


def test_a_commit_that_names_no_such_image_is_said_to_be(files: None) -> None:
    del files
    COMPOSE.write_text("services:\n  store: {build: .}\n")
    commit()
    for image in ("store", "other"):
        with pytest.raises(InputError, match=f"names no {image}"):
            pinned_reference(image, "HEAD")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("ARG NODE_IMAGE=node:24-slim\n", f"ARG NODE_IMAGE=node:24-slim@{NEW}\n"),
        (f"ARG NODE_IMAGE=node:24@{DIGEST}\n", f"ARG NODE_IMAGE=node:24@{NEW}\n"),
        ("ARG NODE_BASE_IMAGE=node:24\n", f"ARG NODE_BASE_IMAGE=node:24@{NEW}\n"),
        ("image: ${A_IMAGE:-a/b:1}\n", f"image: ${{A_IMAGE:-a/b:1@{NEW}}}\n"),
        (f"image: ${{A_IMAGE:-a:1@{DIGEST}}} # note\n", f"image: ${{A_IMAGE:-a:1@{NEW}}} # note\n"),
    ],
)
def test_a_digest_is_written_behind_the_tag_in_place_of_an_older_one(
    before: str, after: str
) -> None:
    assert with_digests(before, lambda _: NEW) == after


@pytest.mark.parametrize(
    "text",
    [
        "FROM ${NODE_IMAGE} AS build\n",
        "ARG COMMIT=unknown\n",
        "        NODE_IMAGE:\n",
        "image: ${IMAGE_REGISTRY:-local}/backend:${IMAGE_TAG:-dev}\n",
        "IMAGE=node:24\n",
    ],
)
def test_other_text_is_left_as_it_is(text: str) -> None:
    assert with_digests(text, lambda _: NEW) == text


@pytest.mark.usefixtures("files")
def test_all_files_get_the_digests_of_their_tags(tmp_path: Path, calls: Calls) -> None:
    base = publish(tmp_path, "base:1", "{}")
    store = publish(tmp_path, "store:8", '{"config": {}}')
    pin_base_images()
    assert DOCKERFILE.read_text() == f"ARG BASE_IMAGE=base:1@{base}\nFROM ${{BASE_IMAGE}}\n"
    assert COMPOSE.read_text().count(base) == COMPOSE.read_text().count(store) == 1
    assert len(calls()) == 2  # once for a tag, so that two files cannot get two answers


@pytest.mark.usefixtures("files")
def test_a_dry_pin_shows_what_would_change_and_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    base = publish(tmp_path, "base:1", "{}")
    publish(tmp_path, "store:8", "{}")
    before = DOCKERFILE.read_text()
    pin_base_images(dry_run=True)
    assert f"-ARG BASE_IMAGE=base:1@{DIGEST}\n+ARG BASE_IMAGE=base:1@{base}\n" in (
        capsys.readouterr().out
    )
    assert DOCKERFILE.read_text() == before


@pytest.mark.usefixtures("files")
def test_nothing_is_written_if_one_tag_has_no_digest(tmp_path: Path) -> None:
    publish(tmp_path, "base:1", "{}")
    before = (DOCKERFILE.read_text(), COMPOSE.read_text())
    with pytest.raises(CheckFailedError, match="the registry has no store:8"):
        pin_base_images()
    assert (DOCKERFILE.read_text(), COMPOSE.read_text()) == before


def test_a_digest_is_that_of_the_bytes() -> None:
    assert (
        manifest_digest("{}")
        == "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
    )


def test_every_file_that_is_pinned_is_there() -> None:
    assert all((ROOT / file).exists() for file in pin.files_with_images())
