"""What is found in what a migration sent and changed, and what is not held against it."""

from pathlib import Path
from typing import Any

import pytest

from pipeline.checks.migrations.django_runner.types import is_lossless, is_widening
from pipeline.checks.migrations.evaluation import (
    Limits,
    failed_migration,
    idempotency_problems,
    lint_problems,
    locking_problems,
)
from pipeline.checks.migrations.records import (
    Change,
    Emptied,
    LockRecord,
    MigrationRecord,
    Rebuilt,
    RepeatResult,
    Scan,
    Sent,
    records_from_json,
    records_to_json,
)
from pipeline.checks.migrations.squawk import lint
from pipeline.checks.migrations.squawk_filter import filter_findings, safe_alternative
from pipeline.checks.migrations.squawk_rules import LOSSES
from pipeline.errors import CheckFailedError

LIMITS = Limits(rows=1000, seconds=1)
SCAN = Scan("shop_order", 1000, "shop_order", "AccessExclusiveLock")
FOUND = {
    'CREATE UNIQUE INDEX "i" ON "shop_order" ("a");': "require-concurrent-index-creation",
    "create index i\n  on shop_order (a)": "require-concurrent-index-creation",
    'DROP INDEX "i";': "require-concurrent-index-deletion",
    "REINDEX TABLE shop_order": "require-concurrent-reindex",
    'ALTER TABLE "shop_order" ADD CONSTRAINT "u" UNIQUE ("a");': "disallowed-unique-constraint",
    'ALTER TABLE "shop_order" ADD CONSTRAINT "c" CHECK ("a" > 0);': "constraint-missing-not-valid",
    "alter table shop_order\n  add constraint c\n  check (a > 0) -- why": (
        "constraint-missing-not-valid"
    ),
    'ALTER TABLE "shop_order" ADD CONSTRAINT "f" FOREIGN KEY ("a") REFERENCES "b" ("id");': (
        "adding-foreign-key-constraint"
    ),
}
HARMLESS = [
    "",
    "-- Raw Python operation",
    'ALTER TABLE "shop_order" ADD COLUMN "x" integer NULL;',
    'CREATE INDEX CONCURRENTLY "i" ON "shop_order" ("a");',
    'ALTER TABLE "shop_order" ADD CONSTRAINT "c" CHECK ("a" > 0) NOT VALID;',
    'ALTER TABLE "shop_order" ALTER COLUMN "a" DROP NOT NULL;',
]


def sent(sql: str, **facts: Any) -> Sent:  # noqa: ANN401
    """Return a statement for which rows were read, outside of any transaction."""
    return Sent(sql, "shop/0002.py:7", scans=(SCAN,))._replace(**facts)


def record(*statements: Sent, **facts: Any) -> MigrationRecord:  # noqa: ANN401
    return MigrationRecord("shop.0002", sent=statements, **facts)


def rules(*statements: Sent) -> list[str]:
    return [opinion.rule for opinion in filter_findings(lint([record(*statements)]))]


def messages(*records: MigrationRecord) -> str:
    return "\n".join(fault.message for fault in lint_problems(records))


@pytest.mark.parametrize("statement", FOUND)
def test_a_statement_that_is_dangerous_breaks_one_rule(statement: str) -> None:
    assert rules(sent(statement)) == [FOUND[statement]]


@pytest.mark.parametrize("sql", HARMLESS)
def test_a_statement_that_is_harmless_breaks_none(sql: str) -> None:
    assert rules(sent(sql)) == []


@pytest.mark.parametrize("statement", FOUND)
@pytest.mark.parametrize("about", ["new", "nothing"])
def test_what_no_release_uses_may_be_locked(statement: str, about: str) -> None:
    assert rules(sent(statement, about=about)) == []


def test_what_read_no_row_broke_no_rule_unless_there_was_none() -> None:
    reference = "ALTER TABLE a ADD COLUMN b bigint REFERENCES c (id)"
    assert rules(sent(reference)) == ["adding-foreign-key-constraint"]
    assert rules(sent(reference, scans=())) == []
    assert rules(sent(reference, scans=(), about="empty")) == ["adding-foreign-key-constraint"]


def test_transactions_are_those_of_the_migration() -> None:
    added = "ALTER TABLE a ADD CONSTRAINT c CHECK (b > 0) NOT VALID"
    validated = "ALTER TABLE a VALIDATE CONSTRAINT c"
    assert rules(sent(added), sent(validated)) == []
    assert rules(sent(added, transaction=1), sent(validated, transaction=2)) == []
    one = [sent(each, transaction=1) for each in (added, validated)]
    assert rules(*one) == ["constraint-missing-not-valid"]


