"""The secret scan with the real Kingfisher; secrets are assembled, so that this file has none."""

import io
import os
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import trustme

from pipeline.checks.secret_scan import main
from pipeline.errors import CheckFailedError, InconclusiveError
from tests import settings

AWS = f'id = "{"AKIA"}Z7QK3XW5PLM2NB4T"\nsecret = "{"q9Zt7LxW2vB8nM4kR6pY"}s1Hd3Gf5Jc0Aa+QeUiOw"\n'
GITHUB = f'token = "{"ghp_"}16C7e42F292c6912E7710c838347Ae178B4a"\n'
KEY = trustme.CA().private_key_pem.bytes().decode()

Commit = Callable[..., None]


def zipped(text: str) -> bytes:
    """Return an archive that holds a file of this text."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("settings", text)
    return file.getvalue()


def git(*arguments: str) -> None:
    """Run git with a user name."""
    command = ["git", "-c", "user.name=Ada", "-c", "user.email=ada@example.com", *arguments]
    subprocess.run(command, check=True)


@pytest.fixture
def commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Commit:
    """A checkout whose branch has left main; commit files, by name, and `None` takes one away."""

    def commit(**files: str | None) -> None:
        for name, text in files.items():
            path = tmp_path / name
            path.unlink() if text is None else path.write_text(text)
        git("add", "--all")
        git("commit", "--quiet", "--allow-empty", "--message=Work")

    monkeypatch.chdir(tmp_path)
    git("init", "--quiet", "--initial-branch=main")
    (tmp_path / ".gitignore").write_text("/reports/\n/private/\n")
    (tmp_path / "pipeline.toml").write_text(settings.text())
    commit(readme="Hello\n")
    git("checkout", "--quiet", "-b", "work")
    commit(app="print()\n")
    return commit


def refused() -> list[str]:
    """Insist that the gate is red, and return for what."""
    with pytest.raises(CheckFailedError) as caught:
        main()
    first, *places = str(caught.value).splitlines()
    assert first == "secrets:"
    return places


def test_a_secret_is_found_in_a_file_whose_name_is_no_utf_8(commit: Commit) -> None:
    commit(**{os.fsdecode(b"Sin-t\xedtulo.py"): AWS})
    assert any("Sin-t" in place for place in refused())


def test_in_a_clone_of_one_branch_no_commit_goes_unjudged(
    commit: Commit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit(key=KEY)
    commit(key=None)
    commit(app="print(1)\n")
    git("clone", "--quiet", "--single-branch", str(tmp_path), str(tmp_path / "private/clone"))
    monkeypatch.chdir(tmp_path / "private/clone")
    with pytest.raises(InconclusiveError, match="main is missing here"):
        main()


@pytest.mark.usefixtures("commit")
def test_a_tree_and_commits_without_secrets_are_green_and_leave_reports() -> None:
    main()
    assert {path.name for path in Path("reports").glob("*.sarif")} == {
        "secrets.sarif",
        "secrets-commits.sarif",
    }


@pytest.mark.usefixtures("commit")
@pytest.mark.parametrize(
    ("text", "kind"),
    [(AWS, "aws-access-token"), (GITHUB, "github-pat"), (KEY, "private-key")],
    ids=["aws", "github", "private key"],
)
def test_a_secret_in_a_new_file_is_red_and_is_not_shown(text: str, kind: str) -> None:
    Path("settings").write_text(text)
    (place,) = {*refused()}
    assert place == f"settings:1: betterleaks.{kind}"
    report = Path("reports/secrets.sarif").read_text()
    assert not any(word in report for word in text.replace('"', " ").split() if len(word) > 30)


@pytest.mark.parametrize(
    ("name", "content"),
    [("settings", GITHUB.encode("utf-16")), ("settings.zip", zipped(GITHUB))],
    ids=["UTF-16", "archive"],
)
def test_a_secret_in_another_form_is_red(name: str, content: bytes, commit: Commit) -> None:
    Path(name).write_bytes(content)
    commit()
    assert {" in commit " in place for place in refused()} == {True, False}


def test_every_place_of_a_secret_is_named(commit: Commit) -> None:
    commit(one=GITHUB, other="\n" + GITHUB)
    places = refused()
    assert {place for place in places if " in commit " not in place} == {
        "one:1: betterleaks.github-pat",
        "other:2: betterleaks.github-pat",
    }


def test_what_a_later_commit_took_away_is_still_red(commit: Commit) -> None:
    commit(settings=GITHUB)
    commit(settings=None)
    (place,) = refused()
    assert place.startswith("settings:1: betterleaks.github-pat in commit ")


def test_the_branches_of_others_are_left_alone(commit: Commit) -> None:
    git("checkout", "--quiet", "-b", "colleague")
    commit(settings=GITHUB)
    git("update-ref", "refs/remotes/origin/colleague", "colleague")
    git("checkout", "--quiet", "work")
    main()


def test_the_push_that_makes_main_brings_all_of_its_commits(
    commit: Commit, monkeypatch: pytest.MonkeyPatch
) -> None:
    git("checkout", "--quiet", "main")
    commit(settings=GITHUB)
    commit(settings=None)
    commit(app="print(1)\n")
    Path("private").mkdir()
    Path("private/event.json").write_text(f'{{"before": "{"0" * 40}"}}')
    monkeypatch.setenv("GITHUB_EVENT_NAME", "push")
    monkeypatch.setenv("GITHUB_REF", "refs/heads/main")
    monkeypatch.setenv("GITHUB_EVENT_PATH", "private/event.json")
    (place,) = refused()
    assert place.startswith("settings:1: betterleaks.github-pat in commit ")


def test_on_main_the_last_commit_is_what_was_changed(commit: Commit) -> None:
    git("checkout", "--quiet", "main")
    commit(settings=GITHUB)
    assert len(refused()) == 2
    commit(settings=None)
    main()


@pytest.mark.usefixtures("commit")
def test_what_git_would_not_take_is_left_alone() -> None:
    Path("private").mkdir()
    Path("private/settings").write_text(GITHUB)
    main()


@pytest.mark.usefixtures("commit")
def test_a_false_alarm_is_marked_on_its_line() -> None:
    Path("settings").write_text(GITHUB.replace("\n", "  # kingfisher:ignore it opens nothing\n"))
    main()


def test_without_main_the_commits_are_not_judged_but_the_tree_is(commit: Commit) -> None:
    git("checkout", "--quiet", "--orphan", "alone")
    commit()
    git("branch", "--quiet", "-D", "main")
    with pytest.raises(InconclusiveError, match="main is missing here"):
        main()
    Path("settings").write_text(GITHUB)
    assert refused() == ["settings:1: betterleaks.github-pat"]


@pytest.mark.usefixtures("commit")
def test_a_scanner_that_fails_is_red(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KF_RULE_CACHE_DIR", str(tmp_path / "app" / "no folder"))
    (tmp_path / "reports").mkdir()
    (tmp_path / "reports" / "secrets.sarif").mkdir()
    with pytest.raises(CheckFailedError, match="kingfisher failed: "):
        main()
