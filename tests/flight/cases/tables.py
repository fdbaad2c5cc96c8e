"""Tables and views that are created, renamed and dropped."""

from tests.flight.cases.case import MARK, Case, alter, one, ops, sql

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
    one(
        "sql_create_table_by_force",
        sql(
            "DROP TABLE IF EXISTS shop_spare CASCADE; CREATE TABLE shop_spare (id bigint)",
            "SELECT 1",
        ),
        says="drops a table (shop_spare)",
    ),
    one(
        "sql_drop_materialized_view",
        sql(
            "DROP MATERIALIZED VIEW shop_words",
            "CREATE MATERIALIZED VIEW shop_words AS SELECT id, word FROM shop_note;"
            " CREATE UNIQUE INDEX shop_words_id ON shop_words (id)",
        ),
        says="drops a table (shop_words)",
    ),
    one(
        "rename_many_to_many",
        alter("customer", "tags", 'models.ManyToManyField("shop.Tag", db_table="shop_tagged")'),
        says="renames a table (shop_customer_tags)",
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
    one(
        "sql_create_table",
        sql(
            "CREATE TABLE shop_log (id bigint PRIMARY KEY, at timestamptz NOT NULL,"
            " customer_id bigint REFERENCES shop_customer); CREATE INDEX ON shop_log (at)",
            "DROP TABLE shop_log",
        ),
    ),
    one(
        "sql_fill_new_table",
        sql("CREATE TABLE shop_copy AS SELECT id, amount FROM shop_order", "DROP TABLE shop_copy"),
        reason="the old table is read under no lock that keeps others out",
    ),
    one(
        "sql_views",
        sql(
            "CREATE VIEW shop_few AS SELECT id FROM shop_order;"
            " CREATE MATERIALIZED VIEW shop_sums AS SELECT sum(amount) FROM shop_order;"
            " CREATE OR REPLACE VIEW shop_names AS SELECT word, id FROM shop_note",
            "DROP VIEW shop_few; DROP MATERIALIZED VIEW shop_sums; DROP VIEW shop_names;"
            " CREATE VIEW shop_names AS SELECT word FROM shop_note",
        ),
    ),
    one(
        "rename_model_keep_table",
        'migrations.AlterModelTable("note", "shop_note")',
        'migrations.RenameModel("note", "remark")',
    ),
    one(
        "new_table_of_many_kinds",
        """migrations.CreateModel("Vip", [
            ("customer_ptr", models.OneToOneField(
                "shop.customer", models.CASCADE, parent_link=True, primary_key=True
            )),
            ("since", models.DateField(db_index=True)),
        ], bases=("shop.customer",))""",
        """migrations.CreateModel("Friend", [
            ("id", models.BigAutoField(primary_key=True)),
            ("vip", models.ForeignKey("shop.vip", models.CASCADE)),
            ("tag", models.ForeignKey("shop.tag", models.CASCADE)),
            ("rank", models.PositiveSmallIntegerField(default=0)),
        ])""",
        """migrations.AddField(
            "vip", "friends", models.ManyToManyField("shop.tag", through="shop.Friend")
        )""",
        'migrations.AlterOrderWithRespectTo("friend", "vip")',
        'migrations.AlterModelTable("friend", "shop_friends")',
    ),
    one(
        "models_without_tables",
        """migrations.CreateModel(
            "OldOrder", [], options={"proxy": True}, bases=("shop.order",)
        )""",
        """migrations.CreateModel("Foreign", [
            ("id", models.BigAutoField(primary_key=True)),
        ], options={"managed": False})""",
        'migrations.DeleteModel("foreign")',
    ),
]