def test_a_configuration_above_the_checkout_does_not_matter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rule = "adding-foreign-key-constraint"
    (tmp_path / ".squawk.toml").write_text(f'excluded_rules = ["{rule}"]\n')
    (tmp_path / "checkout").mkdir()
    monkeypatch.chdir(tmp_path / "checkout")
    assert rules(sent("ALTER TABLE a ADD COLUMN b bigint REFERENCES c (id)")) == [rule]


def test_sql_that_cannot_be_linted_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.checks.migrations.squawk.SQUAWK", ("false",))
    with pytest.raises(CheckFailedError, match="squawk cannot read these migrations"):
        lint([record(sent("SELECT 1"))])


@pytest.mark.parametrize(
    ("before", "after", "wider"),
    [
        ("character varying(50)", "character varying(60)", True),
        ("character varying(50)", "text", True),
        ("text", "character varying", True),
        ("character varying(50)", "character varying(40)", False),
        ("text", "character varying(40)", False),
        ("numeric(5,2)", "numeric(7,2)", True),
        ("numeric(5,2)", "numeric(7,3)", False),
        ("integer", "bigint", False),
        ("integer", "text", False),
    ],
)
def test_a_type_that_takes_all_that_it_took_is_wider(
    before: str, after: str, *, wider: bool
) -> None:
    assert is_widening(before, after) is wider


@pytest.mark.parametrize(
    ("before", "after", "kept"),
    [
        ("character varying(50)", "text", True),
        ("integer", "bigint", True),
        ("uuid", "text", True),
        ("bigint", "integer", False),
        ("text", "character varying(40)", False),
        ("numeric(5,2)", "numeric(5,1)", False),
        ("timestamp with time zone", "date", False),
    ],
)
def test_a_type_keeps_values_or_loses_some(before: str, after: str, *, kept: bool) -> None:
    assert is_lossless(before, after) is kept


@pytest.mark.parametrize("rule", LOSSES)
def test_what_takes_something_away_needs_a_mark(rule: str) -> None:
    change = Change(rule, "shop_order.a", 'ALTER TABLE "shop_order" …')
    found = messages(record(changes=(change,)))
    assert found == f'{LOSSES[rule].message} (shop_order.a): ALTER TABLE "shop_order" …'
    assert messages(record(changes=(change,), contract="v2: nothing needs it")) == ""


def test_a_mark_forgives_no_lock_and_no_row() -> None:
    mark = {"contract": "v2: nothing needs it", "changes": (Change("ban-drop-column", "a.b"),)}
    for sql in FOUND:
        assert messages(record(sent(sql), **mark))
    assert "loses all rows" in messages(record(emptied=(Emptied("a", "", ""),), **mark))
    narrowed = Change("changing-column-type", "a.b", lossy=True)
    found = messages(record(changes=(narrowed,), contract="v2: nothing needs it"))
    assert found == "loses values (a.b)"


@pytest.mark.parametrize("name", ["contract", "deletes_rows"])
def test_a_mark_on_what_takes_nothing_away_is_wrong(name: str) -> None:
    assert f"is marked as {name}, but" in messages(record(**{name: "v2: nothing needs it"}))


def test_a_view_of_the_old_name_stands_in() -> None:
    assert messages(record(changes=(Change("renaming-table", "a", replaced=True),))) == ""


@pytest.mark.parametrize("mark", ["True", "", "v2", "v2:", "nothing needs it"])
def test_a_mark_names_a_release_and_says_why(mark: str) -> None:
    gone = (Change("ban-drop-table", "t"),)
    assert "without a release and a reason" in messages(record(changes=gone, contract=mark))


def test_a_column_that_is_only_hidden_still_takes_no_null() -> None:
    assert "new rows need a value" in messages(record(unfilled=("shop_order.number",)))


def test_what_fails_or_cannot_be_undone_is_named() -> None:
    found = messages(record(failure="it broke", irreversible=("Raw SQL operation",)))
    assert "cannot be reversed: Raw SQL operation" in found
    assert "fails on tables with rows: it broke" in found


