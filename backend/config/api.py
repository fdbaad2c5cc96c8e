from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI

from apps.accounts.api import router as accounts
from apps.health.api import router as health
from apps.health.api import version_router as version
from apps.projects.api import router as projects

api = NinjaAPI(
    title="Reference API",
    version="1.0.0",
    urls_namespace="api",
    docs_url="/docs" if settings.DEBUG else None,
)
api.add_router("/auth", accounts, tags=["auth"])
api.add_router("/health", health, tags=["health"])
api.add_router("/projects", projects, tags=["projects"])
api.add_router("/version", version, tags=["health"])


@api.exception_handler(RequestDataTooBig)
def refuse_large_body(request: HttpRequest, _: RequestDataTooBig) -> HttpResponse:
    """Answer with the API's shape of errors; nothing of the body was read."""
    return api.create_response(request, {"detail": "The request body is too large"}, status=413)
