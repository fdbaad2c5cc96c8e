"""The table of cases: what a migration does, and what is to be said of it."""

from tests.flight.cases import (
    columns,
    constraints,
    data,
    indexes,
    marks,
    state,
    tables,
    types,
    upkeep,
)
from tests.flight.cases.app import APP
from tests.flight.cases.case import Case

__all__ = ["APP", "SAFE", "UNSAFE", "Case"]

TOPICS = columns, constraints, data, indexes, marks, state, tables, types, upkeep
UNSAFE = [case for topic in TOPICS for case in topic.UNSAFE]
SAFE = [case for topic in TOPICS for case in topic.SAFE]
