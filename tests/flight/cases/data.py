"""Rows that are filled, changed and lost."""

from tests.flight.cases.case import ALONE, EMPTIES, NULLABLE, ORDERS, one, python, sql

UNSAFE = [
    one(
        "backfill_with_alter",
        NULLABLE,
        python(f"{ORDERS}.update(x=1)"),
        says="rows of shop_order under AccessExclusiveLock",
        hint="a migration of its own behind this one",
    ),
    one(
        "backfill_with_alter_one_by_one",
        NULLABLE,
        python(f"[each.save() for each in {ORDERS}.iterator()]"),
        says="rows of shop_order under AccessExclusiveLock",
    ),
    one(
        "backfill_of_another_table",
        NULLABLE,
        python('apps.get_model("shop", "Customer").objects.update(age=1)'),
        says="rows of shop_customer under AccessExclusiveLock on shop_order",
    ),
    one("sql_truncate", sql("truncate\n shop_order"), says="loses all rows (shop_order)"),
    one("sql_delete_all", sql("DELETE FROM shop_order"), says="loses all rows (shop_order)"),
    one(
        "python_delete_all",
        python(f"{ORDERS}.all().delete()"),
        says="loses all rows (shop_order)",
        hint="deletes_rows =",
    ),
    one(
        "truncate_cascade",
        sql("TRUNCATE shop_odd CASCADE"),
        says="loses all rows (shop_pair)",
    ),
    one(
        "data_twice_not_atomic",
        "migrations.RunPython(double, noop)",
        head=ALONE,
        says="run a second time, `Raw Python operation` changes shop_order again",
    ),
    one(
        "data_fails_twice",
        sql(
            "INSERT INTO shop_tag (id, name) VALUES (-1, 'x')", "DELETE FROM shop_tag WHERE id = -1"
        ),
        head=ALONE,
        says="is not idempotent: run a second time, `Raw SQL operation` fails: duplicate key",
    ),
]
SAFE = [
    one("data_row_once", python('apps.get_model("shop", "Tag").objects.create(name="new")')),
    one("data_atomic", "migrations.RunPython(double, noop)"),
    one(
        "data_prints_dots",
        python('[print(".", end="") for _ in range(3)]'),
    ),
    one(
        "data_in_batches",
        "migrations.RunPython(fill_ages, noop)",
        head=f"""{ALONE}
def fill_ages(apps, editor):
    model = apps.get_model("shop", "Customer")
    while some := model.objects.filter(email=None).values("pk")[:300]:
        model.objects.filter(pk__in=some).update(email=models.F("nick"))
""",
    ),
    one("sql_truncate_marked", sql("TRUNCATE shop_order"), head=EMPTIES),
    one("sql_delete_some", sql("DELETE FROM shop_order WHERE id % 2 = 0")),
    one(
        "rolled_back_by_hand",
        "migrations.RunPython(try_and_leave, noop)",
        head=f"""{ALONE}
def try_and_leave(apps, editor):
    from django.db import transaction
    with transaction.atomic():
        editor.execute("ALTER TABLE shop_order DROP COLUMN number")
        transaction.set_rollback(True)
""",
    ),
    one(
        "separate_transactions_by_sql",
        sql("ALTER TABLE shop_order ADD COLUMN x int", "ALTER TABLE shop_order DROP COLUMN x"),
        sql("BEGIN; UPDATE shop_order SET x = 1 WHERE x IS NULL; COMMIT"),
        head=ALONE,
    ),
]
