"""The plan selects the sessions of the changed areas; an unknown change selects all."""

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
    CISession("untagged", "untagged", "pipeline-ci", (), None),
    CISession("e2e-full", "e2e-full", "frontend-ci", ("backend",), None),
    CISession("slow", "slow", "pipeline-ci", ("backend", "docs"), None),
]
LEFT = {"e2e-full": [], "slow": ["docs"]}
AREAS = Areas({"common": ["noxfile.py"], "backend": ["backend/**"], "docs": ["*.md"]})


def reasons(*paths: str, run_all_reason: str = "") -> dict[str, str]:
    change = ChangeSet(paths, "origin/main", run_all_reason)
    rows = plan.select_sessions(LIST, change, AREAS, LEFT)
    return {row.entry.session: row.reason for row in rows if row.selected}


def test_session_runs_if_its_area_changed() -> None:
    assert reasons("backend/a.py", "backend/b.py")["lint"] == "backend: backend/a.py and 1 more"
    assert "docs" not in reasons("backend/a.py")


@pytest.mark.parametrize("path", ["noxfile.py", "new/thing.txt"])
def test_common_or_unassigned_file_runs_everything(path: str) -> None:
    assert reasons(path) == {
        "lint": f"common: {path}",
        "docs": f"common: {path}",
        "untagged": "the session has no area",
        "slow": f"common: {path}",
    }


def test_unknown_change_runs_everything() -> None:
    assert {*reasons(run_all_reason="no base").values()} == {"no base"}


def test_session_without_area_always_runs() -> None:
    assert reasons("README.md")["untagged"] == "the session has no area"


def test_main_only_job_is_skipped() -> None:
    assert "e2e-full" not in reasons(run_all_reason="on main")


def test_main_only_job_runs_for_its_areas() -> None:
    assert "slow" not in reasons("backend/a.py")
    assert reasons("README.md")["slow"] == "docs: README.md"


def selected(here: InProcessCI) -> list[str]:
    here.toy.root.joinpath("output").unlink(missing_ok=True)
    return sorted(plan.create_plan().jobs)


def test_main_branch_runs_everything(ci: InProcessCI) -> None:
    assert selected(ci) == ALL


def test_branch_runs_changed_areas(ci: InProcessCI) -> None:
    ci.toy.git("switch", "--quiet", "--create=work")
    assert selected(ci) == []
    ci.toy.write("red/one.txt", "other")
    assert selected(ci) == ["red"]
    ci.toy.commit()
    assert selected(ci) == ["red"]
    ci.toy.write("blue/new.txt", "untracked")
    assert selected(ci) == ["blue", "red"]


def test_file_ignored_by_user_is_a_change(ci: InProcessCI) -> None:
    ci.toy.git("switch", "--quiet", "--create=work")
    (ci.toy.home / ".config/git").mkdir(parents=True)
    (ci.toy.home / ".config/git/ignore").write_text("lib/\n")
    ci.toy.write("blue/lib/new.txt", "untracked")
    assert selected(ci) == ["blue"]


def test_later_commits_of_main_are_no_change(ci: InProcessCI) -> None:
    ci.toy.git("switch", "--quiet", "--create=work")
    ci.toy.write("red/one.txt", "ours")
    ci.toy.commit()
    ci.toy.git("switch", "--quiet", "main")
    ci.toy.write("blue/one.txt", "theirs")
    ci.toy.commit()
    ci.toy.git("switch", "--quiet", "work")
    assert selected(ci) == ["red"]


@pytest.mark.parametrize("flag", ["--assume-unchanged", "--skip-worktree"])
def test_index_flags_hide_no_change(ci: InProcessCI, flag: str) -> None:
    ci.toy.git("switch", "--quiet", "--create=work")
    ci.toy.git("update-index", flag, "red/one.txt")
    ci.toy.write("red/one.txt", "other")
    assert selected(ci) == ["red"]


def test_moved_file_changes_both_areas(ci: InProcessCI) -> None:
    ci.toy.git("switch", "--quiet", "--create=work")
    ci.toy.git("mv", "red/one.txt", "blue/moved.txt")
    assert selected(ci) == ["blue", "red"]


def test_no_base_commit_runs_everything(ci: InProcessCI) -> None:
    ci.toy.git("switch", "--quiet", "--create=work")
    ci.toy.git("branch", "--quiet", "--delete", "--force", "main")
    assert selected(ci) == ALL
    assert "no base commit: no common history with origin/main and main" in ci(plan=True)


