"""Indexes that are created, dropped and renamed."""

from tests.flight.cases.case import ALONE, one, python, sql

UNSAFE = [
    one(
        "sql_reindex",
        sql("REINDEX TABLE shop_order"),
        says="builds an index anew",
        hint="REINDEX … CONCURRENTLY",
    ),
    one(
        "python_hides_index",
        python(
            'editor.execute("CREATE INDEX IF NOT EXISTS by_amount ON shop_order (amount)")'
        ).replace("noop", 'lambda apps, editor: editor.execute("DROP INDEX by_amount")'),
        says="creates an index while nothing can be written",
        hint="AddIndexConcurrently",
    ),
    one(
        "add_index",
        'migrations.AddIndex("order", models.Index(fields=["amount"], name="by_amount"))',
        says='creates an index while nothing can be written: CREATE INDEX "by_amount"',
    ),
    one(
        "alter_db_index",
        'migrations.AlterField("order", "amount", models.IntegerField(db_index=True))',
        says="creates an index while nothing can be written",
    ),
    one(
        "remove_index",
        'migrations.RemoveIndex("odd", "odd_plain")',
        says="drops an index while nothing can be read",
        hint="RemoveIndexConcurrently",
    ),
    one(
        "sql_do_block",
        sql(
            "DO $$ BEGIN CREATE INDEX by_amount ON shop_order (amount); END $$",
            "DROP INDEX by_amount",
        ),
        says="shop_order",
    ),
    one(
        "no_index_together",
        'migrations.AlterIndexTogether("pair", set())',
        says="drops an index while nothing can be read",
    ),
    one(
        "remove_unique_on_expression",
        'migrations.RemoveConstraint("odd", "odd_mail")',
        says="drops an index while nothing can be read",
        hint="DROP INDEX CONCURRENTLY by RunSQL",
    ),
    one(
        "custom_operation",
        "IndexThem()",
        head="""
class IndexThem(migrations.operations.base.Operation):
    reversible = True

    def state_forwards(self, app_label, state):
        pass

    def database_forwards(self, app_label, editor, before, after):
        editor.execute("CREATE INDEX by_amount ON shop_order (amount)")

    def database_backwards(self, app_label, editor, before, after):
        editor.execute("DROP INDEX by_amount")
""",
        says="creates an index while nothing can be written",
    ),
]
SAFE = [
    one(
        "add_index_concurrently",
        'AddIndexConcurrently("order", models.Index(fields=["amount"], name="by_amount"))',
        head=ALONE,
    ),
    one("remove_index_concurrently", 'RemoveIndexConcurrently("odd", "odd_plain")', head=ALONE),
    one(
        "python_index_concurrently",
        python(
            'editor.execute("CREATE INDEX CONCURRENTLY IF NOT EXISTS by_amount'
            ' ON shop_order (amount)")'
        ).replace("noop", 'lambda apps, editor: editor.execute("DROP INDEX by_amount")'),
        head=ALONE,
    ),
    one(
        "reindex_concurrently",
        sql("REINDEX TABLE CONCURRENTLY shop_order"),
        head=ALONE,
    ),
    one(
        "index_together_to_index",
        'migrations.RenameIndex("pair", new_name="by_both", old_fields=("one", "two"))',
    ),
    one("rename_index", 'migrations.RenameIndex("odd", new_name="by_plain", old_name="odd_plain")'),
]
