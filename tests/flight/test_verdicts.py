"""What is found in the SQL of a migration, and what is not held against it."""

import pytest

from pipeline.errors import CheckFailedError
from pipeline.gates.flight.linter import lint
from pipeline.gates.flight.records import Lock, Record, Repeat, Retyped
from pipeline.gates.flight.relevance import relevant, widens
from pipeline.gates.flight.rules import RULES
from pipeline.gates.flight.verdicts import (
    Limits,
    of_what_they_do_twice,
    of_what_they_lock,
    of_what_they_say,
)

LIMITS = Limits(rows=1000, seconds=1)
TYPE = 'ALTER TABLE "shop_order" ALTER COLUMN "amount" TYPE '
FOUND = {
    'ALTER TABLE "shop_order" RENAME COLUMN "a" TO "b";': "renaming-column",
    'ALTER TABLE "shop_order" RENAME TO "shop_sale";': "renaming-table",
    'ALTER TABLE "shop_order" DROP COLUMN "a" CASCADE;': "ban-drop-column",
    'DROP TABLE "shop_order" CASCADE;': "ban-drop-table",
    'ALTER TABLE "shop_order" ALTER COLUMN "a" DROP DEFAULT;': "ban-drop-default",
    'ALTER TABLE "shop_order" ALTER COLUMN "a" SET NOT NULL;': "adding-not-nullable-field",
    'ALTER TABLE "shop_order" ADD COLUMN "x" integer NOT NULL;': "adding-required-field",
    'CREATE UNIQUE INDEX "i" ON "shop_order" ("a");': "require-concurrent-index-creation",
    'DROP INDEX "i";': "require-concurrent-index-deletion",
    'ALTER TABLE "shop_order" ADD CONSTRAINT "u" UNIQUE ("a");': "disallowed-unique-constraint",
    'ALTER TABLE "shop_order" ADD CONSTRAINT "c" CHECK ("a" > 0);': "constraint-missing-not-valid",
    'ALTER TABLE "shop_order" ADD CONSTRAINT "f" FOREIGN KEY ("a") REFERENCES "b" ("id");': (
        "adding-foreign-key-constraint"
    ),
}
HARMLESS = [
    "",
    "-- Raw Python operation",
    'ALTER TABLE "shop_order" ADD COLUMN "x" integer NULL;',
    'ALTER TABLE "shop_order" ADD COLUMN "x" integer DEFAULT 3 NOT NULL;',
    (
        'ALTER TABLE "shop_order" ADD COLUMN "x" integer DEFAULT 3 NULL;\n'
        'ALTER TABLE "shop_order" ALTER COLUMN "x" DROP DEFAULT;'
    ),
    (
        'ALTER TABLE "shop_order" ALTER COLUMN "x" SET DEFAULT 3;\n'
        'ALTER TABLE "shop_order" ALTER COLUMN "x" DROP DEFAULT;'
    ),
    'ALTER TABLE "shop_order" ADD COLUMN "b_id" bigint NULL CONSTRAINT "f" REFERENCES "b" ("id");',
    'CREATE INDEX CONCURRENTLY "i" ON "shop_order" ("a");',
    'ALTER TABLE "shop_order" ADD CONSTRAINT "c" CHECK ("a" > 0) NOT VALID;',
    'ALTER TABLE "shop_order" VALIDATE CONSTRAINT "c";',
    'ALTER TABLE "shop_order" ALTER COLUMN "a" DROP NOT NULL;',
    'BEGIN;\nCREATE TABLE "t" ("a" integer);\nCOMMIT;\nCREATE INDEX "i" ON "t" ("a");',
]


def rules(record: Record) -> list[str]:
    return [opinion.rule for opinion in relevant(record, lint([], record.sql))]


def messages(*records: Record) -> str:
    return "\n".join(fault.message for fault in of_what_they_say(records))


@pytest.mark.parametrize("statement", FOUND)
def test_a_statement_that_is_dangerous_breaks_one_rule(statement: str) -> None:
    assert rules(Record("shop.0002", statement)) == [FOUND[statement]]


@pytest.mark.parametrize("sql", HARMLESS)
def test_a_statement_that_is_harmless_breaks_none(sql: str) -> None:
    assert rules(Record("shop.0002", sql)) == []


def test_a_default_that_only_django_knows_is_none() -> None:
    sql = """
ALTER TABLE "shop_order" ADD COLUMN "x" integer DEFAULT 3 NOT NULL;
ALTER TABLE "shop_order" ALTER COLUMN "x" DROP DEFAULT;"""
    assert rules(Record("shop.0002", sql)) == ["adding-required-field"]


