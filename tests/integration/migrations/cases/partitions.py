"""Partitions, schemas and sequences."""

from tests.integration.migrations.cases.case import ALONE, one, sql

UNSAFE = [
    one(
        "sql_set_schema",
        sql(
            "CREATE SCHEMA shop; ALTER TABLE shop_order SET SCHEMA shop",
            "ALTER TABLE shop.shop_order SET SCHEMA public; DROP SCHEMA shop",
        ),
        message="renames a table (shop_order)",
    ),
    one(
        "sql_rename_schema",
        sql("ALTER SCHEMA store RENAME TO storage", "ALTER SCHEMA storage RENAME TO store"),
        message="renames a table (store.bin)",
    ),
    one(
        "sql_drop_schema",
        sql(
            "DROP SCHEMA store CASCADE",
            "CREATE SCHEMA store; CREATE TABLE store.bin (id bigint PRIMARY KEY, place int)",
        ),
        message="drops a table (store.bin)",
    ),
    one(
        "sql_drop_sequence",
        sql("DROP SEQUENCE shop_numbers", "CREATE SEQUENCE shop_numbers"),
        message="drops a table (shop_numbers)",
        reason="as a table: the release before may take numbers of it",
    ),
    one(
        "sql_detach_partition",
        sql(
            "ALTER TABLE shop_day DETACH PARTITION shop_day1",
            "ALTER TABLE shop_day ATTACH PARTITION shop_day1"
            " FOR VALUES FROM ('2040-01-01') TO ('2040-02-01')",
        ),
        message="detaches a partition while reads and writes are blocked",
        hint="DETACH PARTITION … CONCURRENTLY",
    ),
    one(
        "sql_drop_partition",
        sql(
            "DROP TABLE shop_day1",
            "CREATE TABLE shop_day1 PARTITION OF shop_day"
            " FOR VALUES FROM ('2040-01-01') TO ('2040-02-01')",
        ),
        message="drops a table (shop_day1)",
    ),
    one(
        "sql_attach_partition",
        sql(
            "ALTER TABLE shop_day ATTACH PARTITION shop_day3"
            " FOR VALUES FROM ('2000-01-01') TO ('2040-01-01')",
            "ALTER TABLE shop_day DETACH PARTITION shop_day3",
        ),
        message="rows of shop_day3 under AccessExclusiveLock",
    ),
    one(
        "sql_drop_database",
        sql("DROP DATABASE IF EXISTS shop_of_old"),
        head=ALONE,
        message="drops a database",
    ),
]
SAFE = [
    one("sql_create_sequence", sql("CREATE SEQUENCE shop_more", "DROP SEQUENCE shop_more")),
    one(
        "sql_create_partition",
        sql(
            "CREATE TABLE shop_day4 PARTITION OF shop_day"
            " FOR VALUES FROM ('2040-03-01') TO ('2040-04-01')",
            "DROP TABLE shop_day4",
        ),
    ),
    one(
        "sql_detach_partition_concurrently",
        sql(
            "ALTER TABLE shop_day DETACH PARTITION shop_day1 CONCURRENTLY",
            "ALTER TABLE shop_day ATTACH PARTITION shop_day1"
            " FOR VALUES FROM ('2040-01-01') TO ('2040-02-01');"
            " ALTER TABLE shop_day1 DROP CONSTRAINT shop_day1_day_check",
        ),
        head=ALONE,
        reason="whether the release before needs its rows is not seen in the schema",
    ),
]