@pytest.mark.parametrize("kind", ["branch", "tag"])
def test_ref_named_like_remote_hides_nothing(ci: InProcessCI, kind: str) -> None:
    ci.toy.git("update-ref", "refs/remotes/origin/main", "HEAD")
    ci.toy.git("switch", "--quiet", "--create=work")
    ci.toy.write("red/one.txt", "other")
    ci.toy.commit()
    ci.toy.git(kind, "origin/main")
    assert selected(ci) == ["red"]


def test_tag_named_like_main_hides_nothing(ci: InProcessCI) -> None:
    ci.toy.git("tag", "main")
    assert selected(ci) == ALL


@pytest.mark.parametrize("commit", ["main", "main~1"])
def test_detached_main_commit_runs_everything(ci: InProcessCI, commit: str) -> None:
    ci.toy.commit()
    ci.toy.git("update-ref", "refs/remotes/origin/main", "HEAD")
    ci.toy.git("checkout", "--quiet", "--detach", commit)
    assert selected(ci) == ALL
    ci.toy.write("red/one.txt", "other")
    ci.toy.commit()
    assert selected(ci) == ["red"]


def test_single_branch_clone_runs_everything(
    ci: InProcessCI, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ci.toy.git("switch", "--quiet", "--create=work")
    ci.toy.commit()
    clone = tmp_path / "clone"
    ci.toy.git("clone", "--quiet", "--single-branch", str(ci.toy.root), str(clone))
    monkeypatch.chdir(clone)
    assert sorted(plan.create_plan().jobs) == ALL


def test_main_branch_may_have_other_name(ci: InProcessCI, monkeypatch: pytest.MonkeyPatch) -> None:
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


def test_unknown_jobs_are_refused_with_lines(ci: InProcessCI) -> None:
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
def test_file_name_of_any_bytes_selects(
    ci: InProcessCI, name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary"))
    ci.toy.git("switch", "--quiet", "--create=work")
    path = f"red/{name}"
    ci.toy.write(path, "text")
    assert selected(ci) == ["red"]
    plan.main()
    assert f"| red: {path!a} |" in (tmp_path / "summary").read_text()


@pytest.mark.parametrize("event", ["push", "merge_group", "schedule", "workflow_dispatch"])
def test_only_pull_request_skips_sessions(
    ci: InProcessCI, monkeypatch: pytest.MonkeyPatch, event: str
) -> None:
    ci.toy.git("switch", "--quiet", "--create=work")
    monkeypatch.setenv("GITHUB_EVENT_NAME", event)
    assert selected(ci) == ALL


def test_pull_request_base_is_target_branch(
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
def test_main_prints_sets_output_and_summary(
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
    """Thirty pull requests with a few changes each, drawn with their number as the seed."""
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
def test_only_push_to_main_runs_main_only_jobs(
    monkeypatch: pytest.MonkeyPatch,
    event: str,
    ref: str,
    chosen: bool,  # noqa: FBT001 - a row of a table
) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("GITHUB_EVENT_NAME", event)
    monkeypatch.setenv("GITHUB_REF", ref)
    assert ("e2e-full" in plan.create_plan().jobs) is chosen


def test_all_option_equals_push_to_main(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    here = plan.create_plan(everything=True).jobs
    monkeypatch.setenv("GITHUB_EVENT_NAME", "push")
    monkeypatch.setenv("GITHUB_REF", "refs/heads/main")
    assert here == plan.create_plan().jobs


def test_backend_change_skips_pipeline_tests() -> None:
    settings = config.load()
    entries = [row.entry for row in plan.create_plan(everything=True).rows]
    areas, left = Areas(settings.areas), settings.ci.main_only
    rows = plan.select_sessions(
        entries, ChangeSet(["backend/apps/x.py"], "origin/main"), areas, left
    )
    selected_jobs = {row.entry.job for row in rows if row.selected}
    assert selected_jobs.isdisjoint({"pipeline-tests", "fault-injection", "rehearsal"})
    assert selected_jobs > {
        "e2e-quick",
        "check-faults",
        "image",
        "parity",
        "tests",
        "tests-postgres",
    }


def test_document_change_runs_docs_sessions_only() -> None:
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
