"""File hashes are cached by stat signature, except for files that changed moments ago."""

import hashlib
import sys
from typing import NoReturn

import pytest

from pipeline import config
from pipeline.ci.cache import fingerprint, worktree
from pipeline.ci.plan import snapshot_inputs
from pipeline.process import capture
from pipeline.settings import Settings
from tests.settings import changed
from tests.support.sample_repo import SampleRepo
from tests.unit.ci.conftest import RunInRepo


@pytest.fixture(autouse=True)
def settings(repo: SampleRepo, run_in_repo: RunInRepo) -> Settings:
    """The settings of a sample repository, which is the working directory of the test."""
    run_in_repo(repo)
    return config.load()


@pytest.fixture
def _no_racy_window(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worktree, "RACY_WINDOW_NS", -1)


def fail_on_read(*_: object) -> NoReturn:
    pytest.fail("a file was read")


@pytest.mark.usefixtures("_no_racy_window")
def test_unchanged_signatures_read_no_file(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = snapshot_inputs(settings).area_digests
    monkeypatch.setattr(worktree, "_hash_file", fail_on_read)
    assert snapshot_inputs(settings).area_digests == before


@pytest.mark.usefixtures("_no_racy_window")
def test_changed_file_or_areas_change_digest(settings: Settings, repo: SampleRepo) -> None:
    before = snapshot_inputs(settings).area_digests
    repo.write("red/one.txt", "other")
    after = snapshot_inputs(settings).area_digests
    assert {area for area in after if after[area] != before[area]} == {"red"}
    areas = {**settings.areas, "red": ("red/none",)}
    assert snapshot_inputs(changed(settings, areas=areas)).area_digests["red"] != after["red"]


def test_young_file_is_not_cached(settings: Settings) -> None:
    assert snapshot_inputs(settings).area_digests
    assert not fingerprint.DIGEST_CACHE_FILE.exists()
    assert worktree.STAT_CACHE_FILE.read_text() == "{}"


def test_file_may_be_larger_than_memory(repo: SampleRepo) -> None:
    large = repo.write("red/large", "")
    with large.open("wb") as file:
        file.truncate(256 << 20)  # a sparse file uses no disk space
    code = (
        "import resource as r; from pipeline.ci.cache.worktree import hash_files, stat_signatures\n"
    )
    code += "r.setrlimit(r.RLIMIT_AS, (200 << 20,) * 2)\n"
    code += "print(hash_files(stat_signatures(['red/large'])).tree)"
    done = capture([sys.executable, "-c", code], cwd=repo.root)
    assert f"file {hashlib.sha256(bytes(256 << 20)).hexdigest()}" in done.stdout, done.stderr


def test_file_changed_after_stat_has_no_hash(repo: SampleRepo) -> None:
    signatures = worktree.stat_signatures(["red/one.txt", "blue/one.txt"])
    repo.write("red/one.txt", "other")
    found = worktree.hash_files(signatures).tree
    assert found["red/one.txt"].content_id is None
    assert found["blue/one.txt"].content_id
