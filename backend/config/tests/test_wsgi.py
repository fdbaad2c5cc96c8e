import sys
from io import BytesIO
from wsgiref.handlers import SimpleHandler
from wsgiref.util import setup_testing_defaults

import pytest

from config.wsgi import application


@pytest.mark.django_db(transaction=True)
def test_wsgi_application() -> None:
    environ: dict[str, str] = {"PATH_INFO": "/api/v1/health/", "HTTP_HOST": "localhost"}
    setup_testing_defaults(environ)
    answer = BytesIO()
    SimpleHandler(BytesIO(), answer, sys.stderr, environ).run(application)

    assert answer.getvalue().startswith(b"HTTP/1.0 200 OK")
    assert answer.getvalue().endswith(b'{"status": "ok"}')
