"""Columns that get another type."""

from tests.flight.cases.case import MARK, one, score

UNSAFE = [
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
        "narrowed_marked",
        score("max_digits=4, decimal_places=1"),
        head=MARK,
        says="loses values (shop_customer.score)",
        hint="deletes_rows =",
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
        "collation_indexed",
        'migrations.AlterField("odd", "plain", models.CharField(max_length=20, db_collation="C"))',
        says="of shop_odd anew under AccessExclusiveLock",
    ),
]
SAFE = [
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
        "collation_no_index",
        """migrations.AlterField("order", "note", models.CharField(
            max_length=50, null=True, db_collation="C"
        ))""",
    ),
]
