from typing import Annotated

from django.views.decorators.cache import never_cache
from ninja import Path, Query, Router, Status
from ninja.decorators import decorate_view
from ninja.errors import HttpError
from ninja.security import SessionAuth
from pydantic import Field

from apps.accounts.authentication import UserRequest
from apps.errors import INVALID_INPUT, TOO_LARGE, ErrorOut, InvalidInputOut
from apps.projects.models import Project
from apps.projects.schemas import LARGEST_ID, PageIn, PageOut, ProjectIn, ProjectOut
from apps.projects.services import project_create, project_delete, project_page

router = Router(auth=SessionAuth())

ProjectId = Annotated[int, Field(ge=1, le=LARGEST_ID)]


@router.get(
    "/",
    operation_id="listProjects",
    response={200: PageOut, 401: ErrorOut, 422: InvalidInputOut},
    openapi_extra={"responses": INVALID_INPUT},
)
@decorate_view(never_cache)
def list_projects(request: UserRequest, page: Query[PageIn]) -> PageOut:
    """List one's own projects, newest first."""
    items, following = project_page(owner=request.user, limit=page.limit, before=page.before)
    return PageOut(items=[ProjectOut.from_orm(item) for item in items], next=following)


@router.post(
    "/",
    operation_id="createProject",
    response={
        201: ProjectOut,
        400: ErrorOut,
        401: ErrorOut,
        403: ErrorOut,
        413: ErrorOut,
        422: InvalidInputOut,
    },
    openapi_extra={"responses": TOO_LARGE | INVALID_INPUT},
)
def create_project(request: UserRequest, project: ProjectIn) -> Status[Project]:
    """Create a project."""
    return Status(201, project_create(owner=request.user, name=project.name))


@router.delete(
    "/{project_id}/",
    operation_id="deleteProject",
    response={
        204: None,
        401: ErrorOut,
        403: ErrorOut,
        404: ErrorOut,
        422: InvalidInputOut,
    },
    openapi_extra={"responses": INVALID_INPUT},
)
def delete_project(request: UserRequest, project_id: Path[ProjectId]) -> Status[None]:
    """Delete one of one's own projects."""
    try:
        project_delete(owner=request.user, project_id=project_id)
    except Project.DoesNotExist:
        raise HttpError(404, "Not Found") from None
    return Status(204, None)
