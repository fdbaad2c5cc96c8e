from apps.accounts.models import User
from apps.projects.models import Project


def project_page(
    *, owner: User, limit: int, before: int | None
) -> tuple[list[Project], int | None]:
    """List a user's projects, newest first.

    A page begins behind the last project of the page before it, so a project that comes or goes
    meanwhile neither repeats nor hides another, and the last page costs no more than the first.

    Returns:
        At most `limit` projects, and what `before` is for the next page if there is one.
    """
    projects = Project.objects.filter(owner=owner).order_by("-id")
    if before is not None:
        projects = projects.filter(id__lt=before)
    page = list(projects[: limit + 1])
    return page[:limit], page[limit - 1].pk if len(page) > limit else None


def project_create(*, owner: User, name: str) -> Project:
    """Give a user a new project."""
    return Project.objects.create(owner=owner, name=name)


def project_delete(*, owner: User, project_id: int) -> None:
    """Delete a project of this user.

    Raises:
        Project.DoesNotExist: The user has no such project.
    """
    Project.objects.get(owner=owner, id=project_id).delete()
