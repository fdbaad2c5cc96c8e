"""Which variables a session sees: those that pipeline.toml names, and no others.

A variable that is not declared cannot change a result: the session does not get it. The
noxfile drops those of the others that configure tools, for sessions that are started without this.
"""

import hashlib
import os
import re
from collections.abc import Iterable

from pipeline.ci.areas import glob_to_regex
from pipeline.settings import Variables


def fingerprint_variables(declared: Variables) -> dict[str, str]:
    """Return digests of the variables that a result may hang on: they may be secret.

    Args:
        declared: Those of pipeline.toml.
    """
    found = _matching(declared.cache_key)
    return {name: hashlib.sha256(found[name].encode()).hexdigest() for name in sorted(found)}


def session_environment(declared: Variables) -> dict[str, str]:
    """Return the environment of a session.

    Args:
        declared: Those of pipeline.toml.
    """
    return _matching([*declared.cache_key, *declared.passthrough])


def _matching(globs: Iterable[str]) -> dict[str, str]:
    pattern = re.compile("|".join(map(glob_to_regex, globs)))
    return {name: value for name, value in os.environ.items() if pattern.fullmatch(name)}
