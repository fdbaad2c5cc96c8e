"""The number of queries per request, with the session engine of production."""

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from apps.accounts.models import User
from apps.accounts.tests.browser import PASSWORD, Browser
from apps.projects.models import Project

pytestmark = pytest.mark.usefixtures("_production_sessions")

PROJECTS = "/api/v1/projects/"
LOGIN = "/api/v1/auth/login/"
SESSIONS = "/api/v1/auth/sessions/"


@pytest.fixture
def member(browser: Browser, user: User) -> Browser:
    browser.login(user.email)
    browser.me()
    return browser


def test_queries_of_me(member: Browser, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_num_queries(1):
        member.me()


def test_queries_of_project_list(
    member: Browser, user: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    Project.objects.bulk_create(Project(owner=user, name="many") for _ in range(30))
    with django_assert_num_queries(2):
        member.client.get(PROJECTS, {"limit": 20})


def test_queries_of_project_create(
    member: Browser, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(2):
        member.send("POST", PROJECTS, {"name": "one"})


def test_queries_of_project_delete(
    member: Browser, user: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    project = Project.objects.create(owner=user, name="one")
    with django_assert_num_queries(3):
        member.send("DELETE", f"{PROJECTS}{project.pk}/")


@pytest.mark.usefixtures("user")
def test_queries_of_login(
    browser: Browser, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    browser.me()
    with django_assert_num_queries(10):
        browser.send("POST", LOGIN, {"email": "ada@example.com", "password": PASSWORD})


def test_queries_of_session_list(
    member: Browser, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(3):
        Browser().login()
    with django_assert_num_queries(2):
        assert len(member.client.get(SESSIONS).json()["items"]) == 4


def test_queries_of_profile_update(
    member: Browser, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(2):
        member.send("PATCH", "/api/v1/auth/me/", {"first_name": "Augusta"})


@pytest.mark.django_db
def test_queries_of_health(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(0):
        client.get("/api/v1/health/")
        client.get("/api/v1/version/")


@pytest.mark.django_db
def test_queries_of_readiness(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(3):
        client.get("/api/v1/health/ready/")
