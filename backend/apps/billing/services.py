from datetime import UTC, datetime

import stripe
from django.conf import settings
from django.db import transaction

from apps.accounts.models import User
from apps.billing.models import Account, Event
from apps.billing.provider import Provider, provider, provider_errors

# https://docs.stripe.com/billing/subscriptions/overview#subscription-statuses
ACTIVE_STATUSES = {"active", "trialing", "past_due"}
ENDED_STATUSES = {"", "canceled", "incomplete_expired"}

# The field of each event's object that holds the id of the subscription.
SUBSCRIPTION_FIELDS = {
    "checkout.session.completed": "subscription",
    "customer.subscription.created": "id",
    "customer.subscription.deleted": "id",
    "customer.subscription.paused": "id",
    "customer.subscription.resumed": "id",
    "customer.subscription.updated": "id",
}


class AlreadySubscribedError(Exception):
    pass


class NoCustomerError(Exception):
    pass


class InvalidEventError(Exception):
    pass


def account_of(*, user: User) -> Account:
    """Return the account of a user, or a new one that is not saved.

    Raises:
        NotConfiguredError: This deployment has no billing.
    """
    provider()
    return Account.objects.filter(user=user).first() or Account(user=user)


def checkout_start(*, user: User) -> str:
    """Return the URL of a checkout page at Stripe.

    Raises:
        AlreadySubscribedError: The user has a subscription that has not ended.
        NotConfiguredError: This deployment has no billing.
        ProviderError: Stripe did not respond, or refused the request.
    """
    billing = provider()
    account = customer_ensure(user=user, billing=billing)
    if account.status not in ENDED_STATUSES:
        raise AlreadySubscribedError
    with provider_errors():
        session = billing.client.v1.checkout.sessions.create(
            {
                "mode": "subscription",
                "customer": account.customer_id,
                "line_items": [{"price": billing.price, "quantity": 1}],
                "success_url": f"{settings.PUBLIC_URL}/billing?checkout=done",
                "cancel_url": f"{settings.PUBLIC_URL}/billing?checkout=canceled",
            }
        )
    return str(session.url)


def customer_ensure(*, user: User, billing: Provider) -> Account:
    """Return the account of a user; create the customer at Stripe if there is none.

    Raises:
        ProviderError: Stripe did not respond, or refused the request.
    """
    if account := Account.objects.filter(user=user).first():
        return account
    # With this key, Stripe returns the same customer to parallel requests.
    with provider_errors():
        customer = billing.client.v1.customers.create(
            {"email": user.email, "metadata": {"user_id": str(user.pk)}},
            {"idempotency_key": f"customer-of-{user.pk}"},
        )
    account, _ = Account.objects.get_or_create(user=user, defaults={"customer_id": customer.id})
    return account


def portal_open(*, user: User) -> str:
    """Return the URL of Stripe's customer portal, for invoices and cancellation.

    Raises:
        NoCustomerError: The user never started a checkout.
        NotConfiguredError: This deployment has no billing.
        ProviderError: Stripe did not respond, or refused the request.
    """
    billing = provider()
    account = Account.objects.filter(user=user).first()
    if account is None:
        raise NoCustomerError
    with provider_errors():
        session = billing.client.v1.billing_portal.sessions.create(
            {"customer": account.customer_id, "return_url": f"{settings.PUBLIC_URL}/billing"}
        )
    return session.url


def event_process(*, payload: bytes, signature: str) -> None:
    """Process an event from Stripe once, however often it is delivered.

    The primary key of Event serializes parallel deliveries of one event: the second waits for the
    transaction of the first. It skips the event if the first succeeded, and processes it otherwise.

    Raises:
        InvalidEventError: The event is not from Stripe, or older than five minutes.
        NotConfiguredError: This deployment has no billing.
        ProviderError: Stripe did not return the subscription. Stripe delivers the event again.
    """
    billing = provider()
    try:
        event = billing.client.construct_event(payload, signature, billing.webhook_secret)
    except (ValueError, stripe.SignatureVerificationError):
        raise InvalidEventError from None
    with transaction.atomic():
        _, is_new = Event.objects.get_or_create(id=event.id, defaults={"type": event.type[:100]})
        subject = event.data.object.to_dict()
        if is_new and (subscription := subject.get(SUBSCRIPTION_FIELDS.get(event.type, ""))):
            subscription_refresh(
                customer_id=str(subject.get("customer")),
                subscription_id=subscription,
                billing=billing,
            )


def subscription_refresh(*, customer_id: str, subscription_id: str, billing: Provider) -> None:
    """Fetch a subscription from Stripe and store its current state.

    Events arrive in any order, so their own data may be outdated. A lock on the account keeps the
    order of parallel fetches: the latest response is stored last.

    Raises:
        ProviderError: Stripe did not respond, or refused the request.
    """
    account = Account.objects.select_for_update().filter(customer_id=customer_id).first()
    if account is None:
        return  # a customer of another application with the same Stripe account
    with provider_errors():
        subscription = billing.client.v1.subscriptions.retrieve(subscription_id)
    is_other = account.subscription_id not in {"", subscription.id}
    if is_other and subscription.status in ENDED_STATUSES:
        return  # the end of an earlier subscription
    period = subscription["items"]["data"][0]["current_period_end"]
    account.subscription_id = subscription.id
    account.status = subscription.status
    account.current_period_end = datetime.fromtimestamp(period, UTC)
    account.cancel_at_period_end = subscription.cancel_at_period_end
    account.save()
