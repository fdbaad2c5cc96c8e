from django.conf import settings
from django.db import models


class Account(models.Model):
    """A user's customer id at Stripe, and the last known state of the subscription."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", primary_key=True
    )
    customer_id = models.CharField(max_length=255, unique=True)
    subscription_id = models.CharField(max_length=255, blank=True)
    status = models.CharField(max_length=30, blank=True)
    current_period_end = models.DateTimeField(null=True, blank=True)
    cancel_at_period_end = models.BooleanField(default=False)

    def __str__(self) -> str:
        return self.customer_id


class Event(models.Model):
    """A processed Stripe event, stored so that repeated deliveries are ignored."""

    id = models.CharField(max_length=255, primary_key=True)
    type = models.CharField(max_length=100)
    received = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.type} {self.id}"
