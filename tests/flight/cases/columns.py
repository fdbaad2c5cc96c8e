"""Columns that are added, changed and taken away."""

from tests.flight.cases.case import AGE, MARK, NULLABLE, Case, one, ops, python, sql

UNSAFE = [
    one(
        "add_positive_null",
        'migrations.AddField("order", "x", models.PositiveIntegerField(null=True))',
        says="reads or writes 2,000 rows of shop_order under AccessExclusiveLock",
        hint="then the CHECK with NOT VALID",
    ),
    one(
        "set_not_null_marked_unchecked",
        AGE,
        head=MARK,
        says="under AccessExclusiveLock",
        hint="AddConstraintNotValid",
    ),
    one(
        "set_not_null",
        'migrations.AlterField("customer", "age", models.IntegerField(default=0))',
        says="forbids a column to be NULL (shop_customer.age)",
    ),
    one(
        "python_sets_not_null",
        python(
            'editor.execute("alter table shop_customer alter column nick set not null;'
            ' alter table shop_customer alter column joined set not null")'
        ).replace(
            "noop",
            'lambda apps, editor: editor.execute("ALTER TABLE shop_customer ALTER joined'
            ' DROP NOT NULL")',
        ),
        says="forbids a column to be NULL (shop_customer.joined)",
    ),
    one(
        "remove_step_1_not_null",
        """migrations.SeparateDatabaseAndState(
            state_operations=[migrations.RemoveField("order", "number")]
        )""",
        says="takes shop_order.number from its model, but new rows need a value",
        hint="let the column be NULL or give it a default",
    ),
    one(
        "rename_column",
        'migrations.RenameField("customer", "nick", "name")',
        says="renames a column (shop_customer.nick)",
    ),
    one(
        "rename_lower_case",
        sql(
            "alter table shop_customer\n  rename column nick\n  to name",
            "alter table shop_customer rename name to nick",
        ),
        says="renames a column (shop_customer.nick)",
    ),
    one("drop_column", 'migrations.RemoveField("customer", "age")', says="drops a column"),
    one(
        "add_not_null_default",
        'migrations.AddField("customer", "x", models.IntegerField(default=0))',
        says="adds a column that is NOT NULL and that the release before does not fill",
        hint="db_default",
    ),
    one(
        "db_default_removed",
        'migrations.AlterField("odd", "kept", models.IntegerField())',
        says="drops the default of a column (shop_odd.kept)",
    ),
    one(
        "add_db_default_uuid",
        """migrations.AddField("order", "x", models.UUIDField(
            db_default=models.Func(function="gen_random_uuid", output_field=models.UUIDField())
        ))""",
        says="writes shop_order anew under AccessExclusiveLock",
        hint="SET DEFAULT",
    ),
    one(
        "sql_add_serial",
        sql(
            "ALTER TABLE shop_order ADD COLUMN x bigserial", "ALTER TABLE shop_order DROP COLUMN x"
        ),
        says="writes shop_order anew",
    ),
    one(
        "sql_generated",
        sql(
            "ALTER TABLE shop_order ADD COLUMN x int GENERATED ALWAYS AS (amount * 2) STORED",
            "ALTER TABLE shop_order DROP COLUMN x",
        ),
        says="writes shop_order anew",
        hint="add a plain nullable column",
    ),
    Case(
        "new_column_gets_not_null",
        (ops(NULLABLE), ops('migrations.AlterField("order", "x", models.IntegerField(default=0))')),
        "adds a column that is NOT NULL and that the release before does not fill",
    ),
]
SAFE = [
    one("add_null", NULLABLE),
    one("add_db_default", 'migrations.AddField("order", "x", models.IntegerField(db_default=3))'),
    one(
        "add_null_default",
        'migrations.AddField("order", "x", models.IntegerField(null=True, default=3))',
    ),
    one(
        "add_now",
        """migrations.AddField("order", "x", models.DateTimeField(
            db_default=models.functions.Now()
        ))""",
    ),
    one(
        "drop_not_null", 'migrations.AlterField("order", "amount", models.IntegerField(null=True))'
    ),
    one(
        "alter_default", 'migrations.AlterField("order", "amount", models.IntegerField(default=3))'
    ),
    one(
        "add_default_kept_by_sql",
        'migrations.AddField("order", "x", models.BooleanField(default=False))',
        sql("ALTER TABLE shop_order ALTER COLUMN x SET DEFAULT false"),
    ),
    one(
        "set_not_null_after_check",
        'migrations.AlterField("odd", "sure", models.IntegerField())',
        head=MARK,
    ),
    one("drop_column_marked", 'migrations.RemoveField("customer", "age")', head=MARK),
    one(
        "remove_step_1",
        """migrations.SeparateDatabaseAndState(
            [migrations.RunSQL(
                "ALTER TABLE shop_order ALTER COLUMN number DROP NOT NULL",
                "ALTER TABLE shop_order ALTER COLUMN number SET NOT NULL",
            )],
            [migrations.RemoveField("order", "number")],
        )""",
    ),
    Case(
        "new_column_and_all_with_it",
        (
            ops(NULLABLE),
            ops('migrations.RenameField("order", "x", "y")'),
            ops('migrations.RemoveField("order", "y")'),
        ),
    ),
    one(
        "swap_default_in_one_transaction",
        sql(
            "ALTER TABLE shop_odd ALTER kept DROP DEFAULT;"
            " ALTER TABLE shop_odd ALTER kept SET DEFAULT 4",
            "ALTER TABLE shop_odd ALTER kept SET DEFAULT 3",
        ),
    ),
]
