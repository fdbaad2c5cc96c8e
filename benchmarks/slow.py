"""The backend with a sleep if a request contains one, served by the real launcher.

python -m benchmarks.slow: the same variables as `python server.py`
"""

import os
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from config.wsgi import application as backend
from server import read_settings, serve

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment


def application(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
    """Sleep for `?sleep=SECONDS`, then answer as the backend does."""
    for seconds in parse_qs(environ["QUERY_STRING"]).get("sleep", []):
        time.sleep(float(seconds))
    return backend(environ, start_response)


if __name__ == "__main__":
    serve(read_settings(os.environ), "benchmarks.slow:application")
