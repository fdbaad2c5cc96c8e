import secrets

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from apps.telemetry.metrics import registry


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Return the metrics to requests with the token; others get 404."""
    if not may_scrape(request):
        raise Http404
    measured = generate_latest(registry(settings.METRICS_DIRECTORY))
    return HttpResponse(measured, content_type=CONTENT_TYPE_LATEST)


def may_scrape(request: HttpRequest) -> bool:
    """Return whether the request has the token. Without a token in the settings, none has."""
    token = settings.METRICS_TOKEN
    given = request.headers.get("Authorization", "")
    return token is not None and secrets.compare_digest(given.encode(), f"Bearer {token}".encode())
