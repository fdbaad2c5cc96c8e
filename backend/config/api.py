from django.conf import settings

from apps.accounts.api import router as accounts
from apps.accounts.registration import router as registration
from apps.billing.api import router as billing  # billing
from apps.health.api import router as health
from apps.health.api import version_router as version
from apps.projects.api import router as projects
from apps.telemetry.api import router as workers
from config.openapi import ProblemAPI
from config.problems import handle_problems

api = ProblemAPI(
    title="Reference API",
    version="2.0.0",
    urls_namespace="api",
    docs_url="/docs" if settings.DEBUG else None,
)
handle_problems(api)
api.add_router("/auth", accounts, tags=["auth"])
api.add_router("/auth", registration, tags=["auth"])
api.add_router("/billing", billing, tags=["billing"])  # billing
api.add_router("/health", health, tags=["health"])
api.add_router("/projects", projects, tags=["projects"])
api.add_router("/version", version, tags=["health"])
api.add_router("/health/workers", workers, tags=["health"])
