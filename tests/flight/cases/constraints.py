"""Constraints that are added, validated and dropped."""

from tests.flight.cases.case import ALONE, Case, one, ops, sql

UNSAFE = [
    one(
        "sql_schema_qualified_check",
        sql("CREATE TABLE public.shop_log (id bigint)", "DROP TABLE public.shop_log"),
        sql(
            "ALTER TABLE public.shop_order ADD CONSTRAINT owed CHECK (amount > -1)",
            "ALTER TABLE shop_order DROP CONSTRAINT owed",
        ),
        says="adds a constraint and checks all rows",
    ),
    one(
        "add_unique_null",
        'migrations.AddField("order", "x", models.IntegerField(null=True, unique=True))',
        says="adds a unique constraint",
    ),
    one(
        "add_unique_constraint",
        """migrations.AddConstraint(
            "order", models.UniqueConstraint(fields=["number"], name="only_one")
        )""",
        says="adds a unique constraint while nothing can be read",
    ),
    one(
        "add_exclusion",
        sql(
            "ALTER TABLE shop_order ADD CONSTRAINT apart EXCLUDE USING gist"
            " (int8range(id, id, '[]') WITH &&)",
            "ALTER TABLE shop_order DROP CONSTRAINT apart",
        ),
        says="of shop_order anew under",
        hint="PostgreSQL has no other way for a table with rows",
    ),
    one(
        "add_fk",
        """migrations.AddField(
            "order", "customer", models.ForeignKey("shop.customer", models.CASCADE, null=True)
        )""",
        says="creates an index while nothing can be written",
        hint="db_index=False",
    ),
    one(
        "add_fk_constraint",
        sql(
            "ALTER TABLE shop_order ADD CONSTRAINT fk FOREIGN KEY (customer_number)"
            " REFERENCES shop_customer (id)",
            "ALTER TABLE shop_order DROP CONSTRAINT fk",
        ),
        says="adds a foreign key and checks all rows",
        hint="NOT VALID",
    ),
    one(
        "add_check",
        """migrations.AddConstraint(
            "customer", models.CheckConstraint(condition=~models.Q(nick=""), name="named")
        )""",
        says="adds a constraint and checks all rows",
        hint="AddConstraintNotValid",
    ),
    one(
        "check_in_one_transaction",
        """AddConstraintNotValid(
            "customer", models.CheckConstraint(condition=~models.Q(nick=""), name="named")
        )""",
        'ValidateConstraint("customer", name="named")',
        says='checks all rows while nothing can be read: ALTER TABLE "shop_customer" VALIDATE',
        hint="NOT VALID",
    ),
    one(
        "not_atomic_alter_then_check",
        sql(
            "alter table shop_customer add constraint named check (nick <> '')",
            "alter table shop_customer drop constraint named",
        ),
        head=ALONE,
        says="adds a constraint and checks all rows",
    ),
    one(
        "unique_together",
        'migrations.AlterUniqueTogether("order", {("amount", "number")})',
        says="adds a unique constraint",
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
        "check_one_migration_not_atomic",
        """AddConstraintNotValid(
            "customer", models.CheckConstraint(condition=~models.Q(nick=""), name="named")
        )""",
        'ValidateConstraint("customer", name="named")',
        head=ALONE,
    ),
    Case(
        "check_in_two_migrations",
        (
            ops(
                """AddConstraintNotValid(
                    "customer", models.CheckConstraint(condition=~models.Q(nick=""), name="named")
                )"""
            ),
            ops('ValidateConstraint("customer", name="named")'),
        ),
    ),
    one(
        "unique_using_index",
        """migrations.SeparateDatabaseAndState(
            [migrations.RunSQL(
                [
                    "CREATE UNIQUE INDEX CONCURRENTLY only_one ON shop_order (number)",
                    "ALTER TABLE shop_order ADD CONSTRAINT only_one UNIQUE USING INDEX only_one",
                ],
                "ALTER TABLE shop_order DROP CONSTRAINT only_one",
            )],
            [migrations.AddConstraint(
                "order", models.UniqueConstraint(fields=["number"], name="only_one")
            )],
        )""",
        head=ALONE,
    ),
    one("unique_false", 'migrations.AlterField("odd", "number", models.IntegerField())'),
    one("remove_check", 'migrations.RemoveConstraint("odd", "odd_named")'),
    one(
        "alter_constraint",
        """migrations.AlterConstraint("odd", "odd_named", models.CheckConstraint(
            condition=~models.Q(nick=""), name="odd_named", violation_error_message="no nick"
        ))""",
    ),
    one(
        "not_unique_together",
        'migrations.AlterUniqueTogether("odd", set())',
    ),
]
