"""What runs is what the change touches; whatever is unknown runs everything."""

import json
import os
import random
from pathlib import Path

import pytest

from pipeline import config
from pipeline.ci import plan
from pipeline.ci.areas import Areas
from pipeline.ci.changes import ChangeSet
from pipeline.ci.sessions import CISession
from tests.conftest import ROOT
from tests.unit.ci.conftest import InProcessCI

ALL = ["blue", "green", "red"]
LIST = [
    CISession("lint", "lint", "backend-ci", ("backend",), "3.12"),
    CISession("docs", "docs", "pipeline-ci", ("docs",), "3.12"),
    CISession("odd", "odd", "pipeline-ci", (), None),
    CISession("e2e-full", "e2e-full", "frontend-ci", ("backend",), None),
    CISession("prove", "prove", "pipeline-ci", ("backend", "docs"), None),
]
LEFT = {"e2e-full": [], "prove": ["docs"]}
AREAS = Areas({"common": ["noxfile.py"], "backend": ["backend/**"], "docs": ["*.md"]})


def reasons(*paths: str, unknown: str = "") -> dict[str, str]:
    change = ChangeSet(paths, "origin/main", unknown)
    rows = plan.select_sessions(LIST, change, AREAS, LEFT)
    return {row.entry.session: row.reason for row in rows if row.selected}


def test_a_session_runs_if_one_of_its_areas_is_touched() -> None:
    assert reasons("backend/a.py", "backend/b.py")["lint"] == "backend: backend/a.py and 1 more"
    assert "docs" not in reasons("backend/a.py")


@pytest.mark.parametrize("path", ["noxfile.py", "new/thing.txt"])
def test_what_is_common_or_in_no_area_runs_everything(path: str) -> None:
    assert reasons(path) == {
        "lint": f"common: {path}",
        "docs": f"common: {path}",
        "odd": "it has no area",
        "prove": f"common: {path}",
    }


def test_what_is_unknown_runs_everything_and_says_why() -> None:
    assert {*reasons(unknown="no base").values()} == {"no base"}


def test_a_session_without_an_area_always_runs() -> None:
    assert reasons("README.md")["odd"] == "it has no area"


def test_what_is_for_main_is_left_out_whatever_is_touched() -> None:
    assert "e2e-full" not in reasons(unknown="on main")


def test_what_is_for_main_runs_before_only_if_a_change_touches_what_it_is_asked_for() -> None:
    assert "prove" not in reasons("backend/a.py")
    assert reasons("README.md")["prove"] == "docs: README.md"


def selected(here: InProcessCI) -> list[str]:
    here.toy.root.joinpath("output").unlink(missing_ok=True)
    return sorted(plan.create_plan().jobs)


def test_on_the_main_branch_everything_runs(ci: InProcessCI) -> None:
    assert selected(ci) == ALL


def test_on_a_branch_only_what_differs_from_main_runs(ci: InProcessCI) -> None:
    ci.toy.git("switch", "--quiet", "--create=work")
    assert selected(ci) == []
    ci.toy.write("red/one.txt", "other")
    assert selected(ci) == ["red"]
    ci.toy.commit()
    assert selected(ci) == ["red"]
    ci.toy.write("blue/new.txt", "untracked")
    assert selected(ci) == ["blue", "red"]


def test_a_new_file_that_only_the_user_ignores_is_a_change(ci: InProcessCI) -> None:
    ci.toy.git("switch", "--quiet", "--create=work")
    (ci.toy.home / ".config/git").mkdir(parents=True)
    (ci.toy.home / ".config/git/ignore").write_text("lib/\n")
    ci.toy.write("blue/lib/new.txt", "untracked")
    assert selected(ci) == ["blue"]


def test_what_main_got_meanwhile_is_no_change_of_ours(ci: InProcessCI) -> None:
    ci.toy.git("switch", "--quiet", "--create=work")
    ci.toy.write("red/one.txt", "ours")
    ci.toy.commit()
    ci.toy.git("switch", "--quiet", "main")
    ci.toy.write("blue/one.txt", "theirs")
    ci.toy.commit()
    ci.toy.git("switch", "--quiet", "work")
    assert selected(ci) == ["red"]


@pytest.mark.parametrize("flag", ["--assume-unchanged", "--skip-worktree"])
def test_a_file_that_git_is_told_to_overlook_is_not_overlooked(ci: InProcessCI, flag: str) -> None:
    ci.toy.git("switch", "--quiet", "--create=work")
    ci.toy.git("update-index", flag, "red/one.txt")
    ci.toy.write("red/one.txt", "other")
    assert selected(ci) == ["red"]


