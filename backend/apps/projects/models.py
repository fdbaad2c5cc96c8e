from django.conf import settings
from django.db import models


class Project(models.Model):
    """A project, visible to its owner only."""

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="projects",
        db_index=False,  # the index below starts with it
    )
    name = models.CharField(max_length=100)
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = (models.Index(fields=["owner", "-id"], name="project_page"),)

    def __str__(self) -> str:
        return self.name
