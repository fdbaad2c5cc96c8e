"""The environment variables of a session: only those that pipeline.toml declares.

An undeclared variable is not passed to the session, so it cannot change a result. A session that
is started by nox directly gets the whole environment, except for the variables that the noxfile
removes because they configure tools.
"""

import hashlib
import os
import re
from collections.abc import Iterable

from pipeline.ci.areas import glob_to_regex
from pipeline.settings import Variables


def fingerprint_variables(declared: Variables) -> dict[str, str]:
    """Return the variables that are part of the cache key, by the SHA-256 of their values.

    The values are hashed because the cache is a file and a value may be a secret.
    """
    found = _matching(declared.in_key)
    return {name: hashlib.sha256(found[name].encode()).hexdigest() for name in sorted(found)}


def session_environment(declared: Variables) -> dict[str, str]:
    return _matching(declared.passed)


def _matching(globs: Iterable[str]) -> dict[str, str]:
    pattern = re.compile("|".join(map(glob_to_regex, globs)))
    return {name: value for name, value in os.environ.items() if pattern.fullmatch(name)}
