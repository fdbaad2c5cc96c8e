from typing import Annotated

from django.views.decorators.cache import never_cache
from ninja import Path, Query, Router, Status
from ninja.decorators import decorate_view
from ninja.errors import HttpError
from ninja.security import SessionAuth
from pydantic import Field

from apps.accounts.authentication import UserRequest
from apps.errors import problems
from apps.pages import LARGEST_ID, PageIn
from apps.projects.models import Project
from apps.projects.schemas import ProjectIn, ProjectOut, ProjectPageOut
from apps.projects.services import project_create, project_delete, project_page

router = Router(auth=SessionAuth())

ProjectId = Annotated[int, Field(ge=1, le=LARGEST_ID)]


@router.get("/", operation_id="listProjects", response=ProjectPageOut)
@decorate_view(never_cache)
def list_projects(request: UserRequest, page: Query[PageIn]) -> ProjectPageOut:
    """List your projects, newest first."""
    items, following = project_page(owner=request.user, limit=page.limit, before=page.before)
    return ProjectPageOut(items=[ProjectOut.from_orm(item) for item in items], next=following)


@router.post("/", operation_id="createProject", response={201: ProjectOut})
def create_project(request: UserRequest, project: ProjectIn) -> Status[Project]:
    """Create a project."""
    return Status(201, project_create(owner=request.user, name=project.name))


@router.delete("/{project_id}/", operation_id="deleteProject", response={204: None} | problems(404))
def delete_project(request: UserRequest, project_id: Path[ProjectId]) -> Status[None]:
    """Delete one of your projects."""
    try:
        project_delete(owner=request.user, project_id=project_id)
    except Project.DoesNotExist:
        raise HttpError(404, "You have no such project.") from None
    return Status(204, None)
