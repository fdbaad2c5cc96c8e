from django.contrib import admin

from apps.billing.models import Account


@admin.register(Account)
class AccountAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # generic in the stubs only
    list_display = ("user", "customer_id", "status", "current_period_end")
    list_select_related = ("user",)
    search_fields = ("user__email", "customer_id")
    autocomplete_fields = ("user",)
