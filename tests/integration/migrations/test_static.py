"""What is read and not run gets the answer of the whole check, or none: the same table of cases."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.checks.migrations import report
from pipeline.checks.migrations.__main__ import main
from pipeline.checks.migrations.app_version import UNREACHABLE_URL, AppVersion
from pipeline.checks.migrations.static import of
from pipeline.errors import PipelineError
from tests.integration.migrations.cases import APP, SAFE, UNSAFE, Case
from tests.integration.migrations.cases.case import MARK, NULLABLE, one, sql
from tests.integration.migrations.test_cases import names
from tests.support.django_project import Project, create_project

RELEASED = ["backend/shop/migrations/__init__.py", "backend/shop/migrations/0001_initial.py"]
PYTHON = "Python or a DO block does it"
ROWS = "it depends on what is in the database"
HIDDEN = "it is done for an index or a check that the statement does not name"
VIEW = "what can be written into a view is PostgreSQL's to say"
REFUSED = "PostgreSQL or its driver always refuses it"
ONLY_WHOLE = {
    "backfill_of_another_table": PYTHON,
    "backfill_with_alter": PYTHON,
    "backfill_with_alter_one_by_one": PYTHON,
    "collation_indexed": HIDDEN,
    "data_fails_twice": ROWS,
    "data_twice_not_atomic": PYTHON,
    "fails_at_all": ROWS,
    "lock_table_and_fill": PYTHON,
    "python_delete_all": PYTHON,
    "python_hides_index": PYTHON,
    "python_imports_a_model_that_differs": PYTHON,
    "python_sets_not_null": PYTHON,
    "rename_table_leave_view_to_read": VIEW,
    "reverse_does_not_fit_rows": ROWS,
    "reverse_leaves_something": ROWS,
    "sql_attach_partition": HIDDEN,
    "sql_do_block": PYTHON,
    "sql_sets_a_column_twice": REFUSED,
    "transaction_left_open": REFUSED,
    "varchar_wider_checked": HIDDEN,
    "varchar_wider_lower_index": HIDDEN,
}
REQUIRED = "adds a NOT NULL column that the previous release does not fill"
IN_OTHER_WORDS = {  # what is measured has no number here, and what fails is only expected to
    "add_positive_null": (
        "reads or writes all rows of shop_order under AccessExclusiveLock",
        "then the CHECK with NOT VALID",
    ),
    "add_required": (REQUIRED, "db_default"),
    "add_required_by_null_default": (REQUIRED, "db_default"),
    "add_uuid_unique": ("adds a unique constraint", "USING INDEX"),
    "fails_on_many_rows": ("adds a constraint and checks all rows", "NOT VALID"),
    "fails_on_rows": (REQUIRED, "db_default"),
    "fk_gets_its_constraint": ("adds a foreign key and checks all rows", "NOT VALID"),
    "set_not_null_where_some_are": ("all rows of shop_customer under", "AddConstraintNotValid"),
    "sql_drop_column_cascade": ("drops a column (shop_note.word)", "contract ="),
    "sql_set_not_null": ("makes a column NOT NULL (shop_customer.age)", "contract ="),
    "truncate_cascade": ("loses all rows (shop_special)", "deletes_rows ="),
}
RENAME = 'operations = [migrations.RenameField("customer", "nick", "name")]'
NOTE = """
operations = [migrations.AddField("customer", "note", models.CharField(max_length=9, null=True))]
"""


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The app as it was released."""
    return create_project(
        tmp_path_factory.mktemp("static") / "project", migrations__0001_initial=APP
    )


@pytest.fixture(scope="module")
def code(released: Project) -> Iterator[AppVersion]:
    """The app, started once, without a server."""
    with AppVersion(released.root / "backend").start_worker(UNREACHABLE_URL) as started:
        yield started


def output(project: Project, code: AppVersion, case: Case) -> str:
    written = [
        project.migration(f"{number:04}_{case.name}", body)
        for number, body in enumerate(case.migrations, start=2)
    ]
    try:
        return report.format_report(of(code, RELEASED))
    except PipelineError as error:
        return f"error: {error}\nhint: {error.hint}"
    finally:
        for path in written:
            path.unlink()


