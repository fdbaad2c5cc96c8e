"""The app that all cases change, as it was released."""

APP = """
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, IntegerRangeField
from django.contrib.postgres.operations import AddConstraintNotValid
from django.contrib.postgres.search import SearchVectorField
from django.db import migrations, models
from django.db.models.functions import Lower

SQL = '''
CREATE VIEW shop_names AS SELECT word FROM shop_note;
CREATE MATERIALIZED VIEW shop_words AS SELECT id, word FROM shop_note;
CREATE UNIQUE INDEX shop_words_id ON shop_words (id);
CREATE SEQUENCE shop_numbers;
CREATE TYPE shop_state AS ENUM ('new', 'paid');
CREATE DOMAIN shop_code AS varchar(20);
CREATE TABLE shop_raw (
    id bigint NOT NULL, state shop_state, code shop_code, net cidr, at timestamp(3), free text,
    customer_id bigint
);
ALTER TABLE shop_raw
    ADD CONSTRAINT raw_customer FOREIGN KEY (customer_id) REFERENCES shop_customer NOT VALID,
    ADD CONSTRAINT raw_id CHECK (id > -1) NOT VALID;
CREATE TABLE shop_day (id bigserial, day date NOT NULL) PARTITION BY RANGE (day);
CREATE TABLE shop_day1 PARTITION OF shop_day FOR VALUES FROM ('2040-01-01') TO ('2040-02-01');
CREATE TABLE shop_day2 PARTITION OF shop_day FOR VALUES FROM ('2040-02-01') TO ('2040-03-01');
CREATE TABLE shop_day3 (id bigint NOT NULL, day date NOT NULL);
CREATE SCHEMA store;
CREATE TABLE store.bin (id bigint PRIMARY KEY, place int);
'''

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
        migrations.CreateModel("Special", [
            ("id", models.BigAutoField(primary_key=True)),
            ("nick", models.CharField(max_length=50)),
            ("email", models.CharField(max_length=100, null=True)),
            ("number", models.IntegerField(unique=True)),
            ("code", models.CharField(max_length=20, db_index=True)),
            ("plain", models.CharField(max_length=20)),
            ("kept", models.IntegerField(db_default=3)),
            ("sure", models.IntegerField(null=True)),
        ], options={"constraints": [
            models.CheckConstraint(condition=~models.Q(nick=""), name="special_named"),
            models.CheckConstraint(condition=models.Q(sure__isnull=False), name="special_sure"),
            models.UniqueConstraint(Lower("email"), name="special_mail"),
        ], "indexes": [models.Index(fields=["plain"], name="special_plain")],
            "unique_together": {("number", "code")}}),
        migrations.CreateModel("Pair", [
            ("id", models.BigAutoField(primary_key=True)),
            ("one", models.IntegerField()),
            ("two", models.IntegerField()),
            ("special", models.ForeignKey("shop.special", models.CASCADE, null=True)),
        ], options={"index_together": {("one", "two")}}),
        migrations.CreateModel("Note", [
            ("id", models.BigAutoField(primary_key=True)),
            ("word", models.CharField(max_length=50)),
        ]),
        AddConstraintNotValid(
            "note", models.CheckConstraint(condition=~models.Q(word=""), name="note_worded")
        ),
        migrations.CreateModel("Spare", [("id", models.BigAutoField(primary_key=True))]),
        migrations.CreateModel("Item", [
            ("id", models.BigAutoField(primary_key=True)),
            ("labels", ArrayField(models.CharField(max_length=20))),
            ("search", SearchVectorField(null=True)),
            ("stock", models.PositiveIntegerField()),
            ("note", models.ForeignKey(
                "shop.note", models.CASCADE, null=True, db_constraint=False, db_index=False
            )),
        ]),
        migrations.CreateModel("Slot", [
            ("id", models.BigAutoField(primary_key=True)),
            ("during", IntegerRangeField()),
            ("room", models.IntegerField()),
        ], options={"constraints": [
            ExclusionConstraint(name="slot_apart", expressions=[("during", "&&")]),
            models.UniqueConstraint(fields=["room"], name="slot_room"),
        ]}),
        migrations.CreateModel("Page", [
            ("id", models.BigAutoField(primary_key=True)),
            ("title", models.CharField(max_length=50)),
        ]),
        migrations.CreateModel("Writer", [
            ("id", models.AutoField(primary_key=True)),
            ("last", models.ForeignKey("shop.page", models.SET_NULL, null=True)),
        ]),
        migrations.AddField(
            "page", "writer", models.ForeignKey("shop.writer", models.CASCADE, null=True)
        ),
        migrations.RunSQL(SQL),
    ]
"""