@pytest.mark.parametrize(
    ("failure", "expected_message", "hint"),
    [
        ("OperationalError: deadlock detected", "deadlocks", "separate migrations"),
        (
            "OperationalError: canceling statement due to lock timeout",
            "exceeds its own lock timeout",
            "raise the lock timeout",
        ),
        (
            "OperationalError: could not obtain lock on row",
            "gets no lock with NOWAIT",
            "lock_timeout",
        ),
        ("DataError: integer out of range", "fails on tables with rows", "with any rows"),
    ],
)
def test_a_failure_is_blamed_on_rows_or_on_others(
    failure: str, expected_message: str, hint: str
) -> None:
    (fault,) = failed_migration([record(failure=failure)])
    assert expected_message in fault.message
    assert fault.message.endswith(f": {failure}")
    assert hint in fault.hint


def test_only_what_is_different_the_second_time_is_named() -> None:
    repeats = (
        RepeatResult("Fill", changed=True, fault=""),
        RepeatResult("Add", changed=True, fault="fails"),
    )
    (fault,) = idempotency_problems([record(repeats=repeats)])
    assert fault.message == "is not idempotent: run a second time, `Add` fails"


def test_locks_that_keep_nobody_out_may_be_held_for_long() -> None:
    locks = (
        LockRecord("shop_order", "RowExclusiveLock", 9),
        LockRecord("shop_order", "ShareLock", 1.5),
    )
    made = record(locks=locks)
    (fault,) = locking_problems([made], {}, LIMITS)
    assert fault.message == (
        "keeps shop_order locked (ShareLock) for 1.5 s with 1,000 rows (limit 1 s)"
    )


def test_a_long_wait_is_named() -> None:
    (fault,) = locking_problems([record()], {"shop.0002": 2.5}, LIMITS)
    assert "blocks reads or writes for 2.5 s" in fault.message


WORK = {
    "a table": (
        sent("ALTER TABLE a …", scans=(), rebuilt=(Rebuilt("a", "a", "AccessExclusiveLock"),)),
        "rewrites a under AccessExclusiveLock",
    ),
    "an index": (
        sent("ALTER TABLE a …", rebuilt=(Rebuilt("i", "a", "ShareLock"),), scans=()),
        "builds the index i of a under ShareLock",
    ),
    "rows": (
        sent("ALTER TABLE shop_order …"),
        "reads or writes 1,000 rows of shop_order under AccessExclusiveLock",
    ),
    "rows of another table": (
        sent("UPDATE b …", scans=(Scan("b", 300, "a", "ShareLock"),)),
        "reads or writes 300 rows of b under ShareLock on a",
    ),
}


@pytest.mark.parametrize("name", WORK)
def test_what_grows_with_a_table_is_named_however_fast_it_was(name: str) -> None:
    statement, message = WORK[name]
    made = record(statement._replace(seconds=0.02))
    (fault,) = locking_problems([made], {}, LIMITS)
    assert fault.message == f"{message}, for about 20.0 s with a million rows: {statement.sql}"
    assert fault.where == "shop/0002.py:7"
    assert not list(locking_problems([made], {}, LIMITS, {("shop.0002", statement.sql)}))


@pytest.mark.parametrize(
    ("sql", "hint"),
    [
        ("ALTER TABLE a ADD CONSTRAINT e EXCLUDE USING gist (b WITH &&)", "no safe form"),
        ("cluster a using b", "leave it out"),
        ("VACUUM FULL a", "leave it out"),
        ("ALTER TABLE a ADD COLUMN b int GENERATED ALWAYS AS (c * 2) STORED", "plain nullable"),
        ("alter table a\n add column b int\n check (b > 0)", "CHECK with NOT VALID"),
        ('ALTER TABLE a ALTER COLUMN "b" SET NOT NULL', "Q(b__isnull=False)"),
        ("UPDATE a SET b = 1", "a separate migration after this one"),
        ("CREATE INDEX i ON a (b)", "CREATE INDEX CONCURRENTLY first"),
        ("LOCK a", "a separate migration"),
    ],
)
def test_a_hint_can_be_followed(sql: str, hint: str) -> None:
    assert hint in safe_alternative(sql)


def test_records_are_read_as_they_were_written() -> None:
    made = record(
        sent("SELECT 1", rebuilt=(Rebuilt("i", "a", "ShareLock"),)),
        changes=(Change("ban-drop-table", "t"),),
        emptied=(Emptied("t", "TRUNCATE t", "shop/0002.py"),),
        repeats=(RepeatResult("Fill", changed=True, fault=""),),
        locks=(LockRecord("a", "ShareLock", 0.1),),
    )
    assert records_from_json(records_to_json([made])) == [made]
