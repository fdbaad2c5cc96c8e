"""`invoke github-settings` changes what is not as pipeline.toml wants it, and nothing else."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from pipeline.config import load
from pipeline.errors import InputError
from pipeline.github_settings import cli
from pipeline.github_settings.client import GitHubClient
from pipeline.settings import GitHub
from tests import settings
from tests.conftest import ROOT
from tests.settings import changed
from tests.support.fake_github import TOKEN, FakeGitHub, serving
from tests.support.openapi_schema import DESCRIPTION

REVIEWERS = {"production": ("ada", "acme/operators")}


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeGitHub]:
    """A GitHub with a repository as it is when it is new."""
    monkeypatch.chdir(ROOT)
    wanted = changed(load(), github=GitHub(required_approvals=1, reviewers=REVIEWERS))
    monkeypatch.setattr(cli, "load", lambda: wanted)
    monkeypatch.setattr("pipeline.github_settings.client.origin_repository", lambda: "acme/shop")
    monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
    with serving() as made:
        monkeypatch.setenv("GITHUB_API_URL", made.url)
        yield made


def test_a_new_repository_gets_everything(server: FakeGitHub) -> None:
    cli.sync_settings()
    assert server.workflow == {
        "default_workflow_permissions": "read",
        "can_approve_pull_request_reviews": False,
    }
    assert server.actions == {
        "enabled": True,
        "allowed_actions": "all",
        "sha_pinning_required": True,
    }
    assert {*server.environments} == {"staging", "production"}


def test_main_requires_the_gate_and_nothing_else_can_report_it(server: FakeGitHub) -> None:
    cli.sync_settings()
    main = next(each for each in server.rulesets.values() if each["name"] == "main")
    assert main["conditions"]["ref_name"]["include"] == ["refs/heads/main"]
    rules = {rule["type"]: rule.get("parameters", {}) for rule in main["rules"]}
    assert {"deletion", "non_fast_forward"} <= {*rules}
    assert rules["required_status_checks"]["required_status_checks"] == [
        {"context": "ci-ok", "integration_id": 15368}
    ]
    assert rules["pull_request"]["required_approving_review_count"] == 1


def test_versions_can_be_neither_moved_nor_deleted(server: FakeGitHub) -> None:
    cli.sync_settings()
    versions = next(each for each in server.rulesets.values() if each["name"] == "versions")
    assert versions["target"] == "tag"
    assert versions["conditions"]["ref_name"]["include"] == ["refs/tags/v*"]
    assert {rule["type"] for rule in versions["rules"]} == {"deletion", "update"}


def test_main_goes_to_staging_and_versions_to_production(server: FakeGitHub) -> None:
    cli.sync_settings()
    assert [*server.policies["staging"].values()] == [{"name": "main", "type": "branch"}]
    assert [*server.policies["production"].values()] == [{"name": "v*", "type": "tag"}]


def test_people_and_teams_agree_to_production(server: FakeGitHub) -> None:
    cli.sync_settings()
    assert server.environments["production"]["reviewers"] == [
        {"type": "User", "id": 11},
        {"type": "Team", "id": 22},
    ]
    assert server.environments["staging"]["reviewers"] == []


def test_a_second_run_changes_nothing(
    server: FakeGitHub, capsys: pytest.CaptureFixture[str]
) -> None:
    cli.sync_settings()
    server.requested.clear()
    cli.sync_settings()
    assert server.changed == []
    assert "nothing to change" in capsys.readouterr().err


def test_a_dry_run_prints_what_would_be_sent_and_sends_nothing(
    server: FakeGitHub, capsys: pytest.CaptureFixture[str]
) -> None:
    cli.sync_settings(dry_run=True)
    assert server.changed == []
    output = capsys.readouterr()
    sent = [line.split("\t") for line in output.out.splitlines()]
    assert ["PUT", "actions/permissions/workflow"] in [line[:2] for line in sent]
    assert all(isinstance(json.loads(line[2]), dict) for line in sent)
    assert "would change: ruleset `main`: create" in output.err
    cli.sync_settings()
    assert len(server.changed) == len(sent)


def test_only_what_differs_is_changed(
    server: FakeGitHub, capsys: pytest.CaptureFixture[str]
) -> None:
    cli.sync_settings()
    server.requested.clear()
    server.workflow["can_approve_pull_request_reviews"] = True
    server.policies["production"][2] = {"name": "main", "type": "branch"}
    cli.sync_settings()
    place = "/repos/acme/shop"
    assert server.changed == [
        f"PUT {place}/actions/permissions/workflow",
        f"DELETE {place}/environments/production/deployment-branch-policies/2",
    ]
    output = capsys.readouterr().err
    assert "can_approve_pull_request_reviews is True" in output
    assert "environment `production`: do not allow branch main" in output


def test_what_others_added_stays(server: FakeGitHub) -> None:
    cli.sync_settings()
    main = next(each for each in server.rulesets.values() if each["name"] == "main")
    main["rules"] = [{"type": "required_linear_history"}, *main["rules"][1:]]
    main["bypass_actors"] = [{"actor_id": 5, "actor_type": "Team", "bypass_mode": "always"}]
    server.environments["staging"] |= {"wait_timer": 30, "reviewers": [{"type": "User", "id": 7}]}
    server.environments["staging"]["deployment_branch_policy"] = None
    cli.sync_settings()
    assert {"type": "required_linear_history"} in main["rules"]
    assert {"type": "deletion"} in main["rules"]
    assert main["bypass_actors"]
    staging = server.environments["staging"]
    assert staging["wait_timer"] == 30
    assert staging["reviewers"] == [{"type": "User", "id": 7}]
    assert staging["deployment_branch_policy"]["custom_branch_policies"] is True


def test_names_that_are_missing_are_listed_and_no_value_is_read(
    server: FakeGitHub, capsys: pytest.CaptureFixture[str]
) -> None:
    cli.sync_settings()
    server.secrets = {
        "": ["REDIS_URL", *[f"OTHER_{number}" for number in range(100)], "TLS_KEY"],
        "staging": ["DATABASE_URL"],
    }
    server.variables = ["CODE_SCANNING"]
    capsys.readouterr()
    cli.sync_settings()
    output = capsys.readouterr().err.splitlines()
    assert "secret DATABASE_URL of environment `production` is not set" in output
    assert "secret DEPLOY_SSH_KEY of environment `staging` is not set" in output
    assert "secret CODECOV_TOKEN is not set; it is optional" in output
    assert "variable DEPLOY is not set; it is optional, see CI_CD.md" in output
    for there in (
        "REDIS_URL",
        "TLS_KEY",
        "CODE_SCANNING",
        "GITHUB_TOKEN",
        "`staging` DATABASE_URL",
    ):
        assert not any(there in line for line in output), there


def test_nobody_who_agrees_is_told(
    server: FakeGitHub, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    del server
    monkeypatch.setattr(cli, "load", load)
    cli.sync_settings()
    assert "environment `production` has `confirm`" in capsys.readouterr().err


def test_somebody_unknown_is_refused_before_anything_is_changed(server: FakeGitHub) -> None:
    server.users_and_teams.clear()
    with pytest.raises(InputError, match="GitHub has no `ada`"):
        cli.sync_settings()
    assert server.changed == []


def test_a_token_that_may_not_is_told_what_it_needs(
    server: FakeGitHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "sardine")
    with pytest.raises(InputError, match="401 Bad credentials") as caught:
        cli.sync_settings()
    assert "administration: write" in caught.value.hint
    assert "sardine" not in f"{caught.value} {caught.value.hint}"
    assert server.changed == []


def test_the_token_is_never_printed() -> None:
    assert "swordfish" not in repr(GitHubClient("acme/shop", "swordfish"))


@pytest.mark.usefixtures("server")
def test_without_a_token_or_a_remote_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.github_settings.client.origin_repository", lambda: None)
    with pytest.raises(InputError, match="no remote"):
        cli.sync_settings()
    monkeypatch.delenv("GITHUB_TOKEN")
    monkeypatch.delenv("GH_TOKEN", raising=False)
    with pytest.raises(InputError, match="neither GITHUB_TOKEN nor GH_TOKEN"):
        cli.sync_settings()


@pytest.mark.usefixtures("server")
def test_a_host_that_does_not_answer_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_API_URL", "http://127.0.0.1:9")
    with pytest.raises(InputError, match=r"http://127\.0\.0\.1:9 does not answer"):
        cli.sync_settings()


@pytest.mark.parametrize(
    ("given", "output"),
    [
        ({"required_approvals": 11}, r"github\.required_approvals"),
        ({"approval": 1}, r"github\.approval: there is no such key"),
        ({"reviewers": {"production": ["a b"]}}, r"github\.reviewers\.production\[0\]"),
        ({"reviewers": {"production": [*"abcdefg"]}}, "a list of 6 at most"),
        ({"reviewers": {"prod": []}}, "there is no environment `prod`"),
    ],
)
def test_what_is_wrong_in_pipeline_toml_is_named(given: dict[str, Any], output: str) -> None:
    with pytest.raises(InputError, match=output):
        settings.settings({"github": given})


def test_the_stand_in_takes_only_what_github_describes(server: FakeGitHub) -> None:
    github = GitHubClient("acme/shop", TOKEN, server.url)
    github.send("PUT", "actions/permissions/workflow", {"default_workflow_permissions": "admin"})
    github.send("PUT", "environments/staging", {"wait": 1, **an_environment()})
    github.get("actions/nothing")
    output = " ".join(server.faults)
    for fault in ("'admin' is not one of", "'wait' was unexpected", "there is no get"):
        assert fault in output
    server.faults.clear()


def an_environment() -> dict[str, Any]:
    return {"wait_timer": 0, "reviewers": [], "deployment_branch_policy": None}


def test_the_description_holds_only_what_is_called(server: FakeGitHub) -> None:
    cli.sync_settings()
    cli.sync_settings()
    server.policies["staging"][9] = {"name": "old", "type": "branch"}
    server.workflow["default_workflow_permissions"] = "write"
    server.rulesets[1]["enforcement"] = "disabled"
    cli.sync_settings()
    called = {method_and_route(each) for each in server.requested}
    assert called == {
        (method, template) for template, each in DESCRIPTION["paths"].items() for method in each
    }


def method_and_route(requested: str) -> tuple[str, str]:
    method, path = requested.lower().split(" ", 1)
    return method, next(
        template
        for template in DESCRIPTION["paths"]
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path)
    )
