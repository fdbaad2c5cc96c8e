"""The admin site works with the content security policy: no inline or external content."""

from html.parser import HTMLParser

import pytest
from django.test import Client
from django.urls import reverse

from apps.accounts.models import User

PAGES = [
    "admin:index",
    "admin:password_change",
    "admin:accounts_user_changelist",
    "admin:accounts_user_add",
    "admin:projects_project_changelist",
    "admin:projects_project_add",
]


class Inline(HTMLParser):
    """Collects the tags that a strict content security policy blocks."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = dict(attrs)
        script = tag == "script" and "src" not in names and "json" not in (names.get("type") or "")
        handler = any(name.startswith("on") for name in names)
        source = (names.get("src") or "").startswith(("http:", "https:", "//", "data:"))
        if script or handler or source or tag == "style" or "style" in names:
            self.found.append(f"{self.get_starttag_text()}")


def inline(page: str) -> list[str]:
    parser = Inline()
    parser.feed(page)
    return parser.found


@pytest.mark.parametrize("name", PAGES)
def test_admin_page(administrator: Client, name: str) -> None:
    response = administrator.get(reverse(name))

    assert response.status_code == 200
    assert inline(response.content.decode()) == []


def test_admin_form(administrator: Client, user: User) -> None:
    page = administrator.get(reverse("admin:accounts_user_change", args=[user.pk]))

    assert inline(page.content.decode()) == []


@pytest.mark.django_db
def test_admin_login(client: Client) -> None:
    assert inline(client.get(reverse("admin:login")).content.decode()) == []


@pytest.mark.parametrize(
    "page",
    [
        "<script>alert(1)</script>",
        "<style>a {}</style>",
        '<p style="color: red">',
        '<a onclick="go()">',
        '<img src="data:,x">',
        '<script src="https://cdn.example.net/x.js"></script>',
    ],
)
def test_inline_content_is_found(page: str) -> None:
    assert inline(page)
