from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.urls import reverse

from apps.accounts.models import User
from apps.projects.models import Project

if TYPE_CHECKING:
    from django.test import Client
    from pytest_django import Settings

    from apps.accounts.tests.browser import Browser

PROJECTS = "/api/v1/projects/"


def path(project: Project) -> str:
    return f"{PROJECTS}{project.pk}/"


@pytest.fixture
def member(browser: Browser, user: User) -> Browser:
    browser.login(user.email)
    return browser


@pytest.fixture
def foreign_project(db: None) -> Project:  # noqa: ARG001
    return Project.objects.create(owner=User.objects.create_user("eve@example.com"), name="Secret")


def test_create(member: Browser, user: User) -> None:
    response = member.post(PROJECTS, {"name": "  Analytical Engine "})
    project = Project.objects.get()

    assert response.status_code == 201
    assert response.json()["id"] == project.pk
    assert response.json()["name"] == project.name == str(project) == "Analytical Engine"
    assert project.owner == user


def test_list_own_projects(member: Browser, user: User, foreign_project: Project) -> None:
    for name in ("first", "second"):
        Project.objects.create(owner=user, name=name)
    page = member.client.get(PROJECTS).json()

    assert [item["name"] for item in page["items"]] == ["second", "first"]
    assert page["next"] is None
    assert foreign_project.name not in str(page)


def test_list_pages_during_changes(member: Browser, user: User) -> None:
    kept = [Project.objects.create(owner=user, name=f"{number}") for number in range(5)]
    first = member.client.get(PROJECTS, {"limit": 2}).json()
    Project.objects.create(owner=user, name="new")
    kept[3].delete()
    second = member.client.get(PROJECTS, {"limit": 2, "before": first["next"]}).json()
    third = member.client.get(PROJECTS, {"limit": 2, "before": second["next"]}).json()

    names = [[item["name"] for item in page["items"]] for page in (first, second, third)]
    assert names == [["4", "3"], ["2", "1"], ["0"]]
    assert third["next"] is None


def test_list_full_last_page(member: Browser, user: User) -> None:
    Project.objects.create(owner=user, name="only")

    assert member.client.get(PROJECTS, {"limit": 1}).json()["next"] is None


@pytest.mark.parametrize(
    ("field", "value"),
    [("limit", 0), ("limit", 101), ("limit", "many"), ("before", 0), ("before", 2**63)],
)
def test_list_invalid_page(member: Browser, field: str, value: str | int) -> None:
    response = member.client.get(PROJECTS, {field: value})

    assert response.status_code == 422
    assert response.json()["errors"][0]["loc"][-1] == field


@pytest.mark.parametrize("name", ["", "   ", "n" * 101, "nul\x00", None, 7])
def test_create_invalid_name(member: Browser, name: object) -> None:
    response = member.post(PROJECTS, {"name": name})

    assert response.status_code == 422
    assert not Project.objects.exists()


def test_delete(member: Browser, user: User) -> None:
    project = Project.objects.create(owner=user, name="done")
    response = member.delete(path(project))

    assert response.status_code == 204
    assert not Project.objects.exists()


def test_delete_project_of_other_user(member: Browser, foreign_project: Project) -> None:
    response = member.delete(path(foreign_project))

    assert response.status_code == 404
    assert response.json()["detail"] == "You have no such project."
    assert Project.objects.get() == foreign_project


@pytest.mark.parametrize("number", [0, 2**63, "one"])
@pytest.mark.usefixtures("user")
def test_delete_invalid_id(member: Browser, number: object) -> None:
    assert member.delete(f"{PROJECTS}{number}/").status_code == 422


def test_projects_require_login(browser: Browser, foreign_project: Project) -> None:
    answers = [
        browser.client.get(PROJECTS),
        browser.post(PROJECTS, {"name": "mine"}),
        browser.delete(path(foreign_project)),
    ]

    assert [answer.status_code for answer in answers] == [401, 401, 401]
    assert Project.objects.get() == foreign_project


def test_projects_require_csrf_token(member: Browser, user: User) -> None:
    project = Project.objects.create(owner=user, name="kept")
    created = member.client.post(PROJECTS, {"name": "forged"}, content_type="application/json")
    deleted = member.client.delete(path(project))

    assert created.status_code == deleted.status_code == 403
    assert Project.objects.get() == project


def test_create_body_not_json(member: Browser) -> None:
    response = member.post(PROJECTS, "{not json")

    assert response.status_code == 400
    assert not Project.objects.exists()


def test_create_body_too_large(member: Browser, settings: Settings) -> None:
    response = member.post(PROJECTS, {"name": "n" * settings.DATA_UPLOAD_MAX_MEMORY_SIZE})

    assert response.status_code == 413
    assert response.json()["detail"] == "The request body is too large."
    assert not Project.objects.exists()


def test_list_is_not_cached(member: Browser) -> None:
    assert "no-store" in member.client.get(PROJECTS)["Cache-Control"]


def test_admin_search(administrator: Client, foreign_project: Project) -> None:
    response = administrator.get(reverse("admin:projects_project_changelist"), {"q": "eve"})

    assert foreign_project.name in response.content.decode()
