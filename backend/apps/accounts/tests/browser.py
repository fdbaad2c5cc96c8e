from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from django.test import Client

if TYPE_CHECKING:
    from django.test.client import _MonkeyPatchedWSGIResponse as Response

PASSWORD = "correct horse battery staple"


class Browser:
    """A client that is held to the CSRF rules, and keeps them the way the frontend does."""

    def __init__(self) -> None:
        self.client = Client(enforce_csrf_checks=True)

    @property
    def cookies(self) -> dict[str, str]:
        return {name: cookie.value for name, cookie in self.client.cookies.items()}

    def me(self) -> Response:
        return self.client.get("/api/v1/auth/me/")

    def post(self, path: str, data: object = None) -> Response:
        self.me()
        return self.client.post(
            path,
            data,
            content_type="application/json",
            headers={"X-CSRFToken": self.cookies["csrftoken"]},
        )

    def login(self, email: str = "ada@example.com", password: str = PASSWORD) -> Response:
        return self.post("/api/v1/auth/login/", {"email": email, "password": password})

    def logout(self) -> Response:
        return self.post("/api/v1/auth/logout/")

    @property
    def is_logged_in(self) -> bool:
        return self.me().status_code == HTTPStatus.OK
