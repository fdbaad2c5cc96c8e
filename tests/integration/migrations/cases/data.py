"""Rows that are filled, changed and lost."""

from tests.integration.migrations.cases.case import (
    AGE,
    ALONE,
    EMPTIES,
    MARK,
    NULLABLE,
    ORDERS,
    Case,
    add,
    one,
    ops,
    python,
    sql,
)

UNSAFE = [
    one(
        "backfill_with_alter",
        NULLABLE,
        python(f"{ORDERS}.update(x=1)"),
        message="rows of shop_order under AccessExclusiveLock",
        hint="a separate migration after this one",
    ),
    one(
        "backfill_with_alter_one_by_one",
        NULLABLE,
        python(f"[each.save() for each in {ORDERS}.iterator()]"),
        message="rows of shop_order under AccessExclusiveLock",
    ),
    one(
        "backfill_of_another_table",
        NULLABLE,
        python('apps.get_model("shop", "Customer").objects.update(age=1)'),
        message="rows of shop_customer under AccessExclusiveLock on shop_order",
    ),
    one("sql_truncate", sql("truncate\n shop_order"), message="loses all rows (shop_order)"),
    one("sql_delete_all", sql("DELETE FROM shop_order"), message="loses all rows (shop_order)"),
    one(
        "python_delete_all",
        python(f"{ORDERS}.all().delete()"),
        message="loses all rows (shop_order)",
        hint="deletes_rows =",
    ),
    one(
        "truncate_cascade",
        sql("TRUNCATE shop_special CASCADE"),
        message="loses all rows (shop_pair)",
    ),
    one(
        "data_twice_not_atomic",
        "migrations.RunPython(double, noop)",
        head=ALONE,
        message="run a second time, `Raw Python operation` changes shop_order again",
    ),
    one(
        "data_fails_twice",
        sql(
            "INSERT INTO shop_tag (id, name) VALUES (-1, 'x')", "DELETE FROM shop_tag WHERE id = -1"
        ),
        head=ALONE,
        message="is not idempotent: run a second time, `Raw SQL operation` fails: duplicate key",
    ),
    one(
        "commit_in_a_transaction",
        sql("UPDATE shop_order SET amount = 1 WHERE amount = 2"),
        sql("COMMIT"),
        sql("ALTER TABLE shop_order ADD COLUMN x int", "ALTER TABLE shop_order DROP COLUMN x"),
        message="ends the transaction of Django",
        hint="atomic = False",
    ),
    one(
        "transaction_left_open",
        sql("BEGIN; UPDATE shop_order SET amount = 7 WHERE amount <> 7"),
        head=ALONE,
        message="transaction_left_open",
    ),
    one(
        "python_imports_a_model_that_differs",
        'migrations.RemoveField("order", "amount")',
        python("__import__('importlib').import_module('shop.models').Order.objects.first()"),
        head=MARK,
        message="fails on tables with rows",
    ),
    one("sql_no_reverse", 'migrations.RunSQL("SELECT 1")', message="cannot be reversed"),
    one(
        "sql_sets_a_column_twice",
        sql("UPDATE shop_order SET amount = 1, amount = 2"),
        message="multiple assignments to same column",
    ),
    one(
        "lock_table_and_fill",
        sql("LOCK TABLE shop_order IN EXCLUSIVE MODE"),
        python(f"{ORDERS}.update(number=1)"),
        message="rows of shop_order under ExclusiveLock",
    ),
    one(
        "fill_and_forbid_null",
        python('apps.get_model("shop", "Customer").objects.filter(age=None).update(age=0)'),
        AGE,
        head=MARK,
        message="under AccessExclusiveLock",
    ),
    one(
        "fill_from_another_table",
        add("order", 'models.ForeignKey("shop.tag", models.CASCADE, null=True, db_index=False)'),
        sql("UPDATE shop_order SET x_id = shop_tag.id FROM shop_tag WHERE shop_tag.id = number"),
        message="under AccessExclusiveLock",
        hint="a separate migration after this one",
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
    one(
        "python_imports_a_model",
        python("__import__('importlib').import_module('shop.models').Order.objects.first()"),
        reason="it works in this release; of a later one, whose model differs, all migrations are"
        " tried again",
    ),
    one(
        "python_partial",
        "migrations.RunPython(partial(fill_ages, 3), partial(fill_ages, 4), elidable=True)",
        head="""
def fill_ages(age, apps, editor):
    apps.get_model("shop", "Customer").objects.filter(age=None).update(age=age)
""",
    ),
    one(
        "python_atomic_within_not_atomic",
        "migrations.RunPython(fill_ages, noop, atomic=True)",
        head=f"""{ALONE}
def fill_ages(apps, editor):
    apps.get_model("shop", "Customer").objects.filter(age=None).update(age=3)
""",
    ),
    one("sql_delete_marked", sql("DELETE FROM shop_order"), head=EMPTIES),
    Case(
        "fill_behind_alter",
        (ops(NULLABLE), ops(python(f"{ORDERS}.filter(x=None).update(x=1)"), head=ALONE)),
    ),
    one(
        "sql_with_values",
        """migrations.RunSQL(
            [("UPDATE shop_tag SET name = %s WHERE name = %s", ["new", "old"])], noop_sql
        )""",
    ),
    one(
        "sql_time_limits",
        sql("SET LOCAL lock_timeout = '2s'; SET LOCAL statement_timeout = '9min'"),
        NULLABLE,
    ),
]
