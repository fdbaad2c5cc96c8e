"""Compare the settings on GitHub with those of pipeline.toml."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.environments import Environment
from pipeline.errors import InputError
from pipeline.github_settings.client import GitHubClient, quote_path
from pipeline.github_settings.desired import branch_policies
from pipeline.settings import GitHub

_JSONObject = Mapping[str, Any]


@dataclass(frozen=True)
class SettingChange:
    """One request that changes a setting.

    Attributes:
        what: A description of the change.
        method: The HTTP method.
        path: The path relative to the repository.
        body: The JSON to send.
    """

    what: str
    method: str
    path: str
    body: _JSONObject | None = None


def workflow_changes(github: GitHubClient) -> Iterator[SettingChange]:
    """Yield changes of the default permissions of workflows, and of the allowed actions."""
    path = "actions/permissions/workflow"
    token = {"default_workflow_permissions": "read", "can_approve_pull_request_reviews": False}
    yield from _update("default permissions of workflows", path, github.get(path) or {}, token)
    path = "actions/permissions"
    now = github.get(path) or {}
    pinned = {"enabled": True, "sha_pinning_required": True}
    kept = {key: now[key] for key in ("allowed_actions",) if key in now}
    yield from _update("actions must be pinned to full commits", path, now, kept | pinned)


def ruleset_changes(
    github: GitHubClient, wanted: Iterator[dict[str, Any]]
) -> Iterator[SettingChange]:
    """Yield changes of the rulesets.

    Other rules of a ruleset stay, and so does its list of bypass actors.
    """
    known = {(each["name"], each["target"]): each["id"] for each in github.paginate("rulesets")}
    for ruleset in wanted:
        what = f"ruleset `{ruleset['name']}`"
        number = known.get((ruleset["name"], ruleset["target"]))
        if number is None:
            yield SettingChange(f"{what}: create", "POST", "rulesets", ruleset)
            continue
        now = github.get(f"rulesets/{number}")
        body = {**ruleset, "rules": _merged(now.get("rules", []), ruleset["rules"])}
        if "bypass_actors" in now:
            body["bypass_actors"] = now["bypass_actors"]
        yield from _update(what, f"rulesets/{number}", now, body)


def environment_changes(
    github: GitHubClient, environment: Environment, wanted: GitHub, versions: list[str]
) -> Iterator[SettingChange]:
    """Yield changes of an environment.

    Its reviewers, and the branches and tags that may be deployed.

    A wait timer stays, and so do reviewers if pipeline.toml names none.

    Args:
        github: The client.
        environment: The environment.
        wanted: [github] of pipeline.toml.
        versions: The tag patterns of versions.
    """
    path = f"environments/{quote_path(environment.name)}"
    now = github.get(path)
    rules = _protection(now or {})
    names = wanted.reviewers.get(environment.name, ())
    reviewers = [_reviewer_payload(github, name) for name in names] or rules["reviewers"]
    own = {"protected_branches": False, "custom_branch_policies": True}
    body = {**rules, "reviewers": reviewers, "deployment_branch_policy": own}
    same = {**rules, "deployment_branch_policy": (now or {}).get("deployment_branch_policy")}
    if now is None or same != body:
        change = f"environment `{environment.name}`: {_difference(same, body) if now else 'create'}"
        yield SettingChange(change, "PUT", path, body)
    allowed = branch_policies(environment, versions)
    yield from _policies(github, environment.name, f"{path}/deployment-branch-policies", allowed)


def _reviewer_payload(github: GitHubClient, name: str) -> dict[str, Any]:
    """Return a reviewer in the form of the API: a type and an id.

    Raises:
        InputError: GitHub has no user or team of that name.
    """
    organisation, _, team = name.rpartition("/")
    path = f"/orgs/{organisation}/teams/{team}" if organisation else f"/users/{name}"
    found = github.get(path)
    if found is None:
        raise InputError(
            f"github.reviewers: GitHub has no `{name}`", hint="name a user, or organisation/team"
        )
    return {"type": "Team" if organisation else "User", "id": found["id"]}


def _policies(
    github: GitHubClient, environment: str, path: str, wanted: set[tuple[str, str]]
) -> Iterator[SettingChange]:
    known = {
        (each["name"], each.get("type", "branch")): each["id"]
        for each in github.paginate(path, "branch_policies")
    }
    what = f"environment `{environment}`"
    for name, kind in sorted(wanted - {*known}):
        yield SettingChange(
            f"{what}: allow {kind} {name}", "POST", path, {"name": name, "type": kind}
        )
    for name, kind in sorted({*known} - wanted):
        number = known[name, kind]
        yield SettingChange(f"{what}: do not allow {kind} {name}", "DELETE", f"{path}/{number}")


def _protection(now: _JSONObject) -> dict[str, Any]:
    """Return an environment's protection rules in the form in which the API accepts them."""
    rules = {rule["type"]: rule for rule in now.get("protection_rules", [])}
    required = rules.get("required_reviewers", {})
    return {
        "wait_timer": rules.get("wait_timer", {}).get("wait_timer", 0),
        "prevent_self_review": required.get("prevent_self_review", False),
        "reviewers": [
            {"type": each["type"], "id": each["reviewer"]["id"]}
            for each in required.get("reviewers", [])
        ],
    }


def _merged(now: list[dict[str, Any]], wanted: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the existing rules, updated with the wanted ones, and the missing ones added."""
    wanted_by_type = {rule["type"]: rule for rule in wanted}
    merged = []
    for rule in now:
        update = wanted_by_type.pop(rule["type"], {})
        parameters = rule.get("parameters", {}) | update.get("parameters", {})
        merged.append({**rule, **({"parameters": parameters} if parameters else {})})
    return [*merged, *wanted_by_type.values()]


def _update(what: str, path: str, now: _JSONObject, wanted: _JSONObject) -> Iterator[SettingChange]:
    """Yield a change, if a wanted value differs."""
    if difference := _difference(now, wanted):
        yield SettingChange(f"{what}: {difference}", "PUT", path, wanted)


def _difference(now: _JSONObject, wanted: _JSONObject) -> str:
    other = [key for key, value in wanted.items() if now.get(key) != value]
    return ", ".join(
        f"{key} is {now.get(key)}" if isinstance(wanted[key], bool | str | int) else key
        for key in other
    )
