from datetime import datetime
from typing import Annotated

from ninja import Schema
from pydantic import Field


class RedirectOut(Schema):
    url: Annotated[str, Field(description="Where at Stripe the browser is to go")]


class SubscriptionOut(Schema):
    status: Annotated[
        str, Field(description="Stripe's word for the subscription's status, or `none`")
    ]
    active: Annotated[bool, Field(description="Whether the subscriber is to be served")]
    current_period_end: datetime | None
    cancel_at_period_end: bool