@pytest.mark.parametrize("case", names([each for each in UNSAFE if each.name not in ONLY_WHOLE]))
def test_what_is_unsafe_is_named_as_if_it_were_run(
    released: Project, code: AppVersion, case: Case
) -> None:
    found = output(released, code, case)
    message, hint = IN_OTHER_WORDS.get(case.name, (case.message, case.hint))
    assert message in found
    assert hint in found
    assert "hint: " in found


@pytest.mark.parametrize("case", names([each for each in UNSAFE if each.name in ONLY_WHOLE]))
def test_what_only_running_shows_is_not_held_for_safe(
    released: Project, code: AppVersion, case: Case
) -> None:
    found = output(released, code, case)
    assert "hint: " not in found
    assert "Only `nox -s migration-safety`" in found
    if ONLY_WHOLE[case.name] == PYTHON:
        where = (
            rf"Python code, DO blocks, and types .*: backend/shop/migrations/0002_{case.name}.py:"
        )
        assert re.search(where, found)


@pytest.mark.parametrize("case", names(SAFE))
def test_what_is_safe_is_let_through(released: Project, code: AppVersion, case: Case) -> None:
    found = output(released, code, case)
    assert not found.startswith("error: ")
    assert "hint: " not in found


def test_a_type_that_nothing_tells_is_left_to_the_whole_check(
    released: Project, code: AppVersion
) -> None:
    case = one("of_others", sql("ALTER TABLE of_others ALTER free TYPE varchar"), head=MARK)
    found = output(released, code, case)
    assert "hint: " not in found
    assert "that only SQL defines: backend/shop/migrations/0002_of_others.py:" in found


@pytest.mark.parametrize(
    "case",
    names([
        one("coarser", sql("ALTER TABLE shop_raw ALTER at TYPE timestamp(0)"),
            message="loses values (shop_raw.at)"),
        one("other_type", sql("ALTER TABLE shop_raw ALTER net TYPE int USING 1"),
            message="rewrites shop_raw"),
        one("not_null_at_once", sql("ALTER TABLE shop_customer ADD CONSTRAINT aged NOT NULL age"),
            message="adds a constraint and checks all rows"),
        one("schema_then_table", sql("ALTER SCHEMA store RENAME TO x; DROP TABLE x.bin"),
            message="drops a table (store.bin)"),
        one("null_for_default", sql("ALTER TABLE shop_special ALTER kept SET DEFAULT NULL"),
            message="drops the default of a column (shop_special.kept)"),
    ]),
)  # fmt: skip
def test_what_sql_says_counts_whatever_made_it(
    released: Project, code: AppVersion, case: Case
) -> None:
    assert case.message in output(released, code, case)


JOINED = "UPDATE shop_order SET amount = 1 FROM shop_tag WHERE shop_tag.id = number"
CHOSEN = (
    f"{JOINED} AND shop_tag.name = 'x'",
    JOINED.replace("shop_tag W", "(SELECT id FROM shop_tag LIMIT 9) shop_tag W"),
    "UPDATE shop_order SET amount = (SELECT max(id) FROM shop_tag WHERE id < number) WHERE id = 1",
)


@pytest.mark.parametrize("number", range(len(CHOSEN)))
def test_some_rows_are_left_to_the_whole_check(
    released: Project, code: AppVersion, number: int
) -> None:
    case = one(f"some_rows_{number}", NULLABLE, sql(CHOSEN[number]))
    assert "hint: " not in output(released, code, case)


def test_what_cannot_be_applied_is_an_error(released: Project, code: AppVersion) -> None:
    index = 'AddIndexConcurrently("order", models.Index(fields=["amount"], name="by_amount"))'
    case = Case("at_once", (f"operations = [{index}]",))
    found = output(released, code, case)
    assert re.match(r"error: .*applied: shop.0002_at_once \(backend.*NotSupported", found)


def test_only_what_main_has_not_is_read(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    project.migration("0002_next", RENAME)
    project.release()
    project.migration("0003_next", NOTE)
    main(["--static"])
    assert capsys.readouterr().out.startswith("read without running: shop.0003_next\nOnly")
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
        settings.write('\n[services]\npostgres = "/missing"\n')
    project.release()
    project.migration("0002_next", migration)
    with pytest.raises(PipelineError, match=error):
        main([])
    received = capsys.readouterr()
    assert "read without running: shop.0002_next" in received.out
    assert ("inconclusive: migration-safety: no PostgreSQL" in received.err) is (
        migration is RENAME
    )
    assert Path("reports", "migration-safety.json").exists()
