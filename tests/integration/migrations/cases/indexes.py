"""Indexes that are created, dropped and renamed."""

from tests.integration.migrations.cases.case import ALONE, INDEX, add, alter, one, python, sql

KINDS = (
    ("gin", "item", 'GinIndex(fields=["labels"], name="new")'),
    ("gist", "slot", 'GistIndex(fields=["during"], name="new")'),
    ("spgist", "order", 'SpGistIndex(fields=["note"], name="new")'),
    ("hash", "order", 'HashIndex(fields=["note"], name="new")'),
    ("brin", "order", 'BrinIndex(fields=["amount"], name="new")'),
    ("btree", "order", 'BTreeIndex(fields=["amount"], name="new", fillfactor=70)'),
    ("with_more", "order", 'models.Index(fields=["amount"], include=["number"], name="new")'),
    (
        "where",
        "order",
        'models.Index(fields=["amount"], condition=models.Q(number__gt=3), name="new")',
    ),
    ("on_expression", "order", 'models.Index(Lower("note"), name="new")'),
)

UNSAFE = [
    one(
        "sql_reindex",
        sql("REINDEX TABLE shop_order"),
        message="rebuilds an index",
        hint="REINDEX … CONCURRENTLY",
    ),
    one(
        "python_hides_index",
        python(
            'editor.execute("CREATE INDEX IF NOT EXISTS by_amount ON shop_order (amount)")'
        ).replace("noop", 'lambda apps, editor: editor.execute("DROP INDEX by_amount")'),
        message="creates an index while writes are blocked",
        hint="AddIndexConcurrently",
    ),
    one(
        "add_index",
        'migrations.AddIndex("order", models.Index(fields=["amount"], name="by_amount"))',
        message='creates an index while writes are blocked: CREATE INDEX "by_amount"',
    ),
    one(
        "alter_db_index",
        'migrations.AlterField("order", "amount", models.IntegerField(db_index=True))',
        message="creates an index while writes are blocked",
    ),
    one(
        "remove_index",
        'migrations.RemoveIndex("special", "special_plain")',
        message="drops an index while reads and writes are blocked",
        hint="RemoveIndexConcurrently",
    ),
    one(
        "sql_do_block",
        sql(
            "DO $$ BEGIN CREATE INDEX by_amount ON shop_order (amount); END $$",
            "DROP INDEX by_amount",
        ),
        message="shop_order",
    ),
    one(
        "no_index_together",
        'migrations.AlterIndexTogether("pair", set())',
        message="drops an index while reads and writes are blocked",
    ),
    one(
        "remove_unique_on_expression",
        'migrations.RemoveConstraint("special", "special_mail")',
        message="drops an index while reads and writes are blocked",
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
        message="creates an index while writes are blocked",
    ),
    *(
        one(f"add_index_{kind}", f'migrations.AddIndex("{model}", {index})', message=INDEX)
        for kind, model, index in KINDS
    ),
    one("add_slug", add("order", "models.SlugField(null=True)"), message=INDEX, hint="AddIndex"),
    one(
        "add_index_together",
        'migrations.AlterIndexTogether("order", {("amount", "number")})',
        message=INDEX,
    ),
    one(
        "index_concurrently_atomic",
        'AddIndexConcurrently("order", models.Index(fields=["amount"], name="by_amount"))',
        message="0002_index_concurrently_atomic",
        hint="cannot be executed inside a transaction",
    ),
    one(
        "sql_index_all_partitions",
        sql("CREATE INDEX by_day ON shop_day (day)", "DROP INDEX by_day"),
        message=INDEX,
    ),
    one(
        "sql_drop_index",
        sql("DROP INDEX special_plain", "CREATE INDEX special_plain ON shop_special (plain)"),
        message="drops an index while reads and writes are blocked",
    ),
    one(
        "sql_reindex_index",
        sql("REINDEX INDEX special_plain"),
        message="rebuilds an index",
        hint="REINDEX … CONCURRENTLY",
    ),
    one(
        "remove_db_index",
        alter("special", "code", "models.CharField(max_length=20)"),
        message="drops an index while reads and writes are blocked",
        hint="DROP INDEX CONCURRENTLY by RunSQL",
    ),
]
SAFE = [
    one(
        "add_index_concurrently",
        'AddIndexConcurrently("order", models.Index(fields=["amount"], name="by_amount"))',
        head=ALONE,
    ),
    one(
        "remove_index_concurrently",
        'RemoveIndexConcurrently("special", "special_plain")',
        head=ALONE,
    ),
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
    one(
        "rename_index",
        'migrations.RenameIndex("special", new_name="by_plain", old_name="special_plain")',
    ),
    *(
        one(
            f"add_index_{kind}_concurrently",
            f'AddIndexConcurrently("{model}", {index})',
            head=ALONE,
        )
        for kind, model, index in KINDS
    ),
    one(
        "sql_index_no_partition",
        sql("CREATE INDEX by_day ON ONLY shop_day (day)", "DROP INDEX by_day"),
    ),
    one(
        "sql_drop_index_concurrently",
        sql(
            "DROP INDEX CONCURRENTLY special_plain",
            "CREATE INDEX CONCURRENTLY special_plain ON shop_special (plain)",
        ),
        head=ALONE,
    ),
    one("sql_drop_index_that_is_gone", sql("DROP INDEX IF EXISTS gone")),
    one(
        "sql_index_setting",
        sql(
            "ALTER INDEX special_plain SET (fillfactor = 70)",
            "ALTER INDEX special_plain RESET (fillfactor)",
        ),
    ),
]
