"""What is written down of an image: how it was built, what of, and where it was pushed."""

import json
from typing import Any

import pytest

from pipeline.errors import InputError
from pipeline.images import provenance, records
from pipeline.images.records import BuildRecord, ReleasedImage
from pipeline.images.targets import ImageRef
from tests.unit.images.conftest import APP, DIGEST

BUILD = BuildRecord(
    image_id=DIGEST,
    commit="c" * 40,
    clean=True,
    bases={"PYTHON_IMAGE": f"python:3.12@{DIGEST}", "TOOL_IMAGE": "ghcr.io/octo/tool:1"},
    builder="https://github.com/octo/shop/.github/workflows/container-build.yml@refs/heads/main",
    started="2026-11-23T12:00:00+00:00",
    finished="2026-11-23T12:01:00+00:00",
)
RELEASED = ReleasedImage(ImageRef(f"ghcr.io/octo/shop/app@{DIGEST}"), {"linux/amd64": DIGEST})


def predicate(source: str = "https://github.com/octo/shop") -> dict[str, Any]:
    return provenance.predicate(APP, BUILD, source)


def test_provenance_says_what_was_asked_for_and_of_which_template() -> None:
    definition = predicate()["buildDefinition"]
    assert definition["buildType"].startswith("https://")
    assert definition["externalParameters"] == {"image": "app", "platform": "linux/amd64"}


def test_provenance_names_the_commit_and_every_base_by_its_digest() -> None:
    commit, python, tool = predicate()["buildDefinition"]["resolvedDependencies"]
    assert commit == {
        "uri": "git+https://github.com/octo/shop",
        "digest": {"gitCommit": "c" * 40},
    }
    assert python == {"uri": "pkg:docker/python@3.12", "digest": {"sha256": "0" * 64}}
    assert tool == {"uri": "pkg:docker/ghcr.io/octo/tool@1"}


def test_provenance_without_a_remote_names_the_commit_alone() -> None:
    commit = predicate(source="")["buildDefinition"]["resolvedDependencies"][0]
    assert commit == {"digest": {"gitCommit": "c" * 40}}


def test_provenance_says_who_built_and_when() -> None:
    assert predicate()["runDetails"] == {
        "builder": {"id": BUILD.builder},
        "metadata": {"startedOn": BUILD.started, "finishedOn": BUILD.finished},
    }


@pytest.mark.usefixtures("project")
def test_provenance_is_written_among_the_papers() -> None:
    BUILD.write(APP)
    path = provenance.write_provenance(APP, BUILD, "")
    assert path.parent == APP.directory
    assert json.loads(path.read_text()) == predicate(source="")


@pytest.mark.usefixtures("project")
def test_a_build_is_read_as_it_was_written() -> None:
    assert records.load_build(APP) is None
    BUILD.write(APP)
    assert records.load_build(APP) == BUILD


@pytest.mark.usefixtures("project")
def test_a_release_is_that_of_one_commit() -> None:
    assert records.load_release("c" * 40) == {}
    records.write_release("c" * 40, {"app": RELEASED})
    assert records.load_release("c" * 40) == {"app": RELEASED}
    assert records.load_release("d" * 40) == {}


@pytest.mark.usefixtures("project")
def test_what_was_not_pushed_is_named() -> None:
    records.write_release("c" * 40, {"app": RELEASED})
    assert records.require_released("c" * 40, ["app"]) == {"app": RELEASED}
    with pytest.raises(InputError, match="not pushed from commit cccccccccccc: store, other"):
        records.require_released("c" * 40, ["store", "app", "other"])
