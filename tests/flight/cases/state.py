"""What changes the models, and in the database little or nothing."""

from tests.flight.cases.case import one

UNSAFE = []
SAFE = [
    one(
        "db_comment",
        'migrations.AlterField("order", "amount", models.IntegerField(db_comment="in cents"))',
    ),
    one("comment_on_table", 'migrations.AlterModelTableComment("order", "all of them")'),
    one("options", 'migrations.AlterModelOptions("order", {"ordering": ["amount"]})'),
    one("managers", 'migrations.AlterModelManagers("order", [])'),
    one(
        "choices",
        'migrations.AlterField("order", "amount", models.IntegerField(choices=[(1, "one")]))',
    ),
    one(
        "collation",
        'CreateCollation("german", locale="C")',
        'RemoveCollation("german", locale="C")',
    ),
]
