"""What changes the models, and in the database little or nothing."""

from tests.integration.migrations.cases.case import Case, alter, one

UNSAFE: list[Case] = []
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
    one(
        "labels_and_checks",
        alter(
            "order",
            "amount",
            'models.IntegerField("sum", help_text="in cents", validators=[], editable=False)',
        ),
    ),
    one(
        "on_delete",
        alter("pair", "special", 'models.ForeignKey("shop.special", models.SET_NULL, null=True)'),
    ),
    one(
        "related_name",
        alter("customer", "tags", 'models.ManyToManyField("shop.Tag", related_name="them")'),
    ),
    one(
        "extensions",
        "BloomExtension()",
        "BtreeGinExtension()",
        "BtreeGistExtension()",
        "CITextExtension()",
        "HStoreExtension()",
        "TrigramExtension()",
        "UnaccentExtension()",
        'CreateExtension("ltree")',
    ),
    one(
        "state_alone",
        """migrations.SeparateDatabaseAndState(
            [], [migrations.AlterField("order", "number", models.IntegerField(null=True))]
        )""",
    ),
    one(
        "long_names",
        f"""migrations.CreateModel("{"Long" * 20}", [
            ("id", models.BigAutoField(primary_key=True)),
        ])""",
        reason="Django and PostgreSQL shorten the name in the same way, each time",
    ),
]