def test_a_file_that_is_gone_or_moved_touches_the_area_that_it_was_in(ci: InProcessCI) -> None:
    ci.toy.git("switch", "--quiet", "--create=work")
    ci.toy.git("mv", "red/one.txt", "blue/moved.txt")
    assert selected(ci) == ["blue", "red"]


def test_without_a_base_everything_runs(ci: InProcessCI) -> None:
    ci.toy.git("switch", "--quiet", "--create=work")
    ci.toy.git("branch", "--quiet", "--delete", "--force", "main")
    assert selected(ci) == ALL
    assert "no base: origin/main and main cannot be compared with" in ci(plan=True)


@pytest.mark.parametrize("kind", ["branch", "tag"])
def test_what_is_called_like_a_remote_branch_hides_nothing(ci: InProcessCI, kind: str) -> None:
    ci.toy.git("update-ref", "refs/remotes/origin/main", "HEAD")
    ci.toy.git("switch", "--quiet", "--create=work")
    ci.toy.write("red/one.txt", "other")
    ci.toy.commit()
    ci.toy.git(kind, "origin/main")
    assert selected(ci) == ["red"]


def test_a_tag_called_like_the_main_branch_hides_nothing(ci: InProcessCI) -> None:
    ci.toy.git("tag", "main")
    assert selected(ci) == ALL


@pytest.mark.parametrize("commit", ["main", "main~1"])
def test_on_a_commit_of_main_without_a_branch_everything_runs(ci: InProcessCI, commit: str) -> None:
    ci.toy.commit()
    ci.toy.git("update-ref", "refs/remotes/origin/main", "HEAD")
    ci.toy.git("checkout", "--quiet", "--detach", commit)
    assert selected(ci) == ALL
    ci.toy.write("red/one.txt", "other")
    ci.toy.commit()
    assert selected(ci) == ["red"]


