from datetime import datetime
from typing import Annotated

from ninja import Schema
from pydantic import Field


class RedirectOut(Schema):
    url: Annotated[str, Field(description="Page at Stripe to redirect the browser to")]


class SubscriptionOut(Schema):
    status: Annotated[str, Field(description="Status of the subscription at Stripe, or `none`")]
    active: Annotated[bool, Field(description="Whether the subscription grants access")]
    current_period_end: datetime | None
    cancel_at_period_end: bool
