"""Django system checks for mistakes that Django does not detect.

https://docs.djangoproject.com/en/stable/topics/checks/
"""

from django.apps import apps
from django.core.checks import Error, register
from django.db.migrations.loader import MigrationLoader


@register
def models_have_migrations(**_: object) -> list[Error]:
    """Report apps with models and without migrations.

    `makemigrations` skips such an app, and tests create its tables anyway: only a deployment would
    lack them. A migrations folder without `__init__.py` counts as no migrations.
    """
    loader = MigrationLoader(None, load=False)
    loader.load_disk()
    return [
        Error(
            f"the app `{label}` has models and no migrations",
            hint=f"python manage.py makemigrations {label}",
            id="config.E001",
        )
        for label in sorted(loader.unmigrated_apps)
        if any(model._meta.managed for model in apps.get_app_config(label).get_models())  # noqa: SLF001
    ]
