"""What the API's schema says of errors, so that no operation has to repeat it."""

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
        """Return the schema, with every problem that an operation may answer with."""
        schema = super().get_openapi_schema(*args, **kwargs)
        schema["components"]["schemas"] |= problem_schemas()
        for path in schema["paths"].values():
            for method, operation in path.items():
                document_problems(method, operation)
        return schema


def problem_schemas() -> dict[str, Any]:
    """Return the shapes of problems, by name."""
    models = [(model, "serialization") for model in (ProblemOut, InvalidInputOut)]
    _, definitions = models_json_schema(models, ref_template=REF)  # type: ignore[arg-type]
    found: dict[str, Any] = definitions["$defs"]
    return found


def document_problems(method: str, operation: Operation) -> None:
    """Say of each problem what it is called, what it looks like, and when to come again."""
    responses = operation["responses"]
    own = {status for status, answer in responses.items() if says_problem(answer)}
    for status in sorted(own | implied(method, operation)):
        model = InvalidInputOut if status == 422 else ProblemOut  # noqa: PLR2004
        content = {MEDIA_TYPE: {"schema": {"$ref": REF.format(model=model.__name__)}}}
        responses[status] = {"description": TITLES[status], "content": content}
    if 429 in responses:  # noqa: PLR2004
        responses[429]["headers"] = {"Retry-After": RETRY_AFTER}
    operation["responses"] = dict(sorted(responses.items()))


def says_problem(answer: dict[str, Any]) -> bool:
    """Tell whether an answer is declared as a problem, and not as a result with such a status."""
    names = {REF.format(model=model.__name__) for model in (ProblemOut, InvalidInputOut)}
    media = answer.get("content", {}).values()
    return any(kind["schema"].get("$ref") in names for kind in media)


def implied(method: str, operation: Operation) -> set[int]:
    """Return the problems that follow from what an operation takes, and from whom."""
    found = {400, 500}  # a host that is not ours, or what is no HTTP; a fault of our own
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
