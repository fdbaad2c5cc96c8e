"""The backend with slow responses that a test controls, served by the real launcher.

python -m config.tests.slow: reads the same variables as `python server.py`
"""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from config.tests.waiting import wait_until
from config.wsgi import application as backend
from server import read_settings, serve

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment


def application(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
    """Call the backend.

    With `?wait=FOLDER`, first create `requested` there and wait for `answer`.
    """
    for folder in parse_qs(environ["QUERY_STRING"]).get("wait", []):
        Path(folder, "requested").touch()
        wait_until(Path(folder, "answer").exists, "no test lets the request continue")
    return backend(environ, start_response)


if __name__ == "__main__":
    serve(read_settings(os.environ), "config.tests.slow:application")
