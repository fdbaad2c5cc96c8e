import json
from pathlib import Path

import pytest

from pipeline.ci import plan


@pytest.fixture(autouse=True)
def no_runner(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GITHUB_EVENT_NAME", "GITHUB_REF", "GITHUB_OUTPUT"):
        monkeypatch.delenv(name, raising=False)


def test_it_selects_every_check_and_no_gate() -> None:
    selected = plan.select()
    assert {"lint", "tests", "frontend-tests", "migrations", "pre-commit", "docs"} <= {*selected}
    assert "ci-ok" not in selected


@pytest.mark.parametrize(
    ("event", "ref", "selected"),
    [
        ("push", "refs/heads/main", True),
        ("push", "refs/heads/develop", False),
        ("pull_request", "refs/pull/1/merge", False),
        ("merge_group", "refs/heads/main", False),
    ],
)
def test_only_a_push_to_main_runs_all_paths_of_the_browser(
    monkeypatch: pytest.MonkeyPatch,
    event: str,
    ref: str,
    selected: bool,  # noqa: FBT001 - a row of a table
) -> None:
    monkeypatch.setenv("GITHUB_EVENT_NAME", event)
    monkeypatch.setenv("GITHUB_REF", ref)
    assert ("e2e-full" in plan.select()) is selected


def test_it_prints_json_and_hands_it_on(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GITHUB_OUTPUT", str(tmp_path / "output"))
    plan.main()
    printed = capsys.readouterr().out
    assert "lint" in json.loads(printed)
    assert (tmp_path / "output").read_text() == f"jobs={printed}"
