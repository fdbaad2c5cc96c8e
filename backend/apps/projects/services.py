from apps.accounts.models import User
from apps.pages import page_of
from apps.projects.models import Project


def project_page(
    *, owner: User, limit: int, before: int | None
) -> tuple[list[Project], int | None]:
    """List a user's projects, newest first.

    Returns:
        At most `limit` projects, and `before` of the next page or None.
    """
    projects = Project.objects.filter(owner=owner)
    return page_of(projects, limit=limit, before=before)


def project_create(*, owner: User, name: str) -> Project:
    """Create a project of a user."""
    return Project.objects.create(owner=owner, name=name)


def project_delete(*, owner: User, project_id: int) -> None:
    """Delete a project of this user.

    Raises:
        Project.DoesNotExist: The user has no such project.
    """
    Project.objects.get(owner=owner, id=project_id).delete()
