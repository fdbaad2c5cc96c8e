from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from apps.accounts.models import User
from apps.accounts.tests.browser import PASSWORD
from apps.billing.models import Account, Event
from apps.billing.tests.stripe_stub import PRICE, Stripe, event, serving, signed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from django.test.client import _MonkeyPatchedWSGIResponse as Response
    from pytest_django import Settings

    from apps.accounts.tests.browser import Browser

BILLING = "/api/v1/billing"
UPDATED = "customer.subscription.updated"
NONE = {
    "status": "none",
    "active": False,
    "current_period_end": None,
    "cancel_at_period_end": False,
}


@pytest.fixture
def stripe(settings: Settings) -> Iterator[Stripe]:
    with serving() as server:
        settings.STRIPE = server.settings
        settings.PUBLIC_URL = "https://www.example.com"
        yield server


@pytest.fixture
def member(browser: Browser, user: User) -> Browser:
    browser.login(user.email)
    return browser


@pytest.fixture
def customer(member: Browser, stripe: Stripe) -> Browser:  # noqa: ARG001  # the checkout calls it
    member.post(f"{BILLING}/checkout/")
    return member


def state(browser: Browser) -> dict[str, object]:
    found: dict[str, object] = browser.client.get(f"{BILLING}/subscription/").json()
    return found


def deliver(payload: str, signature: str | None = None) -> Response:
    headers = {"Stripe-Signature": signed(payload) if signature is None else signature}
    return Client(enforce_csrf_checks=True).post(
        f"{BILLING}/webhook/", payload, content_type="application/json", headers=headers
    )


def test_checkout(member: Browser, user: User, stripe: Stripe) -> None:
    response = member.post(f"{BILLING}/checkout/")
    (_, _, customer), (_, _, session) = stripe.requests

    assert response.status_code == 200
    assert response.json() == {"url": "https://checkout.test/cs_1"}
    assert customer == {"email": user.email, "metadata[user_id]": str(user.pk)}
    assert session == {
        "mode": "subscription",
        "customer": "cus_1",
        "line_items[0][price]": PRICE,
        "line_items[0][quantity]": "1",
        "success_url": "https://www.example.com/billing?checkout=done",
        "cancel_url": "https://www.example.com/billing?checkout=canceled",
    }


def test_checkout_creates_one_customer(member: Browser, stripe: Stripe) -> None:
    member.post(f"{BILLING}/checkout/")
    member.post(f"{BILLING}/checkout/")
    Account.objects.all().delete()  # as if the first response had been lost
    member.post(f"{BILLING}/checkout/")

    assert list(stripe.customers) == [f"customer-of-{User.objects.get().pk}"]


def test_subscription_after_event(customer: Browser, stripe: Stripe) -> None:
    before = state(customer)
    stripe.subscribe("active")
    response = deliver(event("checkout.session.completed", "cus_1"))

    assert before == NONE
    assert (response.status_code, response.content) == (204, b"")
    assert state(customer) == {
        "status": "active",
        "active": True,
        "current_period_end": "2027-01-15T08:00:00Z",
        "cancel_at_period_end": False,
    }


def test_checkout_with_subscription(customer: Browser, stripe: Stripe) -> None:
    stripe.subscribe("active")
    deliver(event(UPDATED, "cus_1"))

    assert customer.post(f"{BILLING}/checkout/").status_code == 409


def test_checkout_after_cancellation(customer: Browser, stripe: Stripe) -> None:
    stripe.subscribe("canceled")
    deliver(event("customer.subscription.deleted", "cus_1"))

    assert not state(customer)["active"]
    assert customer.post(f"{BILLING}/checkout/").status_code == 200


def test_portal(customer: Browser, stripe: Stripe) -> None:
    response = customer.post(f"{BILLING}/portal/")

    assert response.json() == {"url": "https://portal.test/"}
    assert stripe.requests[-1][2] == {
        "customer": "cus_1",
        "return_url": "https://www.example.com/billing",
    }


@pytest.mark.usefixtures("stripe")
def test_portal_without_customer(member: Browser) -> None:
    assert member.post(f"{BILLING}/portal/").status_code == 409


def test_event_delivered_twice(customer: Browser, stripe: Stripe) -> None:
    stripe.subscribe("active")
    deliver(event(UPDATED, "cus_1"))
    count = len(stripe.requests)
    stripe.subscribe("canceled")

    assert deliver(event(UPDATED, "cus_1")).status_code == 204
    assert len(stripe.requests) == count
    assert state(customer)["active"]


def test_event_out_of_order(customer: Browser, stripe: Stripe) -> None:
    stripe.subscribe("canceled")
    deliver(event("customer.subscription.deleted", "cus_1", identifier="evt_2"))
    deliver(event("customer.subscription.created", "cus_1", identifier="evt_1"))

    assert state(customer)["status"] == "canceled"


