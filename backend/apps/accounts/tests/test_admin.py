from django.test import Client
from django.urls import reverse

from apps.accounts.models import User
from apps.accounts.tests.browser import PASSWORD


def test_user_search(administrator: Client, user: User) -> None:
    response = administrator.get(reverse("admin:accounts_user_changelist"), {"q": "ada"})

    assert user.email in response.content.decode()


def test_user_add(administrator: Client) -> None:
    data = {
        "email": "Grace@Example.com",
        "usable_password": "true",
        "password1": PASSWORD,
        "password2": PASSWORD,
    }
    response = administrator.post(reverse("admin:accounts_user_add"), data)

    assert response.status_code == 302
    assert User.objects.get(email="grace@example.com").check_password(PASSWORD)


def test_user_add_duplicate(administrator: Client, user: User) -> None:
    data = {"email": user.email.upper(), "usable_password": "false"}
    response = administrator.post(reverse("admin:accounts_user_add"), data)

    assert response.status_code == 200
    assert "already exists" in response.content.decode()


def test_user_change(administrator: Client, user: User) -> None:
    data = {"email": user.email, "first_name": "Augusta", "is_active": "on"}
    response = administrator.post(reverse("admin:accounts_user_change", args=[user.pk]), data)
    user.refresh_from_db()

    assert response.status_code == 302
    assert user.first_name == "Augusta"


def test_index_requires_staff(client: Client, user: User) -> None:
    client.force_login(user)

    assert client.get(reverse("admin:index")).status_code == 302
