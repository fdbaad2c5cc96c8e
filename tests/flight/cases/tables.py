"""Tables and views that are created, renamed and dropped."""

from tests.flight.cases.case import MARK, Case, one, ops, sql

UNSAFE = [
    one(
        "delete_and_create_again",
        'migrations.DeleteModel("order")',
        """migrations.CreateModel("Order", [
            ("id", models.BigAutoField(primary_key=True)),
            ("amount", models.IntegerField()),
        ])""",
        says="drops a table (shop_order)",
    ),
    one(
        "delete_and_create_again_marked",
        'migrations.DeleteModel("order")',
        """migrations.CreateModel("Order", [
            ("id", models.BigAutoField(primary_key=True)),
            ("amount", models.IntegerField()),
        ])""",
        head=MARK,
        says="loses all rows (shop_order)",
        hint="deletes_rows =",
    ),
    one(
        "rename_table",
        'migrations.RenameModel("customer", "client")',
        says="renames a table (shop_customer)",
    ),
    one("drop_table", 'migrations.DeleteModel("order")', says="drops a table"),
    one(
        "drop_view",
        sql("DROP VIEW shop_names", "CREATE VIEW shop_names AS SELECT word FROM shop_note"),
        says="drops a table (shop_names)",
    ),
    one(
        "sql_set_schema",
        sql(
            "CREATE SCHEMA shop; ALTER TABLE shop_order SET SCHEMA shop",
            "ALTER TABLE shop.shop_order SET SCHEMA public; DROP SCHEMA shop",
        ),
        says="renames a table (shop_order)",
    ),
    one(
        "order_with_respect_to",
        'migrations.AlterOrderWithRespectTo("pair", "odd")',
        says="adds a column that is NOT NULL",
        hint="`_order` can have none",
    ),
    one(
        "alter_model_table",
        'migrations.AlterModelTable("order", "sales")',
        says="renames a table (shop_order)",
    ),
    Case(
        "new_table_does_not_excuse_old_one",
        (
            ops('migrations.CreateModel("Log", [("id", models.BigAutoField(primary_key=True))])'),
            ops('migrations.AddIndex("order", models.Index(fields=["amount"], name="by_amount"))'),
        ),
        "creates an index while nothing can be written",
    ),
]
SAFE = [
    one("delete_model_step_2", 'migrations.DeleteModel("spare")', head=MARK),
    one(
        "rename_table_leave_view",
        sql(
            "ALTER TABLE shop_tag RENAME TO shop_label;"
            " CREATE VIEW shop_tag AS SELECT * FROM shop_label",
            "DROP VIEW shop_tag; ALTER TABLE shop_label RENAME TO shop_tag",
        ),
    ),
    Case(
        "new_table_and_all_with_it",
        (
            ops(
                """migrations.CreateModel("Address", [
                    ("id", models.BigAutoField(primary_key=True)),
                    ("customer", models.ForeignKey("shop.customer", models.CASCADE)),
                    ("street", models.CharField(max_length=90)),
                ])""",
                'migrations.AddIndex("address", models.Index(fields=["street"], name="by_street"))',
            ),
            ops(
                'migrations.RenameField("address", "street", "road")',
                'migrations.AddField("address", "x", models.PositiveIntegerField(default=3))',
                """migrations.AddConstraint(
                    "address", models.UniqueConstraint(fields=["road"], name="one_road")
                )""",
            ),
        ),
    ),
    one("add_m2m", 'migrations.AddField("order", "tags", models.ManyToManyField("shop.tag"))'),
]
