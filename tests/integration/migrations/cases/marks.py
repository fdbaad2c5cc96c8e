"""Marks, the way back, and migrations that cannot be applied."""

from tests.integration.migrations.cases.case import EMPTIES, MARK, NULLABLE, Case, one, sql

UNSAFE = [
    one("deletes_rows_for_nothing", NULLABLE, head=EMPTIES, message="removes nothing"),
    one(
        "reverse_leaves_something",
        sql("ALTER TABLE shop_order ADD COLUMN x int"),
        message="reversed, leaves a different schema: extra column shop_order.x: integer",
        hint="its reverse undo every change",
    ),
    one(
        "reverse_does_not_fit_rows",
        'migrations.RemoveField("order", "amount")',
        head=MARK,
        message="cannot be reversed: ",
        hint="a reverse that works with the rows",
    ),
    one(
        "mark_without_reason",
        'migrations.DeleteModel("pair")',
        head="contract = True",
        message="without a release and a reason",
    ),
    one(
        "mark_for_nothing",
        NULLABLE,
        head=MARK,
        message="is marked as contract, but removes nothing",
    ),
    one("no_reverse", "migrations.RunPython(noop)", message="cannot be reversed"),
    one(
        "fails_on_rows",
        sql("ALTER TABLE shop_order ADD COLUMN x int NOT NULL", "SELECT 1"),
        message="fails on tables with rows: IntegrityError",
        hint="[migrations.values]",
    ),
    one(
        "fails_on_many_rows",
        sql(
            "ALTER TABLE shop_order ADD CONSTRAINT few CHECK (number < 1500)",
            "ALTER TABLE shop_order DROP CONSTRAINT few",
        ),
        message="fails on tables with rows: IntegrityError",
    ),
    one("fails_at_all", sql("SELECT gone"), message="0002_fails_at_all.py:"),
]
SAFE: list[Case] = []
