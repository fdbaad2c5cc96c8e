"""Return every error below /api/ as problem details, including errors outside of operations."""

from collections.abc import Callable

from django.core.exceptions import RequestDataTooBig
from django.core.exceptions import ValidationError as RuleError
from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError

from apps.accounts.throttling import ThrottledError
from apps.errors import TITLES, problem


def handle_problems(api: NinjaAPI) -> None:
    """Register the exception handlers of an API."""

    @api.exception_handler(HttpError)
    def refuse(_: HttpRequest, error: HttpError) -> HttpResponse:
        return problem(error.status_code, error.message)

    @api.exception_handler(ValidationError)
    def refuse_input(_: HttpRequest, error: ValidationError) -> HttpResponse:
        errors = [{name: fault[name] for name in ("type", "loc", "msg")} for fault in error.errors]
        return problem(422, "The request is invalid. See `errors`.", errors=errors)

    @api.exception_handler(RuleError)
    def refuse_by_rule(_: HttpRequest, error: RuleError) -> HttpResponse:
        errors = [
            {"type": "value_error", "loc": ["body", field], "msg": message}
            for field, messages in error.message_dict.items()
            for message in messages
        ]
        return problem(422, "The request is invalid. See `errors`.", errors=errors)

    @api.exception_handler(ThrottledError)
    def refuse_for_now(_: HttpRequest, error: ThrottledError) -> HttpResponse:
        headers = {"Retry-After": str(error.retry_after)}
        return problem(429, "Too many attempts. Try again later.", headers=headers)

    @api.exception_handler(RequestDataTooBig)
    def refuse_large_body(_: HttpRequest, __: RequestDataTooBig) -> HttpResponse:
        return problem(413, "The request body is too large.")


class ProblemMiddleware:
    """Replace HTML and text error pages of Django and the router by problem details."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Replace the body of an error response, and keep headers such as Allow."""
        response = self.get_response(request)
        if request.path.startswith("/api/") and is_page(response):
            substitute = problem(response.status_code, TITLES[response.status_code])
            response.content = substitute.content
            response.headers["Content-Type"] = substitute.headers["Content-Type"]
            response.headers["Content-Length"] = str(len(substitute.content))
        return response


def is_page(response: HttpResponse) -> bool:
    """Return whether this is an error response that is not JSON."""
    return response.status_code >= 400 and "json" not in response.headers["Content-Type"]  # noqa: PLR2004
