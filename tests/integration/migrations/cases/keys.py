"""Foreign keys."""

from tests.integration.migrations.cases.case import UNIQUE, add, alter, one, sql

UNSAFE = [
    one(
        "add_fk",
        """migrations.AddField(
            "order", "customer", models.ForeignKey("shop.customer", models.CASCADE, null=True)
        )""",
        message="creates an index while writes are blocked",
        hint="db_index=False",
    ),
    one(
        "add_fk_constraint",
        sql(
            "ALTER TABLE shop_order ADD CONSTRAINT fk FOREIGN KEY (customer_number)"
            " REFERENCES shop_customer (id)",
            "ALTER TABLE shop_order DROP CONSTRAINT fk",
        ),
        message="adds a foreign key and checks all rows",
        hint="NOT VALID",
    ),
    one(
        "fk_gets_its_constraint",
        alter(
            "item",
            "note",
            'models.ForeignKey("shop.note", models.CASCADE, null=True, db_index=False)',
        ),
        message="fails on tables with rows: IntegrityError",
        reason="no constraint has kept the rows to those that there are",
    ),
    one(
        "add_one_to_one",
        add("order", 'models.OneToOneField("shop.customer", models.CASCADE, null=True)'),
        message=UNIQUE,
    ),
    one(
        "fk_to_one_to_one",
        alter("pair", "special", 'models.OneToOneField("shop.special", models.CASCADE, null=True)'),
        message="adds a unique constraint",
    ),
    one(
        "fk_to_another_table",
        alter("page", "writer", 'models.ForeignKey("shop.tag", models.CASCADE, null=True)'),
        message="changes the type of a column (shop_page.writer_id)",
    ),
    one(
        "fk_in_one_transaction",
        sql(
            "ALTER TABLE shop_raw ADD CONSTRAINT fk FOREIGN KEY (customer_id)"
            " REFERENCES shop_customer (id) NOT VALID",
            "ALTER TABLE shop_raw DROP CONSTRAINT fk",
        ),
        sql("ALTER TABLE shop_raw VALIDATE CONSTRAINT fk"),
        message="VALIDATE",
        hint="validate it in a separate migration",
    ),
    one(
        "add_fk_with_default",
        sql(
            "ALTER TABLE shop_order ADD COLUMN tag_id bigint DEFAULT 1 REFERENCES shop_tag (id)",
            "ALTER TABLE shop_order DROP COLUMN tag_id",
        ),
        message="adds a foreign key and checks all rows",
        reason="as the column has a value, all rows are checked",
    ),
]
SAFE = [
    one(
        "add_fk_no_index",
        """migrations.AddField("order", "customer", models.ForeignKey(
            "shop.customer", models.CASCADE, null=True, db_index=False
        ))""",
    ),
    one(
        "sql_add_fk_lines",
        sql(
            "alter table shop_order\n  add column customer_id bigint references shop_customer (id)",
            "ALTER TABLE shop_order DROP COLUMN customer_id",
        ),
    ),
    one(
        "fk_not_valid",
        sql(
            "ALTER TABLE shop_order ADD CONSTRAINT fk FOREIGN KEY (customer_number)"
            " REFERENCES shop_customer (id) NOT VALID",
            "ALTER TABLE shop_order DROP CONSTRAINT fk",
        ),
    ),
    one("validate_fk", sql("ALTER TABLE shop_raw VALIDATE CONSTRAINT raw_customer")),
    one(
        "drop_fk",
        alter(
            "pair",
            "special",
            """models.ForeignKey(
            "shop.special", models.CASCADE, null=True, db_constraint=False
        )""",
        ),
    ),
    one(
        "add_fk_bare",
        add(
            "order",
            """models.ForeignKey(
            "shop.customer", models.CASCADE, null=True, db_index=False, db_constraint=False
        )""",
        ),
    ),
]
