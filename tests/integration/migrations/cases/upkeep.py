"""What is done to a table's files."""

from tests.integration.migrations.cases.case import ALONE, one, sql

UNSAFE = [
    one(
        "sql_cluster",
        sql("CLUSTER shop_order USING shop_order_pkey"),
        message="rewrites shop_order",
    ),
    one(
        "sql_vacuum_full",
        sql("VACUUM FULL shop_order"),
        head=ALONE,
        message="rewrites shop_order",
        hint="leave it out of migrations",
    ),
    one(
        "sql_unlogged",
        sql("ALTER TABLE shop_order SET UNLOGGED", "ALTER TABLE shop_order SET LOGGED"),
        message="rewrites shop_order",
    ),
    one(
        "sql_tablespace",
        sql(
            "ALTER TABLE shop_order SET TABLESPACE slow",
            "ALTER TABLE shop_order SET TABLESPACE pg_default",
        ),
        message="rewrites shop_order under AccessExclusiveLock",
    ),
    one(
        "sql_refresh_view",
        sql("REFRESH MATERIALIZED VIEW shop_words"),
        message="rows of shop_words under AccessExclusiveLock",
        hint="CONCURRENTLY",
    ),
]
SAFE = [
    one("sql_refresh_view_concurrently", sql("REFRESH MATERIALIZED VIEW CONCURRENTLY shop_words")),
    one("sql_analyze", sql("ANALYZE shop_order")),
    one("sql_vacuum", sql("VACUUM shop_order"), head=ALONE),
    one(
        "sql_settings_of_a_table",
        sql(
            "ALTER TABLE shop_order SET (fillfactor = 70), ALTER amount SET STATISTICS 500,"
            " ALTER note SET STORAGE EXTERNAL, DISABLE TRIGGER USER, ENABLE TRIGGER USER",
            "ALTER TABLE shop_order RESET (fillfactor), ALTER amount SET STATISTICS -1,"
            " ALTER note SET STORAGE EXTENDED",
        ),
    ),
    one(
        "sql_statistics",
        sql(
            "CREATE STATISTICS shop_both (dependencies) ON amount, number FROM shop_order",
            "DROP STATISTICS shop_both",
        ),
    ),
    one(
        "sql_rights",
        sql("GRANT SELECT ON shop_order TO PUBLIC", "REVOKE ALL ON shop_order FROM PUBLIC"),
    ),
    one("sql_comment", sql("COMMENT ON TABLE shop_order IS 'all of them'")),
]
