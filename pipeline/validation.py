"""What pydantic finds wrong with a file that people write, in our words."""

from pydantic import ValidationError


def format_validation_errors(error: ValidationError, *place: str) -> list[str]:
    """Return what is wrong, each with its path.

    Args:
        error: What pydantic raised.
        *place: Where in the file the value stands.
    """
    return [
        f"{'.'.join(map(str, (*place, *problem['loc'])))}: {_said(problem['msg'])}"
        for problem in error.errors(include_url=False, include_input=False)
    ]


def _said(message: str) -> str:
    """Return the library's words as part of a sentence."""
    message = message.removeprefix("Value error, ")
    return message[:1].lower() + message[1:]
