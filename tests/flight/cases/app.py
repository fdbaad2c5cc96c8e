"""The app that all cases change, as it was released."""

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
