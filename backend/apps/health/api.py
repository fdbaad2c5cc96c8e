from typing import Literal

from django.conf import settings
from django.http import HttpRequest
from django.views.decorators.cache import never_cache
from ninja import Router, Schema, Status
from ninja.decorators import decorate_view

from apps.health.checks import Verdict, readiness

router = Router()
version_router = Router()


class HealthOut(Schema):
    status: Literal["ok"]


class ReadinessOut(Schema):
    status: Verdict
    checks: dict[str, Verdict]


class VersionOut(Schema):
    release: str
    commit: str
    deploy_id: str


@router.get("/", auth=None, operation_id="getHealth", response=HealthOut)
@decorate_view(never_cache)
def health(request: HttpRequest) -> HealthOut:  # noqa: ARG001
    """Liveness: the process responds. Does not check its dependencies."""
    return HealthOut(status="ok")


@router.get(
    "/ready/",
    auth=None,
    operation_id="getReadiness",
    response={200: ReadinessOut, 503: ReadinessOut},
)
@decorate_view(never_cache)
def ready(request: HttpRequest) -> Status[ReadinessOut]:  # noqa: ARG001
    """Readiness: the process and its dependencies can serve traffic."""
    checks = readiness()
    if "failed" in checks.values():
        return Status(503, ReadinessOut(status="failed", checks=checks))
    return Status(200, ReadinessOut(status="ok", checks=checks))


@version_router.get("/", auth=None, operation_id="getVersion", response=VersionOut)
@decorate_view(never_cache)
def version(request: HttpRequest) -> VersionOut:  # noqa: ARG001
    """Return the running release, its commit and the deployment that started it."""
    return VersionOut(**settings.VERSION)
