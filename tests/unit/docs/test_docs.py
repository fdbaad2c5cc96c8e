import json
from pathlib import Path

import pytest

from pipeline import invoke_tasks, nox_sessions
from pipeline.docs import links, tables
from pipeline.github import loader
from pipeline.scratch_repository import ScratchRepository


def test_the_table_of_jobs_has_every_job_with_what_it_does() -> None:
    table = tables.workflow_tables(loader.load_workflows(), nox_sessions.list_sessions())["jobs"]
    described = {row.name.split("-3.")[0]: row.description for row in nox_sessions.list_sessions()}
    for job in ("lint", "migrations", "frontend-tests", "e2e-full", "plan", "ci-ok"):
        assert f"| `{job}` | {described[job]} |" in table


def test_the_table_of_versions_has_every_version_with_its_end_of_life() -> None:
    table = tables.support_table()
    assert "| Django | 5.2 | 2028-04-30 | 3.11, 3.12, 3.13 |" in table
    assert "| Node | 20 | 2026-04-30 |" in table


@pytest.mark.parametrize(
    ("text", "broken"),
    [
        ("[a](other.md)", []),
        ("[a](other.md#the-heading)", []),
        ("[a](#here--now)\n\n# Here & now\n", []),
        ("[a](https://example.com/nothing)", []),
        ("```\n[a](nothing.md)\n```\n", []),
        ("[a](nothing.md)", ["page.md: no such file: `nothing.md`"]),
        ("[a](other.md#nothing)", ["page.md: no such heading: `other.md#nothing`"]),
        ("[a](#nothing)", ["page.md: no such heading: `#nothing`"]),
        ('[a](nothing.md "title")', ["page.md: no such file: `nothing.md`"]),
        ("[a](<nothing.md>)", ["page.md: no such file: `nothing.md`"]),
        ("[a][b]\n\n[b]: nothing.md\n", ["page.md: no such file: `nothing.md`"]),
        ('a <img src="nothing.png">', ["page.md: no such file: `nothing.png`"]),
        ('<p>\n<a href="nothing.md">a</a>\n</p>', ["page.md: no such file: `nothing.md`"]),
        ("| a |\n| --- |\n| [a](nothing.md) |\n", ["page.md: no such file: `nothing.md`"]),
        ("![a](ignored.png)", ["page.md: no such file: `ignored.png`"]),
        ("[a](../elsewhere.md)", ["page.md: no such file: `../elsewhere.md`"]),
        ("````\n# A\n````\n[a](#a)", ["page.md: no such heading: `#a`"]),
        ("[a](<a folder/x(1).md>) [b](a%20folder/x(1).md)", []),
        ("[a](/other.md) [b](a%20folder) [c](./)", []),
        ("[a](code.py#L3)", []),
        ("~~~\n[a](nothing.md)\n~~~\n- a\n  ```\n  [a](nothing.md)\n  ```\n", []),
        ("`[a](nothing.md)` <!-- [a](nothing.md) -->", []),
        ("# A\n# A\n[a](#a) [b](#a-1)", []),
        ("# The `a` of [b](other.md) #\n[a](#the-a-of-b)", []),
        ("Title\n=====\n[a](#title)", []),
        ('<a id="here"></a>[a](#here)', []),
        ("# Größe & so\n[a](#größe--so)", []),
        ("[a](tel:+491) [b](//example.com/x)", []),
    ],
)
def test_a_link_that_leads_nowhere_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, broken: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a folder").mkdir()
    for name in ("page.md", "other.md", "code.py", "ignored.png", "a folder/x(1).md"):
        Path(name).write_text("# The heading\n")
    Path(".gitignore").write_text("ignored.png\n")
    Path("page.md").write_text(text)
    ScratchRepository(tmp_path).git("init", "--quiet")
    assert list(links.broken_links([Path("page.md")])) == broken


def test_sessions_without_a_job_stand_there_with_the_reason() -> None:
    table = tables.local_sessions_table(nox_sessions.list_sessions())
    assert "| `lock` | Update the lock files;" in table
    assert "| `lint` |" not in table


def test_every_task_has_its_row() -> None:
    known = [
        invoke_tasks.Task("build", "Build all."),
        invoke_tasks.Task("ci", "Run what is needed."),
    ]
    assert tables.tasks_table(known).endswith(
        "| `build` | Build all. |\n| `ci` | Run what is needed. |"
    )


def test_a_secret_stands_there_with_who_reads_it_and_where_it_is_needed() -> None:
    table = tables.secrets_table()
    assert "| `CODECOV_TOKEN` | `tests-postgres` |  |" in table
    assert "| `POSTGRES_PASSWORD` | `deploy`, `rollback` | `local`, `staging` |" in table


def test_each_exit_code_stands_there_with_what_its_class_says() -> None:
    table = tables.exit_codes_table()
    assert "| 2 | An argument, a variable or a file is invalid. |" in table
    assert "| 130 | A deployment was interrupted, and rolled back. |" in table


def test_what_to_type_for_a_whole_workflow() -> None:
    table = tables.local_commands_table(loader.load_workflows())
    assert "| migration-check.yml | `nox -s migrations migration-safety` |" in table


@pytest.fixture
def _times(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = tmp_path / "times.json"
    changes = {"everything": 200.0, "the docs": 50.0}
    kept.write_text(json.dumps({"changes": changes, "jobs": {"migrations": 3.2, "lint": 1.1}}))
    monkeypatch.setattr(tables, "TIMINGS_FILE", kept)


@pytest.mark.usefixtures("_times")
def test_aims_are_those_of_pipeline_toml_and_times_are_those_that_were_kept() -> None:
    shown = tables.timings_table()
    assert "| `migrations` | 1 | 3.2 |" in shown
    assert "| `lint` |  | 1.1 |" in shown


@pytest.mark.usefixtures("_times")
def test_a_change_stands_there_with_its_share_of_a_run_of_everything() -> None:
    assert "| the docs | 50.0 | 25% |" in tables.change_timings_table()
