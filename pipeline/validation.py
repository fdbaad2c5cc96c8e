"""Format the errors of pydantic for files that people write."""

from pydantic import ValidationError


def format_validation_errors(error: ValidationError, *place: str) -> list[str]:
    """Return every error with its path.

    Args:
        error: The error of pydantic.
        *place: The path of the value in the file.
    """
    return [
        f"{'.'.join(map(str, (*place, *problem['loc'])))}: {_message(problem['msg'])}"
        for problem in error.errors(include_url=False, include_input=False)
    ]


def _message(message: str) -> str:
    """Return pydantic's message as part of a sentence."""
    message = message.removeprefix("Value error, ")
    return message[:1].lower() + message[1:]
