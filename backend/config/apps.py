from django.apps import AppConfig


class ConfigConfig(AppConfig):
    name = "config"

    def ready(self) -> None:
        """Register the checks that `manage.py check` and most other commands run."""
        from config import checks  # noqa: F401, PLC0415 - it needs all apps
