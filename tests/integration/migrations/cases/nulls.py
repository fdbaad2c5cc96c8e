"""Columns that are never NULL any more, and those that may be."""

from tests.integration.migrations.cases.case import AGE, MARK, Case, alter, one, ops, python, sql

FILL = python('apps.get_model("shop", "Customer").objects.filter(age=None).update(age=0)')

UNSAFE = [
    Case(
        "set_not_null_marked_unchecked",
        (ops(FILL), ops(AGE, head=MARK)),
        message="under AccessExclusiveLock",
        hint="AddConstraintNotValid",
    ),
    one(
        "set_not_null_where_some_are",
        AGE,
        head=MARK,
        message="fails on tables with rows: IntegrityError",
        hint="[migrations.values]",
    ),
    one(
        "set_not_null",
        'migrations.AlterField("customer", "age", models.IntegerField(default=0))',
        message="makes a column NOT NULL (shop_customer.age)",
    ),
    Case(
        "python_sets_not_null",
        (
            ops(python('apps.get_model("shop", "Customer").objects.update(joined=timezone.now())')),
            ops(
                python(
                    'editor.execute("alter table shop_customer alter column nick set not null;'
                    ' alter table shop_customer alter column joined set not null")'
                ).replace(
                    "noop",
                    'lambda apps, editor: editor.execute("ALTER TABLE shop_customer ALTER joined'
                    ' DROP NOT NULL")',
                )
            ),
        ),
        message="makes a column NOT NULL (shop_customer.joined)",
    ),
    one(
        "remove_step_1_not_null",
        """migrations.SeparateDatabaseAndState(
            state_operations=[migrations.RemoveField("order", "number")]
        )""",
        message="removes shop_order.number from its model, but new rows need a value",
        hint="drop NOT NULL or set a default",
    ),
    one(
        "set_not_null_default_kept",
        alter("customer", "age", "models.IntegerField(default=0)"),
        sql("ALTER TABLE shop_customer ALTER COLUMN age SET DEFAULT 0"),
        message="under AccessExclusiveLock",
        hint="AddConstraintNotValid",
        reason="old code that saves None is refused, and all rows are read under the lock",
    ),
    one(
        "set_not_null_db_default",
        alter("customer", "age", "models.IntegerField(db_default=0)"),
        message="makes a column NOT NULL (shop_customer.age)",
    ),
    one(
        "sql_set_not_null",
        sql(
            "ALTER TABLE shop_customer ALTER age SET NOT NULL",
            "ALTER TABLE shop_customer ALTER age DROP NOT NULL",
        ),
        message="fails on tables with rows",
    ),
    one(
        "not_null_not_valid",
        sql(
            "ALTER TABLE shop_customer ADD CONSTRAINT aged NOT NULL age NOT VALID",
            "ALTER TABLE shop_customer DROP CONSTRAINT aged",
        ),
        message="makes a column NOT NULL (shop_customer.age)",
        reason="PostgreSQL 18 reads no row for it, but refuses what old code writes",
    ),
]
SAFE = [
    one(
        "drop_not_null", 'migrations.AlterField("order", "amount", models.IntegerField(null=True))'
    ),
    one(
        "set_not_null_after_check",
        'migrations.AlterField("special", "sure", models.IntegerField())',
        head=MARK,
    ),
    one(
        "not_null_not_valid_marked",
        sql(
            "ALTER TABLE shop_customer ADD CONSTRAINT aged NOT NULL age NOT VALID",
            "ALTER TABLE shop_customer DROP CONSTRAINT aged",
        ),
        head=MARK,
    ),
    Case(
        "not_null_in_steps",
        (
            ops(
                python('apps.get_model("shop", "Customer").objects.filter(age=None).update(age=0)')
            ),
            ops(
                """AddConstraintNotValid("customer", models.CheckConstraint(
                    condition=models.Q(age__isnull=False), name="aged"
                ))"""
            ),
            ops('ValidateConstraint("customer", name="aged")'),
            ops(AGE, 'migrations.RemoveConstraint("customer", "aged")', head=MARK),
        ),
    ),
]
