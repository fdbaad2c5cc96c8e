"""The table of cases: what a migration does, and what is to be said of it."""

from typing import NamedTuple

APP = """
from django.contrib.postgres.indexes import GinIndex
from django.db import migrations, models
from django.db.models.functions import Lower

class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [
        migrations.CreateModel("Tag", [
            ("id", models.BigAutoField(primary_key=True)),
            ("name", models.CharField(max_length=50)),
        ]),
        migrations.CreateModel("Customer", [
            ("id", models.BigAutoField(primary_key=True)),
            ("nick", models.CharField(max_length=50)),
            ("email", models.CharField(max_length=100, null=True)),
            ("age", models.IntegerField(null=True)),
            ("score", models.DecimalField(max_digits=5, decimal_places=2, null=True)),
            ("joined", models.DateTimeField(null=True)),
            ("tags", models.ManyToManyField("shop.Tag")),
        ]),
        migrations.CreateModel("Order", [
            ("id", models.BigAutoField(primary_key=True)),
            ("amount", models.IntegerField()),
            ("number", models.IntegerField()),
            ("customer_number", models.BigIntegerField(null=True)),
            ("note", models.CharField(max_length=50, null=True)),
        ]),
        migrations.CreateModel("Odd", [
            ("id", models.BigAutoField(primary_key=True)),
            ("nick", models.CharField(max_length=50)),
            ("email", models.CharField(max_length=100, null=True)),
            ("number", models.IntegerField(unique=True)),
            ("code", models.CharField(max_length=20, db_index=True)),
            ("plain", models.CharField(max_length=20)),
            ("kept", models.IntegerField(db_default=3)),
            ("sure", models.IntegerField(null=True)),
        ], options={"constraints": [
            models.CheckConstraint(condition=~models.Q(nick=""), name="odd_named"),
            models.CheckConstraint(condition=models.Q(sure__isnull=False), name="odd_sure"),
            models.UniqueConstraint(Lower("email"), name="odd_mail"),
        ], "indexes": [models.Index(fields=["plain"], name="odd_plain")],
            "unique_together": {("number", "code")}}),
        migrations.CreateModel("Pair", [
            ("id", models.BigAutoField(primary_key=True)),
            ("one", models.IntegerField()),
            ("two", models.IntegerField()),
            ("odd", models.ForeignKey("shop.odd", models.CASCADE, null=True)),
        ], options={"index_together": {("one", "two")}}),
        migrations.CreateModel("Note", [
            ("id", models.BigAutoField(primary_key=True)),
            ("word", models.CharField(max_length=50)),
        ]),
        migrations.CreateModel("Spare", [("id", models.BigAutoField(primary_key=True))]),
        migrations.RunSQL("CREATE VIEW shop_names AS SELECT word FROM shop_note"),
    ]
"""


class Case(NamedTuple):
    """One change of the app above."""

    name: str
    migrations: tuple[str, ...]
    says: str = ""
    hint: str = ""


def ops(*operations: str, head: str = "") -> str:
    """Return the body of a migration."""
    return f"{head}\noperations = [\n" + "".join(f"    {each},\n" for each in operations) + "]\n"


def sql(forwards: str, back: str | None = None) -> str:
    """Return an operation that sends SQL."""
    reverse = "noop_sql" if back is None else repr(back)
    return f"migrations.RunSQL({forwards!r}, {reverse})"


def one(name: str, *operations: str, says: str = "", hint: str = "", head: str = "") -> Case:
    """Return a case of one migration."""
    return Case(name, (ops(*operations, head=head),), says, hint)


def python(code: str) -> str:
    """Return an operation that runs Python on `editor`, the schema editor, and `model`."""
    return f"migrations.RunPython(lambda apps, editor: {code}, noop)"


def score(size: str) -> str:
    """Return an operation that gives a number another size."""
    field = f"models.DecimalField({size}, null=True)"
    return f'migrations.AlterField("customer", "score", {field})'


ALONE = "atomic = False"
MARK = 'contract = "v2: nothing uses it"'
EMPTIES = 'deletes_rows = "v2: it is filled anew each night"'
NULLABLE = 'migrations.AddField("order", "x", models.IntegerField(null=True))'
ORDERS = 'apps.get_model("shop", "Order").objects'
AGE = 'migrations.AlterField("customer", "age", models.IntegerField())'

