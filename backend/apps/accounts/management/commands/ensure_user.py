import os

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.accounts.services import PrivilegedUserError, user_ensure


class Command(BaseCommand):
    """Prints `created`, `updated` or `unchanged` and the email address."""

    help = "Create an ordinary user, or set its password. Running it again changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--email", help="default: the variable SMOKE_USER_EMAIL")
        parser.add_argument(
            "--password-env",
            default="SMOKE_USER_PASSWORD",
            metavar="NAME",
            help="variable that holds the password (default: %(default)s)",
        )

    def handle(self, *_: object, email: str | None, password_env: str, **__: object) -> None:
        email = email or required("SMOKE_USER_EMAIL")
        password = required(password_env)
        try:
            outcome = user_ensure(email=email, password=password)
        except ValidationError as error:
            raise CommandError(
                f"the user {email} is invalid: {' '.join(error.messages)}\n"
                "hint: use a valid email address and a long random password"
            ) from None
        except PrivilegedUserError:
            raise CommandError(
                f"{email} is an administrator and was not changed\n"
                "hint: use a separate email address for this user"
            ) from None
        self.stdout.write(f"{outcome} {email}")


def required(name: str) -> str:
    """Return the value of a required environment variable."""
    if value := os.environ.get(name):
        return value
    raise CommandError(f"{name} is missing\nhint: set the variable and run the command again")
