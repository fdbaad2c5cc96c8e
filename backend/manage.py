#!/usr/bin/env python
"""Django's command line. The default settings module is that of development."""

import os
import sys

from django.core.management import execute_from_command_line

from config.environment import InvalidEnvironmentError
from config.secret_files import load_secret_files


def main() -> None:
    """Run a management command."""
    load_secret_files()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.dev")
    try:
        execute_from_command_line(sys.argv)
    except InvalidEnvironmentError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
