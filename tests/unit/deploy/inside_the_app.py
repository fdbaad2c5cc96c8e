"""Read addresses as the app does, and print what came of each: app.py runs this."""

import json
import sys

from django.conf import settings
from django.db.utils import ConnectionHandler
from pydantic import TypeAdapter, ValidationError

from config.addresses import NO_PARAMETERS, TIMEOUTS, database_settings, known_parameters
from config.environment import Origin

ALWAYS = TIMEOUTS | {"client_encoding": "UTF8"}
"""The parameters of every connection of the app."""
ORIGIN: TypeAdapter[str] = TypeAdapter(Origin)


def received(url: str) -> dict[str, str] | None:
    """Return the libpq parameters of a database in Django; nothing, if its address is refused."""
    try:
        database = database_settings(url)
    except ValueError:
        return None
    given = ConnectionHandler({"default": database})["default"].get_connection_params()
    output = {name: given[name] for name in given if name in known_parameters() | NO_PARAMETERS}
    return {name: str(output[name]) for name in output if output[name] != ALWAYS.get(name)}


def is_taken(origin: str) -> bool:
    """Say whether the app takes an origin."""
    try:
        ORIGIN.validate_python(origin)
    except ValidationError:
        return False
    return True


if __name__ == "__main__":
    settings.configure()
    requested = json.load(sys.stdin)
    answer = {
        "known": sorted(known_parameters()),
        "databases": {url: received(url) for url in requested["databases"]},
        "origins": {url: is_taken(url) for url in requested["origins"]},
    }
    json.dump(answer, sys.stdout)
