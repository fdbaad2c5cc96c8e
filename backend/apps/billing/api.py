from collections.abc import Iterator
from contextlib import contextmanager

from django.http import HttpRequest
from django.views.decorators.cache import never_cache
from ninja import Router, Status
from ninja.decorators import decorate_view
from ninja.errors import HttpError
from ninja.security import SessionAuth

from apps.accounts.authentication import UserRequest
from apps.billing.provider import NotConfiguredError, ProviderError
from apps.billing.schemas import RedirectOut, SubscriptionOut
from apps.billing.services import (
    ACTIVE_STATUSES,
    AlreadySubscribedError,
    InvalidEventError,
    NoCustomerError,
    account_of,
    checkout_start,
    event_process,
    portal_open,
)
from apps.errors import problems

router = Router(auth=SessionAuth())

WEBHOOK = {
    "parameters": [
        {
            "in": "header",
            "name": "Stripe-Signature",
            "required": True,
            "schema": {"type": "string"},
            "description": "https://docs.stripe.com/webhooks/signature",
        }
    ],
    "requestBody": {"required": True, "content": {"application/json": {"schema": {}}}},
}


@router.get(
    "/subscription/",
    operation_id="getSubscription",
    response=problems(503) | {200: SubscriptionOut},
)
@decorate_view(never_cache)
def subscription(request: UserRequest) -> SubscriptionOut:
    """Return your subscription."""
    with http_errors():
        account = account_of(user=request.user)
    return SubscriptionOut(
        status=account.status or "none",
        active=account.status in ACTIVE_STATUSES,
        current_period_end=account.current_period_end,
        cancel_at_period_end=account.cancel_at_period_end,
    )


@router.post(
    "/checkout/",
    operation_id="startCheckout",
    response={200: RedirectOut} | problems(409, 502, 503),
)
def checkout(request: UserRequest) -> RedirectOut:
    """Start a subscription. Redirect the browser to the returned checkout page at Stripe."""
    with http_errors():
        return RedirectOut(url=checkout_start(user=request.user))


@router.post(
    "/portal/", operation_id="openPortal", response={200: RedirectOut} | problems(409, 502, 503)
)
def portal(request: UserRequest) -> RedirectOut:
    """Manage invoices, payment methods and cancellation in Stripe's customer portal."""
    with http_errors():
        return RedirectOut(url=portal_open(user=request.user))


@router.post(
    "/webhook/",
    auth=None,
    operation_id="receiveStripeEvent",
    response={204: None} | problems(502, 503),
    openapi_extra=WEBHOOK,
)
def webhook(request: HttpRequest) -> Status[None]:
    """Receive an event from Stripe. Its signature authenticates it."""
    signature = request.headers.get("Stripe-Signature", "")
    with http_errors():
        event_process(payload=request.body, signature=signature)
    return Status(204, None)


HTTP_ERRORS = {
    AlreadySubscribedError: (409, "You already have a subscription. Change it in the portal."),
    InvalidEventError: (400, "The signature is invalid."),
    NoCustomerError: (409, "You have no subscription yet. Start a checkout first."),
    NotConfiguredError: (503, "Billing is not configured."),
    ProviderError: (502, "Stripe is unavailable. Try again later."),
}


@contextmanager
def http_errors() -> Iterator[None]:
    """Convert billing errors to HTTP errors."""
    try:
        yield
    except tuple(HTTP_ERRORS) as error:
        raise HttpError(*HTTP_ERRORS[type(error)]) from error
