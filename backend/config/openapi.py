"""Add the error responses to the OpenAPI schema, so that operations need not repeat them."""

from typing import Any

from ninja import NinjaAPI
from ninja.openapi.schema import OpenAPISchema
from pydantic.json_schema import models_json_schema

from apps.errors import MEDIA_TYPE, TITLES, InvalidInputOut, ProblemOut

Operation = dict[str, Any]

REF = "#/components/schemas/{model}"
RETRY_AFTER = {"description": "Seconds to wait", "required": True, "schema": {"type": "integer"}}


class ProblemAPI(NinjaAPI):
    def get_openapi_schema(self, *args: Any, **kwargs: Any) -> OpenAPISchema:  # noqa: ANN401
        """Return the schema with all error responses."""
        schema = super().get_openapi_schema(*args, **kwargs)
        schema["components"]["schemas"] |= problem_schemas()
        for path in schema["paths"].values():
            for method, operation in path.items():
                document_problems(method, operation)
        return schema


def problem_schemas() -> dict[str, Any]:
    """Return the schemas of problems, by name."""
    models = [(model, "serialization") for model in (ProblemOut, InvalidInputOut)]
    _, definitions = models_json_schema(models, ref_template=REF)  # type: ignore[arg-type]
    found: dict[str, Any] = definitions["$defs"]
    return found


def document_problems(method: str, operation: Operation) -> None:
    """Add the description, schema and headers of each error response of an operation."""
    responses = operation["responses"]
    own = {status for status, response in responses.items() if is_problem(response)}
    for status in sorted(own | implied_statuses(method, operation)):
        model = InvalidInputOut if status == 422 else ProblemOut  # noqa: PLR2004
        content = {MEDIA_TYPE: {"schema": {"$ref": REF.format(model=model.__name__)}}}
        responses[status] = {"description": TITLES[status], "content": content}
    if 429 in responses:  # noqa: PLR2004
        responses[429]["headers"] = {"Retry-After": RETRY_AFTER}
    operation["responses"] = dict(sorted(responses.items()))


def is_problem(response: dict[str, Any]) -> bool:
    """Return whether a response is declared as a problem, not as a result with an error status."""
    names = {REF.format(model=model.__name__) for model in (ProblemOut, InvalidInputOut)}
    media = response.get("content", {}).values()
    return any(kind["schema"].get("$ref") in names for kind in media)


def implied_statuses(method: str, operation: Operation) -> set[int]:
    """Return the error statuses that follow from the parameters and security of an operation."""
    found = {400, 500}  # 400: an unknown host or malformed HTTP
    if "requestBody" in operation:
        found |= {413, 422}
    if operation["parameters"]:
        found |= {422}
    guards = {name for guard in operation.get("security", []) for name in guard}
    if "SessionAuth" in guards:
        found |= {401}
    if guards and method != "get":
        found |= {403}  # the CSRF token is missing
    return found
