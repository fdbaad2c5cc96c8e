"""Unique constraints and primary keys."""

from tests.integration.migrations.cases.case import (
    ALONE,
    INDEX,
    UNIQUE,
    alter,
    constraint,
    one,
    sql,
)

UNSAFE = [
    one(
        "add_unique_null",
        'migrations.AddField("order", "x", models.IntegerField(null=True, unique=True))',
        message="adds a unique constraint",
    ),
    one(
        "add_unique_constraint",
        """migrations.AddConstraint(
            "order", models.UniqueConstraint(fields=["number"], name="only_one")
        )""",
        message="adds a unique constraint while reads and writes are blocked",
    ),
    one(
        "unique_together",
        'migrations.AlterUniqueTogether("order", {("amount", "number")})',
        message="adds a unique constraint",
    ),
    one(
        "set_unique",
        alter("order", "number", "models.IntegerField(unique=True)"),
        message="adds a unique constraint",
        hint="USING INDEX",
    ),
    *(
        one(
            f"unique_{kind}",
            constraint("order", f'models.UniqueConstraint({how}, name="only_one")'),
            message=message,
        )
        for kind, how, message in (
            ("deferrable", 'fields=["number"], deferrable=models.Deferrable.DEFERRED', UNIQUE),
            ("nulls_not_distinct", 'fields=["number"], nulls_distinct=False', UNIQUE),
            ("with_more", 'fields=["number"], include=["amount"]', INDEX),
            ("where", 'fields=["number"], condition=models.Q(amount__gt=0)', INDEX),
            ("on_expression", 'Lower("note"), "number"', INDEX),
        )
    ),
    one(
        "sql_add_primary_key",
        sql(
            "ALTER TABLE shop_raw ADD CONSTRAINT raw_key PRIMARY KEY (id)",
            "ALTER TABLE shop_raw DROP CONSTRAINT raw_key",
        ),
        message="builds the index raw_key of shop_raw under AccessExclusiveLock",
        hint="CREATE INDEX CONCURRENTLY first",
    ),
]
SAFE = [
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
    one("unique_false", 'migrations.AlterField("special", "number", models.IntegerField())'),
    one(
        "not_unique_together",
        'migrations.AlterUniqueTogether("special", set())',
    ),
    one(
        "primary_key_using_index",
        sql("CREATE UNIQUE INDEX CONCURRENTLY raw_key ON shop_raw (id)", "SELECT 1"),
        sql(
            "ALTER TABLE shop_raw ADD CONSTRAINT raw_key PRIMARY KEY USING INDEX raw_key",
            "ALTER TABLE shop_raw DROP CONSTRAINT raw_key",
        ),
        head=ALONE,
    ),
    one("drop_unique", 'migrations.RemoveConstraint("slot", "slot_room")'),
    one(
        "drop_primary_key",
        sql(
            "ALTER TABLE shop_spare DROP CONSTRAINT shop_spare_pkey",
            "ALTER TABLE shop_spare ADD CONSTRAINT shop_spare_pkey PRIMARY KEY (id)",
        ),
        reason="no one waits for it; that no row is there twice is the application's then",
    ),
]
