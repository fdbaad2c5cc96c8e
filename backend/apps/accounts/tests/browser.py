from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING

from django.test import Client

if TYPE_CHECKING:
    from django.test.client import _MonkeyPatchedWSGIResponse as Response

PASSWORD = "correct horse battery staple"


class Browser:
    """A test client that enforces CSRF checks, and sends the token as the frontend does."""

    def __init__(self, **headers: str) -> None:
        self.client = Client(
            enforce_csrf_checks=True,
            headers={name.replace("_", "-"): value for name, value in headers.items()},
        )

    @property
    def cookies(self) -> dict[str, str]:
        return {name: cookie.value for name, cookie in self.client.cookies.items()}

    def me(self) -> Response:
        return self.client.get("/api/v1/auth/me/")

    def send(self, method: str, path: str, data: object = None) -> Response:
        """Send a request with the CSRF token. Requires the CSRF cookie."""
        return self.client.generic(
            method,
            path,
            data if isinstance(data, str) else json.dumps(data),
            content_type="application/json",
            headers={"X-CSRFToken": self.cookies["csrftoken"]},
        )

    def post(self, path: str, data: object = None) -> Response:
        self.me()
        return self.send("POST", path, data)

    def patch(self, path: str, data: object = None) -> Response:
        self.me()
        return self.send("PATCH", path, data)

    def delete(self, path: str) -> Response:
        self.me()
        return self.send("DELETE", path)

    def login(self, email: str = "ada@example.com", password: str = PASSWORD) -> Response:
        return self.post("/api/v1/auth/login/", {"email": email, "password": password})

    def logout(self) -> Response:
        return self.post("/api/v1/auth/logout/")

    @property
    def is_logged_in(self) -> bool:
        return self.me().status_code == HTTPStatus.OK
