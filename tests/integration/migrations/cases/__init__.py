"""The table of cases: a migration, and the expected message."""

from tests.integration.migrations.cases import (
    added,
    columns,
    constraints,
    data,
    indexes,
    keys,
    marks,
    nulls,
    partitions,
    retyped,
    state,
    tables,
    unique,
    upkeep,
)
from tests.integration.migrations.cases.app import APP
from tests.integration.migrations.cases.case import Case

__all__ = ["APP", "SAFE", "UNSAFE", "Case"]

TOPICS = (
    added,
    columns,
    constraints,
    data,
    indexes,
    keys,
    marks,
    nulls,
    partitions,
    retyped,
    state,
    tables,
    unique,
    upkeep,
)
UNSAFE = [case for topic in TOPICS for case in topic.UNSAFE]
SAFE = [case for topic in TOPICS for case in topic.SAFE]
