"""What is read and not run gets the answer of the whole check, or none: the same table of cases."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.errors import PipelineError
from pipeline.gates.flight import report
from pipeline.gates.flight.__main__ import main
from pipeline.gates.flight.code import NOWHERE, Code
from pipeline.gates.flight.static import of
from tests.flight.cases import APP, SAFE, UNSAFE, Case
from tests.flight.project import Project, created
from tests.flight.test_cases import names

RELEASED = ["backend/shop/migrations/__init__.py", "backend/shop/migrations/0001_initial.py"]
PYTHON = "Python or a DO block does it"
ROWS = "it depends on what is in the database"
HIDDEN = "it is done for an index or a check that the statement does not name"
ONLY_WHOLE = {
    "backfill_of_another_table": PYTHON,
    "backfill_with_alter": PYTHON,
    "backfill_with_alter_one_by_one": PYTHON,
    "collation_indexed": HIDDEN,
    "data_fails_twice": ROWS,
    "data_twice_not_atomic": PYTHON,
    "fails_at_all": ROWS,
    "python_delete_all": PYTHON,
    "python_hides_index": PYTHON,
    "python_sets_not_null": PYTHON,
    "reverse_does_not_fit_rows": ROWS,
    "reverse_leaves_something": ROWS,
    "sql_do_block": PYTHON,
    "varchar_wider_checked": HIDDEN,
    "varchar_wider_lower_index": HIDDEN,
}
IN_OTHER_WORDS = {  # what is measured has no number here, and what fails is only expected to
    "add_positive_null": "reads or writes all rows of shop_order under AccessExclusiveLock",
    "fails_on_rows": "adds a column that is NOT NULL and that the release before does not fill",
    "truncate_cascade": "loses all rows (shop_odd)",
}
RENAME = 'operations = [migrations.RenameField("customer", "nick", "name")]'
NOTE = """
operations = [migrations.AddField("customer", "note", models.CharField(max_length=9, null=True))]
"""


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The app as it was released."""
    return created(tmp_path_factory.mktemp("static") / "project", migrations__0001_initial=APP)


@pytest.fixture(scope="module")
def code(released: Project) -> Iterator[Code]:
    """The app, started once, without a server."""
    with Code(released.root / "backend").started(NOWHERE) as started:
        yield started


def said(project: Project, code: Code, case: Case) -> str:
    written = [
        project.migration(f"{number:04}_{case.name}", body)
        for number, body in enumerate(case.migrations, start=2)
    ]
    try:
        return report.text(of(code, RELEASED))
    finally:
        for path in written:
            path.unlink()


@pytest.mark.parametrize("case", names([each for each in UNSAFE if each.name not in ONLY_WHOLE]))
def test_what_is_unsafe_is_named_as_if_it_were_run(
    released: Project, code: Code, case: Case
) -> None:
    found = said(released, code, case)
    assert IN_OTHER_WORDS.get(case.name, case.says) in found
    assert case.hint in found
    assert "hint: " in found


@pytest.mark.parametrize("case", names([each for each in UNSAFE if each.name in ONLY_WHOLE]))
def test_what_only_running_shows_is_not_held_for_safe(
    released: Project, code: Code, case: Case
) -> None:
    found = said(released, code, case)
    assert "hint: " not in found
    assert "What only `nox -s migration-flight` sees" in found
    if ONLY_WHOLE[case.name] == PYTHON:
        assert f"what Python does in them: backend/shop/migrations/0002_{case.name}.py:" in found


@pytest.mark.parametrize("case", names(SAFE))
def test_what_is_safe_is_let_through(released: Project, code: Code, case: Case) -> None:
    assert "hint: " not in said(released, code, case)


def test_what_cannot_be_applied_is_an_error(released: Project, code: Code) -> None:
    index = 'AddIndexConcurrently("order", models.Index(fields=["amount"], name="by_amount"))'
    case = Case("at_once", (f"operations = [{index}]",))
    with pytest.raises(PipelineError, match=r"applied: shop.0002_at_once \(backend.*NotSupported"):
        said(released, code, case)


def test_only_what_main_has_not_is_read(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    project.migration("0002_next", RENAME)
    project.release()
    project.migration("0003_next", NOTE)
    main(["--static"])
    assert capsys.readouterr().out.startswith("read, not run: shop.0003_next\nWhat only")
    assert not Path("reports").exists()


def test_a_fault_ends_it_in_error(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    project.migration("0002_next", RENAME)
    with pytest.raises(PipelineError, match="faults found in the migrations: 1"):
        main(["--static"])
    assert "renames a column (shop_customer.nick)" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("migration", "error"),
    [(RENAME, "faults found in the migrations: 1"), (NOTE, "no PostgreSQL can be started")],
)
def test_without_a_server_migrations_are_read(
    project: Project, capsys: pytest.CaptureFixture[str], migration: str, error: str
) -> None:
    with (project.root / "pipeline.toml").open("a") as settings:
        settings.write('\n[services]\npostgres = "/nowhere"\n')
    project.release()
    project.migration("0002_next", migration)
    with pytest.raises(PipelineError, match=error):
        main([])
    told = capsys.readouterr()
    assert "read, not run: shop.0002_next" in told.out
    assert ("not judged: migration-flight: no PostgreSQL" in told.err) is (migration is RENAME)
    assert Path("reports", "migration-flight.json").exists()
