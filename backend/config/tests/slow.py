"""The backend with answers that wait for a test, served by the real launcher.

python -m config.tests.slow: the same variables as `python server.py`
"""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from config.tests.waiting import until
from config.wsgi import application as backend
from server import read_settings, serve

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment


def application(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
    """Answer as the backend does; with `?wait=FOLDER` say there `asked`, and wait for `answer`."""
    for folder in parse_qs(environ["QUERY_STRING"]).get("wait", []):
        Path(folder, "asked").touch()
        until(Path(folder, "answer").exists, "no test lets it answer")
    return backend(environ, start_response)


if __name__ == "__main__":
    serve(read_settings(os.environ), "config.tests.slow:application")
