"""What a request costs the database, with sessions as production keeps them."""

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from apps.accounts.models import User
from apps.accounts.tests.browser import PASSWORD, Browser
from apps.projects.models import Project

pytestmark = pytest.mark.usefixtures("_sessions_of_production")

PROJECTS = "/api/v1/projects/"
LOGIN = "/api/v1/auth/login/"
SESSIONS = "/api/v1/auth/sessions/"


@pytest.fixture
def member(browser: Browser, user: User) -> Browser:
    browser.login(user.email)
    browser.me()
    return browser


def test_me_costs_only_the_user(
    member: Browser, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(1):
        member.me()


def test_a_list_costs_one_query_more_however_long_it_is(
    member: Browser, user: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    Project.objects.bulk_create(Project(owner=user, name="many") for _ in range(30))
    with django_assert_num_queries(2):
        member.client.get(PROJECTS, {"limit": 20})


def test_a_new_project_costs_one_query_more(
    member: Browser, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(2):
        member.send("POST", PROJECTS, {"name": "one"})


def test_deleting_a_project_costs_two_queries_more(
    member: Browser, user: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    project = Project.objects.create(owner=user, name="one")
    with django_assert_num_queries(3):
        member.send("DELETE", f"{PROJECTS}{project.pk}/")


@pytest.mark.usefixtures("user")
def test_a_login_costs_the_user_its_date_a_session_and_a_note_of_it(
    browser: Browser, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    browser.me()
    with django_assert_num_queries(10):
        browser.send("POST", LOGIN, {"email": "ada@example.com", "password": PASSWORD})


def test_a_list_of_sessions_costs_one_query_more_however_long_it_is(
    member: Browser, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(3):
        Browser().login()
    with django_assert_num_queries(2):
        assert len(member.client.get(SESSIONS).json()["items"]) == 4


def test_a_profile_costs_one_query_more_to_change(
    member: Browser, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(2):
        member.send("PATCH", "/api/v1/auth/me/", {"first_name": "Augusta"})


@pytest.mark.django_db
def test_being_alive_costs_nothing(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(0):
        client.get("/api/v1/health/")
        client.get("/api/v1/version/")


@pytest.mark.django_db
def test_being_ready_costs_a_look_at_the_database_and_its_migrations(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(3):
        client.get("/api/v1/health/ready/")
