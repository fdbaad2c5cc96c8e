"""Checks and exclusion constraints."""

from tests.integration.migrations.cases.case import ALONE, Case, constraint, one, ops, sql

UNSAFE = [
    one(
        "sql_schema_qualified_check",
        sql("CREATE TABLE public.shop_log (id bigint)", "DROP TABLE public.shop_log"),
        sql(
            "ALTER TABLE public.shop_order ADD CONSTRAINT owed CHECK (amount > -1)",
            "ALTER TABLE shop_order DROP CONSTRAINT owed",
        ),
        message="adds a constraint and checks all rows",
    ),
    one(
        "add_exclusion",
        sql(
            "ALTER TABLE shop_order ADD CONSTRAINT apart EXCLUDE USING gist"
            " (int8range(id, id, '[]') WITH &&)",
            "ALTER TABLE shop_order DROP CONSTRAINT apart",
        ),
        message="of shop_order under",
        hint="PostgreSQL has no safe form for a table with rows",
    ),
    one(
        "add_check",
        """migrations.AddConstraint(
            "customer", models.CheckConstraint(condition=~models.Q(nick=""), name="named")
        )""",
        message="adds a constraint and checks all rows",
        hint="AddConstraintNotValid",
    ),
    one(
        "check_in_one_transaction",
        """AddConstraintNotValid(
            "customer", models.CheckConstraint(condition=~models.Q(nick=""), name="named")
        )""",
        'ValidateConstraint("customer", name="named")',
        message='checks all rows while reads and writes are blocked: ALTER TABLE "shop_customer" VALIDATE',
        hint="NOT VALID",
    ),
    one(
        "not_atomic_alter_then_check",
        sql(
            "alter table shop_customer add constraint named check (nick <> '')",
            "alter table shop_customer drop constraint named",
        ),
        head=ALONE,
        message="adds a constraint and checks all rows",
    ),
    one(
        "exclusion_constraint",
        constraint(
            "slot",
            """ExclusionConstraint(name="alone", expressions=[
                (models.Func("during", function="range_merge", template="%(expressions)s"), "&&"),
            ], condition=models.Q(room__gt=0))""",
        ),
        message="builds the index alone of shop_slot under AccessExclusiveLock",
        hint="PostgreSQL has no safe form for a table with rows",
    ),
    one(
        "sql_check_on_new_column",
        sql(
            "ALTER TABLE shop_order ADD COLUMN x int CHECK (x > 0)",
            "ALTER TABLE shop_order DROP COLUMN x",
        ),
        message="rows of shop_order under AccessExclusiveLock",
        hint="then the CHECK with NOT VALID",
    ),
]
SAFE = [
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
    one("remove_check", 'migrations.RemoveConstraint("special", "special_named")'),
    one(
        "alter_constraint",
        """migrations.AlterConstraint("special", "special_named", models.CheckConstraint(
            condition=~models.Q(nick=""), name="special_named", violation_error_message="no nick"
        ))""",
    ),
    one("validate_constraint", 'ValidateConstraint("note", name="note_worded")'),
    one("validate_check", sql("ALTER TABLE shop_raw VALIDATE CONSTRAINT raw_id")),
    one("drop_exclusion", 'migrations.RemoveConstraint("slot", "slot_apart")'),
    one(
        "sql_rename_constraint",
        sql(
            "ALTER TABLE shop_special RENAME CONSTRAINT special_named TO named",
            "ALTER TABLE shop_special RENAME CONSTRAINT named TO special_named",
        ),
    ),
    one(
        "check_not_valid_by_sql",
        sql(
            "ALTER TABLE shop_order ADD CONSTRAINT owed CHECK (amount > -1) NOT VALID",
            "ALTER TABLE shop_order DROP CONSTRAINT owed",
        ),
    ),
    one(
        "trigger",
        sql(
            "CREATE FUNCTION shop_stay() RETURNS trigger LANGUAGE plpgsql"
            " AS $$ BEGIN RETURN new; END $$;"
            " CREATE TRIGGER stay BEFORE UPDATE ON shop_order FOR EACH ROW EXECUTE FUNCTION"
            " shop_stay()",
            "DROP TRIGGER stay ON shop_order; DROP FUNCTION shop_stay()",
        ),
    ),
]
