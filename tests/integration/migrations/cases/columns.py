"""Columns that are changed, renamed and taken away."""

from tests.integration.migrations.cases.case import MARK, alter, one, sql

UNSAFE = [
    one(
        "rename_column",
        'migrations.RenameField("customer", "nick", "name")',
        message="renames a column (shop_customer.nick)",
        hint='1. ALTER TABLE "shop_customer" ADD COLUMN "name" character varying(50)',
    ),
    one(
        "rename_lower_case",
        sql(
            "alter table shop_customer\n  rename column nick\n  to name",
            "alter table shop_customer rename name to nick",
        ),
        message="renames a column (shop_customer.nick)",
    ),
    one(
        "drop_column",
        'migrations.RemoveField("customer", "age")',
        message="drops a column",
        hint='1. ALTER TABLE "shop_customer" ALTER COLUMN "age" DROP NOT NULL',
    ),
    one(
        "db_default_removed",
        'migrations.AlterField("special", "kept", models.IntegerField())',
        message="drops the default of a column (shop_special.kept)",
    ),
    one(
        "rename_column_by_db_column",
        alter("customer", "nick", 'models.CharField(max_length=50, db_column="name")'),
        message="renames a column (shop_customer.nick)",
    ),
    one(
        "remove_foreign_key",
        'migrations.RemoveField("pair", "special")',
        message="drops a column (shop_pair.special_id)",
    ),
    one(
        "remove_many_to_many",
        'migrations.RemoveField("customer", "tags")',
        message="drops a table (shop_customer_tags)",
        hint="contract =",
    ),
    one(
        "sql_drop_column_cascade",
        sql("ALTER TABLE shop_note DROP COLUMN word CASCADE", "SELECT 1"),
        message="drops a table (shop_names)",
    ),
]
SAFE = [
    one(
        "alter_default", 'migrations.AlterField("order", "amount", models.IntegerField(default=3))'
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
    one(
        "swap_default_in_one_transaction",
        sql(
            "ALTER TABLE shop_special ALTER kept DROP DEFAULT;"
            " ALTER TABLE shop_special ALTER kept SET DEFAULT 4",
            "ALTER TABLE shop_special ALTER kept SET DEFAULT 3",
        ),
    ),
    one("set_db_default", alter("order", "amount", "models.IntegerField(db_default=3)")),
    one("change_db_default", alter("special", "kept", "models.IntegerField(db_default=4)")),
    one(
        "sql_set_default",
        sql(
            "ALTER TABLE shop_order ALTER amount SET DEFAULT 3",
            "ALTER TABLE shop_order ALTER amount DROP DEFAULT",
        ),
    ),
    one(
        "rename_field_keep_column",
        alter("customer", "nick", 'models.CharField(max_length=50, db_column="nick")'),
        'migrations.RenameField("customer", "nick", "name")',
    ),
    one(
        "rename_column_leave_view",
        sql(
            "ALTER TABLE shop_tag RENAME COLUMN name TO title;"
            " ALTER TABLE shop_tag RENAME TO shop_label;"
            " CREATE VIEW shop_tag AS SELECT id, title AS name FROM shop_label",
            "DROP VIEW shop_tag; ALTER TABLE shop_label RENAME TO shop_tag;"
            " ALTER TABLE shop_tag RENAME COLUMN title TO name",
        ),
    ),
    one(
        "remove_many_to_many_marked",
        'migrations.RemoveField("customer", "tags")',
        head=MARK,
    ),
]
