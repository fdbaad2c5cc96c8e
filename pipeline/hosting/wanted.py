"""How GitHub is to be set, read from pipeline.toml and the workflows."""

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pipeline.config import FILE
from pipeline.deploy.environments import Environment, environments
from pipeline.errors import InputError
from pipeline.shape import mapping
from pipeline.validation import sentences
from pipeline.workflows import GATE, MAIN, read

ACTIONS = 15368
"""The app that reports what GitHub Actions ran: no other app can then set the required check."""
Reviewer = Annotated[str, Field(pattern=r"^[\w.-]+(/[\w.-]+)?$")]


class Settings(BaseModel):
    """The section `github` of pipeline.toml."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    approvals: Annotated[int, Field(ge=0, le=10)] = 0
    """How many reviews a change of main needs."""
    reviewers: dict[str, Annotated[tuple[Reviewer, ...], Field(max_length=6)]] = {}
    """By environment, who agrees to a deployment: users, or teams as `organisation/team`."""


def settings(config: Mapping[str, Any]) -> Settings:
    """Return what pipeline.toml says of GitHub.

    Raises:
        InputError: Names every fault with its path.
    """
    try:
        found = Settings.model_validate(config.get("github", {}))
    except ValidationError as error:
        raise InputError(
            "; ".join(sentences(error, "github")), hint=f"correct {FILE}: [github]"
        ) from None
    if unknown := [name for name in found.reviewers if name not in config["environments"]]:
        raise InputError(
            f"github.reviewers: there is no environment {', '.join(unknown)}",
            hint=f"there are: {', '.join(config['environments'])}",
        )
    return found


def remote(config: Mapping[str, Any]) -> list[Environment]:
    """Return the environments that GitHub deploys to: all but those of one's own machine."""
    return [each for each in environments(config).values() if not each.is_local]


def tags() -> list[str]:
    """Return which tags are versions: those that start ci.yml."""
    return list(mapping(read(MAIN).triggers.get("push")).get("tags", []))


def policies(environment: Environment, versions: list[str]) -> set[tuple[str, str]]:
    """Return which branches and tags may be deployed, each with which of the two it is.

    Args:
        environment: Where to.
        versions: Which tags are versions.
    """
    return {
        (ref, "tag" if any(fnmatchcase(ref, each) for each in versions) else "branch")
        for ref in environment.refs
    }


def rulesets(wanted: Settings, main: str, versions: list[str]) -> Iterator[dict[str, Any]]:
    """Yield what is protected: main, by the gate; versions, which stay what they are.

    Args:
        wanted: What pipeline.toml says.
        main: The branch.
        versions: Which tags are versions.
    """
    yield _ruleset("main", "branch", [f"refs/heads/{main}"], [*_of_main(wanted)])
    stay: list[dict[str, Any]] = [{"type": "deletion"}, {"type": "update"}]
    yield _ruleset("versions", "tag", [f"refs/tags/{each}" for each in versions], stay)


def _ruleset(
    name: str, target: str, include: list[str], rules: list[dict[str, Any]]
) -> dict[str, Any]:
    conditions = {"ref_name": {"include": include, "exclude": list[str]()}}
    return {
        "name": name,
        "target": target,
        "enforcement": "active",
        "conditions": conditions,
        "rules": rules,
    }


def _of_main(wanted: Settings) -> Iterator[dict[str, Any]]:
    yield {"type": "deletion"}
    yield {"type": "non_fast_forward"}
    review = {
        "required_approving_review_count": wanted.approvals,
        "dismiss_stale_reviews_on_push": True,
        "require_code_owner_review": False,
        "require_last_push_approval": False,
        "required_review_thread_resolution": True,
    }
    yield {"type": "pull_request", "parameters": review}
    check = {
        "strict_required_status_checks_policy": False,
        "required_status_checks": [{"context": GATE, "integration_id": ACTIONS}],
    }
    yield {"type": "required_status_checks", "parameters": check}
