import socket

from django.conf import settings
from django.http import HttpRequest
from django.views.decorators.cache import never_cache
from ninja import Router, Schema
from ninja.decorators import decorate_view

from apps.telemetry.metrics import worker_deaths

router = Router()


class WorkersOut(Schema):
    deploy_id: str
    replica: str
    died: int | None


@router.get("/", auth=None, operation_id="getWorkers", response=WorkersOut)
@decorate_view(never_cache)
def workers(request: HttpRequest) -> WorkersOut:  # noqa: ARG001
    """Tell how many workers of this server died since it started; null where none can tell.

    `replica` is the host name: in a container, the first characters of the container's id.
    """
    return WorkersOut(
        deploy_id=settings.VERSION["deploy_id"],
        replica=socket.gethostname(),
        died=worker_deaths(settings.METRICS_DIRECTORY),
    )
