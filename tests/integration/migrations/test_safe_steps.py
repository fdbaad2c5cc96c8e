"""The suggested SQL can be run, and ends with the same schema."""

import pytest

from pipeline.checks.migrations.databases import PostgresServer, connect, schema
from pipeline.checks.migrations.safe_steps import safe_steps

TABLES = (
    "CREATE TABLE customer (id bigint PRIMARY KEY, nick text)",
    'CREATE TABLE "Order" (id bigint PRIMARY KEY, amount int, customer bigint)',
    "CREATE INDEX old ON customer (nick)",
    'INSERT INTO "Order" VALUES (1, 2, NULL)',
    "CREATE MATERIALIZED VIEW names AS SELECT id, nick FROM customer",
    "CREATE UNIQUE INDEX names_id ON names (id)",
)
NEW_TYPE = 'alter table "Order" alter amount type numeric(9, 2) using amount::numeric'
AFTER = {NEW_TYPE: 'ALTER TABLE "Order" RENAME amount TO amount_new'}  # the new one has a new name
STATEMENTS = {
    'CREATE INDEX "by_amount" ON "Order" ("amount");': 1,
    'create unique index on public."Order"\n  (amount) where amount > 3': 1,
    'DROP INDEX IF EXISTS "old";': 1,
    "REINDEX TABLE customer": 1,
    'ALTER TABLE "Order" ADD CONSTRAINT "one" UNIQUE ("amount", "id")': 2,
    'alter table "Order" add constraint owed check (amount > (-1))': 2,
    'ALTER TABLE "Order" ADD CONSTRAINT "f" FOREIGN KEY ("customer") REFERENCES "customer" ("id")'
    " DEFERRABLE INITIALLY DEFERRED;": 2,
    'ALTER TABLE "Order" ALTER COLUMN "amount" SET NOT NULL;': 4,
    "REFRESH MATERIALIZED VIEW names": 1,
    'ALTER TABLE "Order" ADD COLUMN "slug" varchar(50) NULL UNIQUE': 3,
    'ALTER TABLE public."Order" ADD COLUMN "x" integer NULL CHECK ("x" >= 0);': 3,
    'ALTER TABLE "Order" ADD COLUMN "x" uuid DEFAULT gen_random_uuid()': 3,
    'ALTER TABLE "Order" ADD COLUMN x numeric(9, 2)[] DEFAULT (ARRAY[random()]) NOT NULL': 7,
    NEW_TYPE: 3,
    'ALTER TABLE "Order" RENAME COLUMN "amount" TO "total"': 3,
    'ALTER TABLE public."Order" RENAME TO "Sale"': 2,
    'ALTER TABLE "Order" DROP COLUMN "amount" CASCADE': 2,
}
UNKNOWN = [
    "",
    "CREATE INDEX CONCURRENTLY i ON customer (nick)",
    'ALTER TABLE "Order" ADD CONSTRAINT c CHECK (id > 0) NOT VALID',
    'ALTER TABLE "Order" ADD COLUMN x int',
    'ALTER TABLE "Order" ADD COLUMN x int DEFAULT 3 NOT NULL',
    'ALTER TABLE "Order" ADD COLUMN x int DEFAULT random() UNIQUE',
    'ALTER TABLE "Order" ADD CONSTRAINT e EXCLUDE USING gist (id WITH =)',
]


@pytest.mark.parametrize("statement", STATEMENTS)
def test_steps_end_with_the_same_schema(server: str, statement: str) -> None:
    found = safe_steps(statement, "integer")
    assert len(found) == STATEMENTS[statement]
    at_once = [statement, AFTER.get(statement, "")]
    made = []
    for name, sent in (("at_once", at_once), ("in_steps", found)):
        url = PostgresServer(server).create_database(name)
        with connect(url) as connection:
            for each in (*TABLES, *sent):
                connection.execute(each.encode())
        made.append(schema(url))
    assert made[0] == made[1]


@pytest.mark.parametrize("statement", UNKNOWN)
def test_where_no_steps_are_known_none_are_told(statement: str) -> None:
    assert safe_steps(statement) == []
