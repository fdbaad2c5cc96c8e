"""Marks, the way back, and migrations that cannot be applied."""

from tests.integration.migrations.cases.case import EMPTIES, MARK, NULLABLE, Case, one, sql

UNSAFE = [
    one("deletes_rows_for_nothing", NULLABLE, head=EMPTIES, says="takes nothing away"),
    one(
        "reverse_leaves_something",
        sql("ALTER TABLE shop_order ADD COLUMN x int"),
        says="taken back, leaves another schema: with column shop_order.x: integer",
        hint="its reverse undoes it all",
    ),
    one(
        "reverse_does_not_fit_rows",
        'migrations.RemoveField("order", "amount")',
        head=MARK,
        says="cannot be taken back: ",
        hint="a reverse that fits the rows",
    ),
    one(
        "mark_without_reason",
        'migrations.DeleteModel("pair")',
        head="contract = True",
        says="does not say who",
    ),
    one("mark_for_nothing", NULLABLE, head=MARK, says="is marked as contract, but takes nothing"),
    one("no_reverse", "migrations.RunPython(noop)", says="cannot be taken back"),
    one(
        "fails_on_rows",
        sql("ALTER TABLE shop_order ADD COLUMN x int NOT NULL", "SELECT 1"),
        says="fails where there are rows: IntegrityError",
        hint="[migrations.values]",
    ),
    one(
        "fails_on_many_rows",
        sql(
            "ALTER TABLE shop_order ADD CONSTRAINT few CHECK (number < 1500)",
            "ALTER TABLE shop_order DROP CONSTRAINT few",
        ),
        says="fails where there are rows: IntegrityError",
    ),
    one("fails_at_all", sql("SELECT gone"), says="0002_fails_at_all.py:"),
]
SAFE: list[Case] = []