def test_event_of_earlier_subscription(customer: Browser, stripe: Stripe) -> None:
    stripe.subscribe("active", identifier="sub_2")
    stripe.subscribe("canceled", identifier="sub_1")
    deliver(event(UPDATED, "cus_1", identifier="evt_1", subscription="sub_2"))
    deliver(event("customer.subscription.deleted", "cus_1", identifier="evt_2"))

    assert state(customer)["status"] == "active"


def test_event_retry_after_failure(customer: Browser, stripe: Stripe) -> None:
    stripe.subscribe("active")
    stripe.is_down = True
    failed = deliver(event(UPDATED, "cus_1"))
    stripe.is_down = False

    assert failed.status_code == 502
    assert not Event.objects.exists()
    assert deliver(event(UPDATED, "cus_1")).status_code == 204
    assert state(customer)["active"]


@pytest.mark.parametrize(
    ("kind", "customer_id"), [(UPDATED, "cus_unknown"), ("invoice.paid", "cus_1")]
)
def test_unrelated_event_is_ignored(
    customer: Browser, stripe: Stripe, kind: str, customer_id: str
) -> None:
    stripe.subscribe("active")

    assert deliver(event(kind, customer_id)).status_code == 204
    assert state(customer) == NONE


PAYLOAD = event(UPDATED, "cus_1")


@pytest.mark.parametrize(
    ("payload", "signature"),
    [
        pytest.param(PAYLOAD, lambda: "", id="none"),
        pytest.param(PAYLOAD, lambda: "swordfish", id="no signature"),
        pytest.param(PAYLOAD, lambda: "t=now,v1=00", id="no time"),
        pytest.param(PAYLOAD, lambda: signed(PAYLOAD, secret="whsec_forged"), id="other key"),
        pytest.param(PAYLOAD, lambda: signed(PAYLOAD).replace("v1=", "v0="), id="other scheme"),
        pytest.param(PAYLOAD, lambda: signed(PAYLOAD, age=600), id="replayed"),
        pytest.param(
            PAYLOAD.replace("cus_1", "cus_2"), lambda: signed(PAYLOAD), id="other payload"
        ),
        pytest.param("{not json", lambda: signed("{not json"), id="no event"),
    ],
)
def test_forged_event(
    customer: Browser, stripe: Stripe, payload: str, signature: Callable[[], str]
) -> None:
    stripe.subscribe("active")
    response = deliver(payload, signature())

    assert response.status_code == 400
    assert response["Content-Type"] == "application/problem+json"
    assert not Event.objects.exists()
    assert state(customer) == NONE


@pytest.mark.usefixtures("stripe")
@pytest.mark.django_db
def test_event_body_not_text() -> None:
    headers = {"Stripe-Signature": "t=1,v1=00"}
    response = Client().post(
        f"{BILLING}/webhook/", b"\xff\xfe", content_type="application/json", headers=headers
    )

    assert response.status_code == 400


def test_checkout_during_outage(member: Browser, stripe: Stripe) -> None:
    stripe.is_down = True
    response = member.post(f"{BILLING}/checkout/")

    assert response.status_code == 502
    assert not Account.objects.exists()


def test_billing_not_configured(member: Browser) -> None:
    answers = [
        member.client.get(f"{BILLING}/subscription/"),
        member.post(f"{BILLING}/checkout/"),
        member.post(f"{BILLING}/portal/"),
        deliver(PAYLOAD),
    ]

    assert {answer.status_code for answer in answers} == {503}
    assert {answer.json()["detail"] for answer in answers} == {"Billing is not configured."}


def test_billing_requires_login(browser: Browser, stripe: Stripe) -> None:
    paths = ("checkout", "portal")
    answers = [browser.post(f"{BILLING}/{path}/").status_code for path in paths]

    assert [*answers, browser.client.get(f"{BILLING}/subscription/").status_code] == [401] * 3
    assert not stripe.requests


def test_admin_search(administrator: Client) -> None:
    eve = User.objects.create_user("eve@example.com", PASSWORD)
    account = Account.objects.create(user=eve, customer_id="cus_eve")
    response = administrator.get(reverse("admin:billing_account_changelist"), {"q": "eve"})

    assert str(account) in response.content.decode()


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_parallel_deliveries(stripe: Stripe) -> None:
    user = User.objects.create_user("ada@example.com", PASSWORD)
    Account.objects.create(user=user, customer_id="cus_1")
    stripe.subscribe("active")

    def one(_: int) -> int:
        try:
            return deliver(PAYLOAD).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(one, range(8))) == {204}
    assert len(stripe.requests) == 1
    assert str(Event.objects.get()) == f"{UPDATED} evt_1"
