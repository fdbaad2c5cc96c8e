from pathlib import Path

import pytest

from pipeline import nox_sessions
from pipeline.errors import InputError
from pipeline.github import loader


def commands() -> list[str]:
    calls = loader.jobs_by_call().values()
    return [line for jobs in calls for job in jobs for line in job.shell_commands()]


def test_every_session_of_the_default_run_is_a_job_and_the_other_way_round() -> None:
    """`nox` on a laptop and a pull request in CI run the same, less what needs a Docker Engine."""
    here = {row.session for row in nox_sessions.list_selected_sessions()}
    rows = {
        row.get("session", job.id)
        for call, jobs in loader.jobs_by_call().items()
        for job in jobs
        for row in job.rows
        if call not in {"container-build", "image-release"}
    }
    assert rows - {"e2e-full"} == here - {"plan"}


def test_a_job_runs_the_session_of_its_name_and_nothing_else() -> None:
    for jobs in loader.jobs_by_call().values():
        for job in jobs:
            line = 'nox -s "$SESSION"' if "strategy" in job.content else f"nox -s {job.id}"
            assert [step["run"] for step in job.content["steps"] if "run" in step] == [line]


def test_a_row_of_a_matrix_becomes_a_line_of_shell() -> None:
    row = "export SESSION='tests-3.12(django='\"'\"'5.2'\"'\"')'; nox -s \"$SESSION\""
    assert row in commands()


def test_every_row_of_every_check_has_a_line_of_its_own() -> None:
    assert len(commands()) == len({*commands()}) > 20


def test_every_row_exists() -> None:
    existing = {row.session for row in nox_sessions.list_sessions()} | {
        row.name for row in nox_sessions.list_sessions()
    }
    for jobs in loader.jobs_by_call().values():
        for job in jobs:
            assert {row.get("session", job.id) for row in job.rows} <= existing


@pytest.mark.parametrize("content", ["jobs: [", "\tjobs:"])
def test_a_file_that_is_no_yaml_is_an_error_that_names_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: str
) -> None:
    monkeypatch.setattr(loader, "WORKFLOWS_DIR", str(tmp_path))
    (tmp_path / "broken.yml").write_text(content)
    with pytest.raises(InputError, match=r"broken\.yml:\d+: not YAML"):
        loader.load_workflow("broken.yml")


def test_a_file_that_is_not_there_is_an_error_that_names_it() -> None:
    with pytest.raises(InputError, match=r"nope\.yml:1: no such file"):
        loader.load_workflow("nope.yml")
