"""Columns that get another type."""

from tests.integration.migrations.cases.case import MARK, alter, one, score, sql

UNSAFE = [
    one(
        "varchar_wider_checked",
        'migrations.AlterField("special", "nick", models.CharField(max_length=90))',
        message="rows of shop_special under AccessExclusiveLock",
    ),
    one(
        "varchar_wider_lower_index",
        'migrations.AlterField("special", "email", models.CharField(max_length=200, null=True))',
        message="builds the index special_mail of shop_special",
    ),
    one(
        "narrowed_marked",
        score("max_digits=4, decimal_places=1"),
        head=MARK,
        message="loses values (shop_customer.score)",
        hint="deletes_rows =",
    ),
    one(
        "change_type",
        'migrations.AlterField("order", "amount", models.TextField())',
        message="changes the type of a column (shop_order.amount)",
        hint='1. ALTER TABLE "shop_order" ADD COLUMN "amount_new" text',
    ),
    one(
        "change_type_marked",
        'migrations.AlterField("order", "amount", models.BigIntegerField())',
        head=MARK,
        message="rewrites shop_order under AccessExclusiveLock",
    ),
    one(
        "collation_indexed",
        'migrations.AlterField("special", "plain", models.CharField(max_length=20, db_collation="C"))',
        message="of shop_special under AccessExclusiveLock",
    ),
    one(
        "varchar_shorter",
        alter("order", "note", "models.CharField(max_length=20, null=True)"),
        message="changes the type of a column (shop_order.note)",
    ),
    one(
        "date_of_datetime",
        alter("customer", "joined", "models.DateField(null=True)"),
        message="changes the type of a column (shop_customer.joined)",
    ),
    one(
        "number_to_varchar",
        alter("customer", "age", "models.CharField(max_length=10, null=True)"),
        message="changes the type of a column (shop_customer.age)",
    ),
    one(
        "number_to_bigint",
        alter("order", "amount", "models.BigIntegerField()"),
        message="changes the type of a column (shop_order.amount)",
    ),
    one(
        "id_to_bigint",
        alter("writer", "id", "models.BigAutoField(primary_key=True)"),
        message="rewrites shop_writer under AccessExclusiveLock",
    ),
    one(
        "numeric_other_scale",
        score("max_digits=9, decimal_places=4"),
        message="rewrites shop_customer under AccessExclusiveLock",
    ),
    one(
        "to_positive",
        alter("order", "amount", "models.PositiveIntegerField()"),
        message="adds a constraint and checks all rows",
        hint="NOT VALID",
    ),
    one(
        "sql_other_time_zone",
        sql(
            "ALTER TABLE shop_customer ALTER joined TYPE timestamp",
            "ALTER TABLE shop_customer ALTER joined TYPE timestamptz",
        ),
        message="changes the type of a column (shop_customer.joined)",
    ),
    one(
        "sql_text_to_jsonb",
        sql(
            "ALTER TABLE shop_raw ALTER free TYPE jsonb USING to_jsonb(free)",
            "ALTER TABLE shop_raw ALTER free TYPE text",
        ),
        message="changes the type of a column (shop_raw.free)",
    ),
    one(
        "sql_rename_enum_value",
        sql(
            "ALTER TYPE shop_state RENAME VALUE 'paid' TO 'done'",
            "ALTER TYPE shop_state RENAME VALUE 'done' TO 'paid'",
        ),
        message="changes the type of a column (shop_raw.state)",
    ),
    one(
        "sql_domain_gets_check",
        sql(
            "ALTER DOMAIN shop_code ADD CONSTRAINT coded CHECK (VALUE <> '')",
            "ALTER DOMAIN shop_code DROP CONSTRAINT coded",
        ),
        message="rows of shop_raw under ShareLock",
        hint="NOT VALID",
    ),
    one(
        "sql_to_domain_with_check",
        sql(
            "CREATE DOMAIN shop_free AS text CHECK (VALUE <> '');"
            " ALTER TABLE shop_raw ALTER free TYPE shop_free",
            "ALTER TABLE shop_raw ALTER free TYPE text; DROP DOMAIN shop_free",
        ),
        message="changes the type of a column (shop_raw.free)",
    ),
]
SAFE = [
    one(
        "varchar_wider",
        'migrations.AlterField("customer", "nick", models.CharField(max_length=90))',
    ),
    one(
        "varchar_wider_indexed",
        'migrations.AlterField("special", "plain", models.CharField(max_length=90))',
    ),
    one("varchar_to_text", 'migrations.AlterField("customer", "nick", models.TextField())'),
    one(
        "numeric_wider",
        score("max_digits=9, decimal_places=2"),
    ),
    one(
        "collation_no_index",
        """migrations.AlterField("order", "note", models.CharField(
            max_length=50, null=True, db_collation="C"
        ))""",
    ),
    one("positive_to_number", alter("item", "stock", "models.IntegerField()")),
    one(
        "numeric_without_size",
        sql(
            "ALTER TABLE shop_customer ALTER score TYPE numeric",
            "ALTER TABLE shop_customer ALTER score TYPE numeric(5, 2)",
        ),
    ),
    one(
        "sql_text_to_varchar",
        sql(
            "ALTER TABLE shop_raw ALTER free TYPE varchar",
            "ALTER TABLE shop_raw ALTER free TYPE text",
        ),
    ),
    one(
        "sql_cidr_to_inet",
        sql("ALTER TABLE shop_raw ALTER net TYPE inet", "ALTER TABLE shop_raw ALTER net TYPE cidr"),
    ),
    one(
        "sql_finer_time",
        sql(
            "ALTER TABLE shop_raw ALTER at TYPE timestamp(6)",
            "ALTER TABLE shop_raw ALTER at TYPE timestamp(3)",
        ),
    ),
    one(
        "sql_add_enum_value",
        sql("ALTER TYPE shop_state ADD VALUE IF NOT EXISTS 'sent' BEFORE 'paid'"),
    ),
    one(
        "sql_add_enum_value_last",
        sql("ALTER TYPE shop_state ADD VALUE IF NOT EXISTS 'sent'"),
        reason="in which order the values shall be is the application's",
    ),
    one(
        "sql_create_domain",
        sql("CREATE DOMAIN shop_free AS text CHECK (VALUE <> '')", "DROP DOMAIN shop_free"),
        reason="no table has a column of it",
    ),
    one(
        "sql_domain_gets_check_not_valid",
        sql(
            "ALTER DOMAIN shop_code ADD CONSTRAINT coded CHECK (VALUE <> '') NOT VALID",
            "ALTER DOMAIN shop_code DROP CONSTRAINT coded",
        ),
    ),
]
