"""Readiness checks: what must work before this process receives traffic."""

import logging
from collections.abc import Callable, Mapping
from typing import Literal

from django.contrib.staticfiles.storage import ManifestFilesMixin, staticfiles_storage
from django.core.cache import cache
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

logger = logging.getLogger(__name__)

Verdict = Literal["ok", "failed"]


def database_answers() -> bool:
    """Return whether the database responds."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return True


def migrations_are_applied() -> bool:
    """Return whether all migrations of this code are applied."""
    executor = MigrationExecutor(connection)
    return not executor.migration_plan(executor.loader.graph.leaf_nodes())


def cache_answers() -> bool:
    """Return whether the cache can be written and read."""
    cache.set("readiness", "ok", timeout=10)
    return bool(cache.get("readiness") == "ok")


def static_files_are_collected() -> bool:
    """Return whether the manifest of static files exists, if the storage uses one."""
    storage: object = staticfiles_storage  # django-stubs knows no storage with this mixin
    return not isinstance(storage, ManifestFilesMixin) or bool(storage.hashed_files)


CHECKS: Mapping[str, Callable[[], bool]] = {
    "database": database_answers,
    "migrations": migrations_are_applied,
    "cache": cache_answers,
    "static": static_files_are_collected,
}


NEEDS = {"migrations": "database"}
"""A second check of a store that did not answer would only wait again."""


def readiness() -> dict[str, Verdict]:
    """Run every check, but for those that could only wait."""
    found: dict[str, Verdict] = {}
    for name, check in CHECKS.items():
        hopeless = found.get(NEEDS.get(name, "")) == "failed"
        found[name] = "failed" if hopeless else verdict(name, check)
    return found


def verdict(name: str, check: Callable[[], bool]) -> Verdict:
    """Run one check. Errors go to the log only: the response is public."""
    try:
        return "ok" if check() else "failed"
    except Exception:  # any error means not ready
        logger.warning("the readiness check %s failed", name, exc_info=True)
        return "failed"