def test_in_a_clone_of_one_branch_everything_runs(
    ci: InProcessCI, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ci.toy.git("switch", "--quiet", "--create=work")
    ci.toy.commit()
    clone = tmp_path / "clone"
    ci.toy.git("clone", "--quiet", "--single-branch", str(ci.toy.root), str(clone))
    monkeypatch.chdir(clone)
    assert sorted(plan.create_plan().jobs) == ALL


def test_the_main_branch_may_have_another_name(
    ci: InProcessCI, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = ci.toy.root / "pipeline.toml"
    text = settings.read_text().replace('main_branch = "main"', 'main_branch = "master"')
    settings.write_text(text.replace("[ci.main_only]", "[ci.main_only]\nred = []"))
    ci.toy.commit()
    ci.toy.git("branch", "--move", "master")
    assert selected(ci) == ["blue", "green"]
    monkeypatch.setenv("GITHUB_EVENT_NAME", "push")
    monkeypatch.setenv("GITHUB_REF", "refs/heads/master")
    assert selected(ci) == ALL
    monkeypatch.setenv("GITHUB_REF", "refs/heads/main")
    assert selected(ci) == ["blue", "green"]


def test_jobs_that_there_are_not_are_refused_with_their_lines(ci: InProcessCI) -> None:
    settings = ci.toy.root / "pipeline.toml"
    text = settings.read_text().replace("exclusive = []", 'exclusive = ["red", "gren"]')
    for table, line in {
        "needs": 'blue = ["rde"]',
        "main_only": "greeen = []",
        "never_cached": 'all = "a reason"',
        "mutex": 'here = ["red", "bleu"]',
    }.items():
        text = text.replace(f"[ci.{table}]\n", f"[ci.{table}]\n{line}\n")
    settings.write_text(text)
    assert ci(plan=True).splitlines()[:5] == [
        "error: pipeline.toml:5: ci.exclusive[1]: there is no job `gren`; did you mean `green`?",
        "pipeline.toml:10: ci.needs.blue[0]: there is no job `rde`; did you mean `red`?",
        "pipeline.toml:13: ci.main_only.greeen: there is no job `greeen`; did you mean `green`?",
        "pipeline.toml:16: ci.never_cached.all: there is no job `all`; known: blue, green, red",
        "pipeline.toml:20: ci.mutex.here[1]: there is no job `bleu`; did you mean `blue`?",
    ]
    assert ci.code == 2


@pytest.mark.parametrize("name", [os.fsdecode(b"Sin-t\xedtulo"), "\x1b[31m"])
def test_a_name_of_any_bytes_is_selected_by_and_shown(
    ci: InProcessCI, name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary"))
    ci.toy.git("switch", "--quiet", "--create=work")
    path = f"red/{name}"
    ci.toy.write(path, "odd")
    assert selected(ci) == ["red"]
    plan.main()
    assert f"| red: {path!a} |" in (tmp_path / "summary").read_text()


@pytest.mark.parametrize("event", ["push", "merge_group", "schedule", "workflow_dispatch"])
def test_in_ci_only_a_pull_request_leaves_anything_out(
    ci: InProcessCI, monkeypatch: pytest.MonkeyPatch, event: str
) -> None:
    ci.toy.git("switch", "--quiet", "--create=work")
    monkeypatch.setenv("GITHUB_EVENT_NAME", event)
    assert selected(ci) == ALL


def test_a_pull_request_is_compared_with_the_branch_that_it_goes_to(
    ci: InProcessCI, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_EVENT_NAME", "pull_request")
    monkeypatch.setenv("GITHUB_REF_NAME", "7/merge")
    monkeypatch.setenv("GITHUB_BASE_REF", "develop")
    ci.toy.git("update-ref", "refs/remotes/origin/develop", "HEAD")
    ci.toy.git("switch", "--quiet", "--create=work")
    ci.toy.write("red/one.txt", "other")
    ci.toy.commit()
    assert selected(ci) == ["red"]
    ci.toy.git("update-ref", "-d", "refs/remotes/origin/develop")
    assert selected(ci) == ALL


@pytest.mark.usefixtures("ci")
def test_it_prints_json_hands_it_on_and_shows_the_reasons(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("GITHUB_OUTPUT", str(tmp_path / "output"))
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary"))
    plan.main()
    printed = capsys.readouterr().out
    assert sorted(json.loads(printed)) == ALL
    assert (tmp_path / "output").read_text() == f"jobs={printed}"
    assert "| `red` | yes | on main |" in (tmp_path / "summary").read_text()


def test_ci_plans_what_a_laptop_runs(ci: InProcessCI, capsys: pytest.CaptureFixture[str]) -> None:
    """Thirty pull requests, each of a few changes, drawn by their number."""
    files = ["red/one.txt", "blue/two.txt", "green/one.txt", "blue/new.txt", "notes.txt"]
    for number in range(30):
        draw = random.Random(number)  # noqa: S311 - no secret
        ci.toy.git("switch", "--quiet", "--force-create", f"work-{number}", "main")
        for name in draw.sample(files, draw.choice([0, 1, 1, 1, 2])):
            ci.toy.write(name, f"{number}")
            if draw.random() < 0.5:
                ci.toy.commit()
        plan.main()
        planned = json.loads(capsys.readouterr().out)
        assert (number, ci.ran()) == (number, sorted(planned))
        ci.toy.commit()


@pytest.mark.parametrize(
    ("event", "ref", "chosen"),
    [
        ("push", "refs/heads/main", True),
        ("push", "refs/heads/develop", False),
        ("pull_request", "refs/pull/1/merge", False),
        ("merge_group", "refs/heads/main", False),
    ],
)
def test_only_a_push_to_main_runs_what_is_for_main(
    monkeypatch: pytest.MonkeyPatch,
    event: str,
    ref: str,
    chosen: bool,  # noqa: FBT001 - a row of a table
) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("GITHUB_EVENT_NAME", event)
    monkeypatch.setenv("GITHUB_REF", ref)
    assert ("e2e-full" in plan.create_plan().jobs) is chosen


def test_all_is_what_a_push_to_main_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    here = plan.create_plan(everything=True).jobs
    monkeypatch.setenv("GITHUB_EVENT_NAME", "push")
    monkeypatch.setenv("GITHUB_REF", "refs/heads/main")
    assert here == plan.create_plan().jobs


def test_a_view_waits_for_no_test_of_the_pipeline() -> None:
    settings = config.load()
    entries = [row.entry for row in plan.create_plan(everything=True).rows]
    areas, left = Areas(settings.areas), settings.ci.main_only
    rows = plan.select_sessions(
        entries, ChangeSet(["backend/apps/x.py"], "origin/main"), areas, left
    )
    waits = {row.entry.job for row in rows if row.selected}
    assert waits.isdisjoint({"pipeline-tests", "fault-injection", "rehearsal"})
    assert waits > {"e2e-quick", "check-faults", "image", "parity", "tests", "tests-postgres"}


def test_a_document_needs_the_sessions_of_documents_alone() -> None:
    areas = Areas(config.load().areas)
    entries = [row.entry for row in plan.create_plan(everything=True).rows]
    rows = plan.select_sessions(entries, ChangeSet(["docs/parity.md"], "origin/main"), areas, {})
    assert {row.entry.session for row in rows if row.selected} == {
        "docs",
        "check-faults",
        "parity",
        "pre-commit",
        "fault-injection",
    }