def test_a_table_of_an_earlier_new_migration_is_new_as_well() -> None:
    created = Record("shop.0002", 'BEGIN;\nCREATE TABLE "shop_new" ("a" integer);\nCOMMIT;')
    indexed = Record("shop.0003", 'BEGIN;\nCREATE INDEX "i" ON "shop_new" ("a");\nCOMMIT;')
    assert messages(created, indexed) == ""
    assert "creates an index" in messages(indexed)


@pytest.mark.parametrize(
    "change", ['RENAME COLUMN "a" TO "b"', 'DROP COLUMN "a"', 'ADD CONSTRAINT "u" UNIQUE ("a")']
)
def test_with_a_new_table_everything_may_be_done(change: str) -> None:
    created = Record("shop.0002", 'CREATE TABLE "shop_new" ("a" integer);')
    assert messages(created, Record("shop.0003", f'ALTER TABLE "shop_new" {change};')) == ""
    assert messages(created, Record("shop.0003", f'ALTER TABLE "shop_old" {change};'))


def test_a_constraint_is_validated_in_a_migration_of_its_own() -> None:
    added = 'ALTER TABLE "shop_order" ADD CONSTRAINT "c" CHECK ("a" > 0) NOT VALID;'
    validated = 'ALTER TABLE "shop_order" VALIDATE CONSTRAINT "c";'
    assert messages(Record("shop.0002", added), Record("shop.0003", validated)) == ""
    assert "adds a constraint" in messages(Record("shop.0002", f"{added}\n{validated}"))


def test_sql_that_cannot_be_linted_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.gates.flight.linter.SQUAWK", ("false",))
    with pytest.raises(CheckFailedError, match="squawk cannot read these migrations"):
        lint([], "SELECT 1")


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
    retyped = Retyped("shop_order.amount", before, after)
    assert widens(retyped) is wider
    found = rules(Record("shop.0002", f"{TYPE}{after};", retyped=(retyped,)))
    assert found == ([] if wider else ["changing-column-type"])


def test_what_takes_something_away_needs_a_mark_and_no_more() -> None:
    taken = [sql for sql, rule in FOUND.items() if RULES[rule].takes_away]
    mark = "v2: nobody needs it"
    for sql in FOUND:
        assert messages(Record("shop.0002", sql))
        marked = messages(Record("shop.0002", sql, contract=mark))
        assert marked == "" if sql in taken else "is marked as a contract" in marked


@pytest.mark.parametrize("mark", ["True", "", "v2", "v2:", "nobody needs it"])
def test_a_mark_names_a_release_and_says_why(mark: str) -> None:
    record = Record("shop.0002", 'DROP TABLE "t";', contract=mark)
    assert "does not say who stopped needing" in messages(record)


def test_what_fails_or_cannot_be_undone_is_named() -> None:
    record = Record("shop.0002", "", failure="it broke", irreversible=("Raw SQL operation",))
    assert "cannot be taken back: Raw SQL operation" in messages(record)
    assert "fails where there are rows: it broke" in messages(record)


def test_only_what_is_different_the_second_time_is_named() -> None:
    repeats = (Repeat("Fill", changed=True, fault=""), Repeat("Add", changed=True, fault="fails"))
    (fault,) = of_what_they_do_twice([Record("shop.0002", "", repeats=repeats)])
    assert fault.message == "is not idempotent: run a second time, `Add` fails"


def test_locks_that_keep_nobody_out_may_be_held_for_long() -> None:
    locks = (Lock("shop_order", "RowExclusiveLock", 9), Lock("shop_order", "ShareLock", 1.5))
    record = Record("shop.0002", "", locks=locks)
    (fault,) = of_what_they_lock([record], {}, LIMITS)
    assert fault.message == (
        "keeps shop_order locked (ShareLock) for 1.5 seconds with 1,000 rows; 1 are allowed"
    )


def test_whoever_waits_for_long_is_heard() -> None:
    (fault,) = of_what_they_lock([Record("shop.0002", "")], {"shop.0002": 2.5}, LIMITS)
    assert "wait for 2.5 seconds" in fault.message


def test_a_table_that_is_written_anew_is_named_however_fast_it_was() -> None:
    record = Record("shop.0002", "", rewritten=("shop_order",))
    (fault,) = of_what_they_lock([record], {}, LIMITS)
    assert fault.message.startswith("writes shop_order anew")
