from django.conf import settings
from ninja import NinjaAPI

from apps.accounts.api import router as accounts
from apps.health.api import router as health

api = NinjaAPI(
    title="Reference API",
    version="1.0.0",
    urls_namespace="api",
    docs_url="/docs" if settings.DEBUG else None,
)
api.add_router("/auth", accounts, tags=["auth"])
api.add_router("/health", health, tags=["health"])
