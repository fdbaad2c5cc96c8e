"""The Stripe client, with the key and the price of this deployment."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import stripe
from django.conf import settings

SECONDS = 10


class NotConfiguredError(Exception):
    pass


class ProviderError(Exception):
    pass


@dataclass(frozen=True)
class Provider:
    client: stripe.StripeClient
    price: str
    webhook_secret: str


def provider() -> Provider:
    """Return the Stripe client of this deployment.

    Raises:
        NotConfiguredError: The deployment has no Stripe settings.
    """
    if settings.STRIPE is None:
        raise NotConfiguredError
    client = stripe.StripeClient(
        settings.STRIPE["secret_key"],
        base_addresses={"api": settings.STRIPE["api_base"]},
        http_client=stripe.RequestsClient(timeout=SECONDS),
        max_network_retries=1,
    )
    return Provider(client, settings.STRIPE["price_id"], settings.STRIPE["webhook_secret"])


@contextmanager
def provider_errors() -> Iterator[None]:
    """Convert errors of the Stripe client.

    Raises:
        ProviderError: Stripe did not respond, or refused the request.
    """
    try:
        yield
    except stripe.StripeError as error:
        raise ProviderError(type(error).__name__) from error
