from pathlib import Path

import pytest

from pipeline import docs, sessions, workflows


def test_the_table_of_jobs_has_every_job_with_what_it_does() -> None:
    table = docs.tables(workflows.read_all(), sessions.list_all())["jobs"]
    described = {row.name.split("-3.")[0]: row.description for row in sessions.list_all()}
    for job in ("lint", "migrations", "frontend-tests", "e2e-full", "plan", "ci-ok"):
        assert f"| `{job}` | {described[job]} |" in table


def test_the_table_of_versions_has_every_version_with_its_end_of_life() -> None:
    table = docs.support_table()
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
    ],
)
def test_a_link_that_leads_nowhere_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, broken: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("page.md").write_text(text)
    Path("other.md").write_text("# The heading\n")
    assert list(docs.broken_links([Path("page.md")])) == broken
