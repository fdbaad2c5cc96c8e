"""The rules of parity."""

from pipeline.parity.rule import Rule
from pipeline.parity.rules import (
    calls,
    deploy_environments,
    gates,
    hardening,
    permissions,
    sessions,
    single_source,
    steps,
)

RULES = [
    value
    for module in (
        sessions,
        steps,
        gates,
        calls,
        hardening,
        permissions,
        deploy_environments,
        single_source,
    )
    for value in vars(module).values()
    if isinstance(value, Rule)
]
