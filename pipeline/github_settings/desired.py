"""The settings that pipeline.toml and the workflows define for GitHub."""

from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any

from pipeline.environments import Environment
from pipeline.github.loader import GATE_JOB, MAIN_WORKFLOW, load_workflow
from pipeline.github.schema import as_mapping
from pipeline.settings import GitHub, Settings

_GITHUB_ACTIONS_APP_ID = 15368
"""The app of GitHub Actions; no other app can then report the required check."""


def remote_environments(settings: Settings) -> list[Environment]:
    """Return the environments that GitHub deploys to: all but the local one."""
    return [each for each in settings.environments.values() if not each.is_local]


def version_tag_patterns() -> list[str]:
    """Return the tag patterns that trigger ci.yml."""
    return list(as_mapping(load_workflow(MAIN_WORKFLOW).triggers.get("push")).get("tags", []))


def branch_policies(environment: Environment, versions: list[str]) -> set[tuple[str, str]]:
    """Return the branches and tags that may be deployed, each with its type.

    Args:
        environment: The environment.
        versions: The tag patterns of versions.
    """
    return {
        (ref, "tag" if any(fnmatchcase(ref, each) for each in versions) else "branch")
        for ref in environment.allowed_refs
    }


def rulesets(wanted: GitHub, main: str, versions: list[str]) -> Iterator[dict[str, Any]]:
    """Yield the rulesets: one protects the main branch, one the version tags.

    Args:
        wanted: [github] of pipeline.toml.
        main: The main branch.
        versions: The tag patterns of versions.
    """
    yield _ruleset("main", "branch", [f"refs/heads/{main}"], [*_of_main(wanted)])
    immutable: list[dict[str, Any]] = [{"type": "deletion"}, {"type": "update"}]
    yield _ruleset("versions", "tag", [f"refs/tags/{each}" for each in versions], immutable)


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


def _of_main(wanted: GitHub) -> Iterator[dict[str, Any]]:
    yield {"type": "deletion"}
    yield {"type": "non_fast_forward"}
    review = {
        "required_approving_review_count": wanted.required_approvals,
        "dismiss_stale_reviews_on_push": True,
        "require_code_owner_review": False,
        "require_last_push_approval": False,
        "required_review_thread_resolution": True,
    }
    yield {"type": "pull_request", "parameters": review}
    check = {
        "strict_required_status_checks_policy": False,
        "required_status_checks": [{"context": GATE_JOB, "integration_id": _GITHUB_ACTIONS_APP_ID}],
    }
    yield {"type": "required_status_checks", "parameters": check}
