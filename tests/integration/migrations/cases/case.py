"""A case, and the parts of its migrations."""

from typing import NamedTuple


class Case(NamedTuple):
    """One change of the app."""

    name: str
    migrations: tuple[str, ...]
    message: str = ""
    """The expected message; empty, if it is safe."""
    hint: str = ""
    reason: str = ""
    """Why, where it is disputed."""


def ops(*operations: str, head: str = "") -> str:
    """Return the body of a migration."""
    return f"{head}\noperations = [\n" + "".join(f"    {each},\n" for each in operations) + "]\n"


def sql(forwards: str, back: str | None = None) -> str:
    """Return an operation that sends SQL."""
    reverse = "noop_sql" if back is None else repr(back)
    return f"migrations.RunSQL({forwards!r}, {reverse})"


def one(
    name: str, *operations: str, message: str = "", hint: str = "", head: str = "", reason: str = ""
) -> Case:
    """Return a case of one migration."""
    return Case(name, (ops(*operations, head=head),), message, hint, reason)


def add(model: str, field: str) -> str:
    """Return an operation that adds a field `x`."""
    return f'migrations.AddField("{model}", "x", {field})'


def alter(model: str, name: str, field: str) -> str:
    """Return an operation that changes a field."""
    return f'migrations.AlterField("{model}", "{name}", {field})'


def constraint(model: str, text: str, operation: str = "migrations.AddConstraint") -> str:
    """Return an operation that adds a constraint."""
    return f'{operation}("{model}", {text})'


def python(code: str) -> str:
    """Return an operation that runs Python on `editor`, the schema editor, and `model`."""
    return f"migrations.RunPython(lambda apps, editor: {code}, noop)"


def score(size: str) -> str:
    """Return an operation that gives a number another size."""
    field = f"models.DecimalField({size}, null=True)"
    return f'migrations.AlterField("customer", "score", {field})'


ALONE = "atomic = False"
MARK = 'contract = "v2: nothing uses it"'
EMPTIES = 'deletes_rows = "v2: it is rebuilt each night"'
NULLABLE = 'migrations.AddField("order", "x", models.IntegerField(null=True))'
ORDERS = 'apps.get_model("shop", "Order").objects'
AGE = 'migrations.AlterField("customer", "age", models.IntegerField())'
INDEX = "creates an index while writes are blocked"
UNIQUE = "adds a unique constraint while reads and writes are blocked"