UNSAFE = [
    one(
        "add_positive_null",
        'migrations.AddField("order", "x", models.PositiveIntegerField(null=True))',
        says="reads or writes 2,000 rows of shop_order under AccessExclusiveLock",
        hint="then the CHECK with NOT VALID",
    ),
    one(
        "varchar_wider_checked",
        'migrations.AlterField("odd", "nick", models.CharField(max_length=90))',
        says="rows of shop_odd under AccessExclusiveLock",
    ),
    one(
        "varchar_wider_lower_index",
        'migrations.AlterField("odd", "email", models.CharField(max_length=200, null=True))',
        says="writes the index odd_mail of shop_odd anew",
    ),
    one(
        "sql_reindex",
        sql("REINDEX TABLE shop_order"),
        says="builds an index anew",
        hint="REINDEX … CONCURRENTLY",
    ),
    one(
        "set_not_null_marked_unchecked",
        AGE,
        head=MARK,
        says="under AccessExclusiveLock",
        hint="AddConstraintNotValid",
    ),
    one(
        "set_not_null",
        'migrations.AlterField("customer", "age", models.IntegerField(default=0))',
        says="forbids a column to be NULL (shop_customer.age)",
    ),
    one(
        "delete_and_create_again",
        'migrations.DeleteModel("order")',
        """migrations.CreateModel("Order", [
            ("id", models.BigAutoField(primary_key=True)),
            ("amount", models.IntegerField()),
        ])""",
        says="drops a table (shop_order)",
    ),
    one(
        "delete_and_create_again_marked",
        'migrations.DeleteModel("order")',
        """migrations.CreateModel("Order", [
            ("id", models.BigAutoField(primary_key=True)),
            ("amount", models.IntegerField()),
        ])""",
        head=MARK,
        says="loses all rows (shop_order)",
        hint="deletes_rows =",
    ),
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
        "python_hides_index",
        python(
            'editor.execute("CREATE INDEX IF NOT EXISTS by_amount ON shop_order (amount)")'
        ).replace("noop", 'lambda apps, editor: editor.execute("DROP INDEX by_amount")'),
        says="creates an index while nothing can be written",
        hint="AddIndexConcurrently",
    ),
    one(
        "python_sets_not_null",
        python(
            'editor.execute("alter table shop_customer alter column nick set not null;'
            ' alter table shop_customer alter column joined set not null")'
        ).replace(
            "noop",
            'lambda apps, editor: editor.execute("ALTER TABLE shop_customer ALTER joined'
            ' DROP NOT NULL")',
        ),
        says="forbids a column to be NULL (shop_customer.joined)",
    ),
    one(
        "backfill_with_alter",
        NULLABLE,
        python(f"{ORDERS}.update(x=1)"),
        says="rows of shop_order under AccessExclusiveLock",
        hint="a migration of its own behind this one",
    ),
    one(
        "backfill_with_alter_one_by_one",
        NULLABLE,
        python(f"[each.save() for each in {ORDERS}.iterator()]"),
        says="rows of shop_order under AccessExclusiveLock",
    ),
    one(
        "backfill_of_another_table",
        NULLABLE,
        python('apps.get_model("shop", "Customer").objects.update(age=1)'),
        says="rows of shop_customer under AccessExclusiveLock on shop_order",
    ),
    one("sql_truncate", sql("truncate\n shop_order"), says="loses all rows (shop_order)"),
    one("sql_delete_all", sql("DELETE FROM shop_order"), says="loses all rows (shop_order)"),
    one(
        "python_delete_all",
        python(f"{ORDERS}.all().delete()"),
        says="loses all rows (shop_order)",
        hint="deletes_rows =",
    ),
    one(
        "truncate_cascade",
        sql("TRUNCATE shop_odd CASCADE"),
        says="loses all rows (shop_pair)",
    ),
    one("deletes_rows_for_nothing", NULLABLE, head=EMPTIES, says="takes nothing away"),
    one(
        "narrowed_marked",
        score("max_digits=4, decimal_places=1"),
        head=MARK,
        says="loses values (shop_customer.score)",
        hint="deletes_rows =",
    ),
    one(
        "remove_step_1_not_null",
        """migrations.SeparateDatabaseAndState(
            state_operations=[migrations.RemoveField("order", "number")]
        )""",
        says="takes shop_order.number from its model, but new rows need a value",
        hint="let the column be NULL or give it a default",
    ),
    one(
        "rename_column",
        'migrations.RenameField("customer", "nick", "name")',
        says="renames a column (shop_customer.nick)",
    ),
    one(
        "rename_table",
        'migrations.RenameModel("customer", "client")',
        says="renames a table (shop_customer)",
    ),
    one(
        "rename_lower_case",
        sql(
            "alter table shop_customer\n  rename column nick\n  to name",
            "alter table shop_customer rename name to nick",
        ),
        says="renames a column (shop_customer.nick)",
    ),
    one("drop_column", 'migrations.RemoveField("customer", "age")', says="drops a column"),
    one("drop_table", 'migrations.DeleteModel("order")', says="drops a table"),
    one(
        "drop_view",
        sql("DROP VIEW shop_names", "CREATE VIEW shop_names AS SELECT word FROM shop_note"),
        says="drops a table (shop_names)",
    ),
    one(
        "sql_set_schema",
        sql(
            "CREATE SCHEMA shop; ALTER TABLE shop_order SET SCHEMA shop",
            "ALTER TABLE shop.shop_order SET SCHEMA public; DROP SCHEMA shop",
        ),
        says="renames a table (shop_order)",
    ),
    one(
        "add_not_null_default",
        'migrations.AddField("customer", "x", models.IntegerField(default=0))',
        says="adds a column that is NOT NULL and that the release before does not fill",
        hint="db_default",
    ),
    one(
        "order_with_respect_to",
        'migrations.AlterOrderWithRespectTo("pair", "odd")',
        says="adds a column that is NOT NULL",
        hint="`_order` can have none",
    ),
    one(
        "db_default_removed",
        'migrations.AlterField("odd", "kept", models.IntegerField())',
        says="drops the default of a column (shop_odd.kept)",
    ),
    one(
        "change_type",
        'migrations.AlterField("order", "amount", models.TextField())',
        says="changes the type of a column (shop_order.amount)",
        hint="expand, migrate, contract",
    ),
    one(
        "change_type_marked",
        'migrations.AlterField("order", "amount", models.BigIntegerField())',
        head=MARK,
        says="writes shop_order anew under AccessExclusiveLock",
    ),
    one(
        "add_db_default_uuid",
        """migrations.AddField("order", "x", models.UUIDField(
            db_default=models.Func(function="gen_random_uuid", output_field=models.UUIDField())
        ))""",
        says="writes shop_order anew under AccessExclusiveLock",
        hint="SET DEFAULT",
    ),
    one(
        "sql_add_serial",
        sql(
            "ALTER TABLE shop_order ADD COLUMN x bigserial", "ALTER TABLE shop_order DROP COLUMN x"
        ),
        says="writes shop_order anew",
    ),
    one(
        "sql_generated",
        sql(
            "ALTER TABLE shop_order ADD COLUMN x int GENERATED ALWAYS AS (amount * 2) STORED",
            "ALTER TABLE shop_order DROP COLUMN x",
        ),
        says="writes shop_order anew",
        hint="add a plain nullable column",
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
        "remove_index",
        'migrations.RemoveIndex("odd", "odd_plain")',
        says="drops an index while nothing can be read",
        hint="RemoveIndexConcurrently",
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
    one(
        "sql_do_block",
        sql(
            "DO $$ BEGIN CREATE INDEX by_amount ON shop_order (amount); END $$",
            "DROP INDEX by_amount",
        ),
        says="shop_order",
    ),
    one(
        "data_twice_not_atomic",
        "migrations.RunPython(double, noop)",
        head=ALONE,
        says="run a second time, `Raw Python operation` changes shop_order again",
    ),
    one(
        "alter_model_table",
        'migrations.AlterModelTable("order", "sales")',
        says="renames a table (shop_order)",
    ),
    one(
        "unique_together",
        'migrations.AlterUniqueTogether("order", {("amount", "number")})',
        says="adds a unique constraint",
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
        "collation_indexed",
        'migrations.AlterField("odd", "plain", models.CharField(max_length=20, db_collation="C"))',
        says="of shop_odd anew under AccessExclusiveLock",
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
    one(
        "reverse_leaves_something",
        sql("ALTER TABLE shop_order ADD COLUMN x int"),
        says="taken back, leaves another schema: with column shop_order.x: integer",
        hint="its reverse undoes it all",
    ),
    one(
        "reverse_does_not_fit_rows",
        'migrations.RemoveField("order", "amount")',
        head=MARK,
        says="cannot be taken back: ",
        hint="a reverse that fits the rows",
    ),
    one(
        "mark_without_reason",
        'migrations.DeleteModel("pair")',
        head="contract = True",
        says="does not say who",
    ),
    one("mark_for_nothing", NULLABLE, head=MARK, says="is marked as contract, but takes nothing"),
    one(
        "data_fails_twice",
        sql(
            "INSERT INTO shop_tag (id, name) VALUES (-1, 'x')", "DELETE FROM shop_tag WHERE id = -1"
        ),
        head=ALONE,
        says="is not idempotent: run a second time, `Raw SQL operation` fails: duplicate key",
    ),
    one("no_reverse", "migrations.RunPython(noop)", says="cannot be taken back"),
    one(
        "fails_on_rows",
        sql("ALTER TABLE shop_order ADD COLUMN x int NOT NULL", "SELECT 1"),
        says="fails where there are rows: IntegrityError",
    ),
    one("fails_at_all", sql("SELECT gone"), says="0002_fails_at_all.py:"),
    Case(
        "new_column_gets_not_null",
        (ops(NULLABLE), ops('migrations.AlterField("order", "x", models.IntegerField(default=0))')),
        "adds a column that is NOT NULL and that the release before does not fill",
    ),
    Case(
        "new_table_does_not_excuse_old_one",
        (
            ops('migrations.CreateModel("Log", [("id", models.BigAutoField(primary_key=True))])'),
            ops('migrations.AddIndex("order", models.Index(fields=["amount"], name="by_amount"))'),
        ),
        "creates an index while nothing can be written",
    ),
]
SAFE = [
    one("add_null", NULLABLE),
    one("add_db_default", 'migrations.AddField("order", "x", models.IntegerField(db_default=3))'),
    one(
        "add_null_default",
        'migrations.AddField("order", "x", models.IntegerField(null=True, default=3))',
    ),
    one(
        "add_now",
        """migrations.AddField("order", "x", models.DateTimeField(
            db_default=models.functions.Now()
        ))""",
    ),
    one(
        "varchar_wider",
        'migrations.AlterField("customer", "nick", models.CharField(max_length=90))',
    ),
    one(
        "varchar_wider_indexed",
        'migrations.AlterField("odd", "plain", models.CharField(max_length=90))',
    ),
    one("varchar_to_text", 'migrations.AlterField("customer", "nick", models.TextField())'),
    one(
        "numeric_wider",
        score("max_digits=9, decimal_places=2"),
    ),
    one(
        "db_comment",
        'migrations.AlterField("order", "amount", models.IntegerField(db_comment="in cents"))',
    ),
    one("comment_on_table", 'migrations.AlterModelTableComment("order", "all of them")'),
    one(
        "drop_not_null", 'migrations.AlterField("order", "amount", models.IntegerField(null=True))'
    ),
    one(
        "alter_default", 'migrations.AlterField("order", "amount", models.IntegerField(default=3))'
    ),
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
        "add_default_kept_by_sql",
        'migrations.AddField("order", "x", models.BooleanField(default=False))',
        sql("ALTER TABLE shop_order ALTER COLUMN x SET DEFAULT false"),
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
    one(
        "set_not_null_after_check",
        'migrations.AlterField("odd", "sure", models.IntegerField())',
        head=MARK,
    ),
    one(
        "index_together_to_index",
        'migrations.RenameIndex("pair", new_name="by_both", old_fields=("one", "two"))',
    ),
    one("rename_index", 'migrations.RenameIndex("odd", new_name="by_plain", old_name="odd_plain")'),
    one("unique_false", 'migrations.AlterField("odd", "number", models.IntegerField())'),
    one("data_row_once", python('apps.get_model("shop", "Tag").objects.create(name="new")')),
    one("data_atomic", "migrations.RunPython(double, noop)"),
    one(
        "data_prints_dots",
        python('[print(".", end="") for _ in range(3)]'),
    ),
    one(
        "data_in_batches",
        "migrations.RunPython(fill_ages, noop)",
        head=f"""{ALONE}
def fill_ages(apps, editor):
    model = apps.get_model("shop", "Customer")
    while some := model.objects.filter(email=None).values("pk")[:300]:
        model.objects.filter(pk__in=some).update(email=models.F("nick"))
""",
    ),
    one("sql_truncate_marked", sql("TRUNCATE shop_order"), head=EMPTIES),
    one("sql_delete_some", sql("DELETE FROM shop_order WHERE id % 2 = 0")),
    one("drop_column_marked", 'migrations.RemoveField("customer", "age")', head=MARK),
    one("delete_model_step_2", 'migrations.DeleteModel("spare")', head=MARK),
    one(
        "remove_step_1",
        """migrations.SeparateDatabaseAndState(
            [migrations.RunSQL(
                "ALTER TABLE shop_order ALTER COLUMN number DROP NOT NULL",
                "ALTER TABLE shop_order ALTER COLUMN number SET NOT NULL",
            )],
            [migrations.RemoveField("order", "number")],
        )""",
    ),
    one(
        "rename_table_leave_view",
        sql(
            "ALTER TABLE shop_tag RENAME TO shop_label;"
            " CREATE VIEW shop_tag AS SELECT * FROM shop_label",
            "DROP VIEW shop_tag; ALTER TABLE shop_label RENAME TO shop_tag",
        ),
    ),
    Case(
        "new_column_and_all_with_it",
        (
            ops(NULLABLE),
            ops('migrations.RenameField("order", "x", "y")'),
            ops('migrations.RemoveField("order", "y")'),
        ),
    ),
    one(
        "rolled_back_by_hand",
        "migrations.RunPython(try_and_leave, noop)",
        head=f"""{ALONE}
def try_and_leave(apps, editor):
    from django.db import transaction
    with transaction.atomic():
        editor.execute("ALTER TABLE shop_order DROP COLUMN number")
        transaction.set_rollback(True)
""",
    ),
    Case(
        "new_table_and_all_with_it",
        (
            ops(
                """migrations.CreateModel("Address", [
                    ("id", models.BigAutoField(primary_key=True)),
                    ("customer", models.ForeignKey("shop.customer", models.CASCADE)),
                    ("street", models.CharField(max_length=90)),
                ])""",
                'migrations.AddIndex("address", models.Index(fields=["street"], name="by_street"))',
            ),
            ops(
                'migrations.RenameField("address", "street", "road")',
                'migrations.AddField("address", "x", models.PositiveIntegerField(default=3))',
                """migrations.AddConstraint(
                    "address", models.UniqueConstraint(fields=["road"], name="one_road")
                )""",
            ),
        ),
    ),
    one("options", 'migrations.AlterModelOptions("order", {"ordering": ["amount"]})'),
    one("managers", 'migrations.AlterModelManagers("order", [])'),
    one(
        "choices",
        'migrations.AlterField("order", "amount", models.IntegerField(choices=[(1, "one")]))',
    ),
    one("add_m2m", 'migrations.AddField("order", "tags", models.ManyToManyField("shop.tag"))'),
    one(
        "collation",
        'CreateCollation("german", locale="C")',
        'RemoveCollation("german", locale="C")',
    ),
    one(
        "collation_no_index",
        """migrations.AlterField("order", "note", models.CharField(
            max_length=50, null=True, db_collation="C"
        ))""",
    ),
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
    one(
        "swap_default_in_one_transaction",
        sql(
            "ALTER TABLE shop_odd ALTER kept DROP DEFAULT;"
            " ALTER TABLE shop_odd ALTER kept SET DEFAULT 4",
            "ALTER TABLE shop_odd ALTER kept SET DEFAULT 3",
        ),
    ),
    one(
        "separate_transactions_by_sql",
        sql("ALTER TABLE shop_order ADD COLUMN x int", "ALTER TABLE shop_order DROP COLUMN x"),
        sql("BEGIN; UPDATE shop_order SET x = 1 WHERE x IS NULL; COMMIT"),
        head=ALONE,
    ),
]
