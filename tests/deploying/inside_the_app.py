"""Read addresses as the app does, and print what came of each: app.py runs this."""

import json
import sys

from pydantic import TypeAdapter, ValidationError

from config.environment import Origin

ORIGIN: TypeAdapter[str] = TypeAdapter(Origin)


def is_taken(origin: str) -> bool:
    """Say whether the app takes an origin."""
    try:
        ORIGIN.validate_python(origin)
    except ValidationError:
        return False
    return True


if __name__ == "__main__":
    asked = json.load(sys.stdin)
    answer = {
        "origins": {url: is_taken(url) for url in asked["origins"]},
    }
    json.dump(answer, sys.stdout)
