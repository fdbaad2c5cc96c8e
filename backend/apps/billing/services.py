from datetime import UTC, datetime

import stripe
from django.conf import settings
from django.db import transaction

from apps.accounts.models import User
from apps.billing.models import Account, Event
from apps.billing.provider import Provider, asked, provider

# https://docs.stripe.com/billing/subscriptions/overview#subscription-statuses
SERVED = {"active", "trialing", "past_due"}
ENDED = {"", "canceled", "incomplete_expired"}

# Which field of an event's object names the subscription that it is about.
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
    """Return what is known of a user's subscription; nothing is stored for that.

    Raises:
        NotConfiguredError: This deployment has no billing.
    """
    provider()
    return Account.objects.filter(user=user).first() or Account(user=user)


def checkout_start(*, user: User) -> str:
    """Return the page at Stripe where a user can subscribe.

    Raises:
        AlreadySubscribedError: The user has a subscription that has not ended.
        NotConfiguredError: This deployment has no billing.
        ProviderError: Stripe gave no such page.
    """
    billing = provider()
    account = customer_ensure(user=user, billing=billing)
    if account.status not in ENDED:
        raise AlreadySubscribedError
    with asked():
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
    """Return the account of a user, who becomes a customer at Stripe if they are none.

    Raises:
        ProviderError: Stripe did not take the customer.
    """
    if account := Account.objects.filter(user=user).first():
        return account
    # By this key Stripe answers two requests at once with the same customer.
    with asked():
        customer = billing.client.v1.customers.create(
            {"email": user.email, "metadata": {"user_id": str(user.pk)}},
            {"idempotency_key": f"customer-of-{user.pk}"},
        )
    account, _ = Account.objects.get_or_create(user=user, defaults={"customer_id": customer.id})
    return account


def portal_open(*, user: User) -> str:
    """Return the page at Stripe where a customer sees invoices, and may cancel.

    Raises:
        NoCustomerError: The user never went to a checkout.
        NotConfiguredError: This deployment has no billing.
        ProviderError: Stripe gave no such page.
    """
    billing = provider()
    account = Account.objects.filter(user=user).first()
    if account is None:
        raise NoCustomerError
    with asked():
        session = billing.client.v1.billing_portal.sessions.create(
            {"customer": account.customer_id, "return_url": f"{settings.PUBLIC_URL}/billing"}
        )
    return session.url


def event_take(*, payload: bytes, signature: str) -> None:
    """Take what Stripe tells, once.

    Two deliveries of one event meet at its key: the later one waits for the earlier to be stored,
    and finds it done; or takes it over, if the earlier one failed.

    Raises:
        InvalidEventError: It is not from Stripe, or older than five minutes.
        NotConfiguredError: This deployment has no billing.
        ProviderError: Stripe did not say what became of the subscription; it will tell again.
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
    """Store a subscription as Stripe describes it now, whatever an event said when it was made.

    Events come in any order. The account is locked while Stripe is asked, so that of two answers
    the later one is stored last.

    Raises:
        ProviderError: Stripe gave no answer.
    """
    account = Account.objects.select_for_update().filter(customer_id=customer_id).first()
    if account is None:
        return  # a customer of something else that uses this account at Stripe
    with asked():
        subscription = billing.client.v1.subscriptions.retrieve(subscription_id)
    if account.subscription_id not in {"", subscription.id} and subscription.status in ENDED:
        return  # an earlier subscription, which ended before this one
    period = subscription["items"]["data"][0]["current_period_end"]
    account.subscription_id = subscription.id
    account.status = subscription.status
    account.current_period_end = datetime.fromtimestamp(period, UTC)
    account.cancel_at_period_end = subscription.cancel_at_period_end
    account.save()
