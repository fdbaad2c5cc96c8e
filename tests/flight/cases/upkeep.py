"""What is done to a table's files."""

from tests.flight.cases.case import ALONE, one, sql

UNSAFE = [
    one(
        "sql_cluster",
        sql("CLUSTER shop_order USING shop_order_pkey"),
        says="writes shop_order anew",
    ),
    one(
        "sql_vacuum_full",
        sql("VACUUM FULL shop_order"),
        head=ALONE,
        says="writes shop_order anew",
        hint="leave it out of migrations",
    ),
]
SAFE = []
