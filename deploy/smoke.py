"""What a user of this product does: the product's own steps of the smoke test.

A step that cleans up is yielded in `finally`, so it runs also after a fault.
"""

from pipeline.deploy.smoke.steps import Problem, Response, SmokeStep, StepGenerator, Validator

PROJECTS = "/api/v1/projects/"
CREATE = (PROJECTS, {"name": "rehearsal"})
"""A request that creates something: the path and the body. A rehearsal sends it during deploys."""


def steps() -> StepGenerator:
    """Create a project, find it in the list, and delete it."""
    answer = yield SmokeStep(
        "create", PROJECTS, "POST", 201, body={"name": "smoke"}, validator=_has_project_id
    )
    number = answer.content["id"]
    try:
        # Other users may create projects, so the newest page of the list may not contain it.
        yield SmokeStep("list", f"{PROJECTS}?before={number + 1}", validator=_lists_project(number))
    finally:
        yield SmokeStep("delete", f"{PROJECTS}{number}/", "DELETE", 204, type="", cleans_up=True)


def _has_project_id(answer: Response) -> Problem:
    """Check that an answer has the id of a project."""
    return None if isinstance(answer.content.get("id"), int) else "names no project"


def _lists_project(number: int) -> Validator:
    """Check that a list contains a project."""

    def check(answer: Response) -> Problem:
        items = answer.content.get("items")
        listed = isinstance(items, list) and any(
            isinstance(item, dict) and item.get("id") == number for item in items
        )
        return None if listed else "does not list the project that was just created"

    return check
