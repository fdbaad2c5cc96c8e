"""A GitHub that knows one repository's settings, and holds both sides to GitHub's own description.

Routes, and the bodies of requests and responses, are checked against openapi.json; a mismatch fails
the test run. Responses have the properties that the description requires.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

from tests.support.openapi_schema import (
    Json,
    complete_response,
    operation,
    schema_errors,
    schema_of,
)

REPOSITORY, TOKEN = "acme/shop", "swordfish"
Answer = tuple[int, Any]


@dataclass
class FakeGitHub:
    """The settings of the repository, and its requests.

    Attributes:
        requested: Each request that was answered: its method and path.
        faults: What did not fit the description.
        people: Users and teams, by the last part of their path.
    """

    url: str = ""
    requested: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    workflow: dict[str, Any] = field(
        default_factory=lambda: {
            "default_workflow_permissions": "write",
            "can_approve_pull_request_reviews": True,
        }
    )
    actions: dict[str, Any] = field(
        default_factory=lambda: {"enabled": True, "allowed_actions": "all"}
    )
    rulesets: dict[int, dict[str, Any]] = field(default_factory=dict)
    environments: dict[str, dict[str, Any]] = field(default_factory=dict)
    policies: dict[str, dict[int, dict[str, Any]]] = field(default_factory=dict)
    secrets: dict[str, list[str]] = field(default_factory=lambda: {"": []})
    variables: list[str] = field(default_factory=list)
    users_and_teams: dict[str, int] = field(default_factory=lambda: {"ada": 11, "operators": 22})

    @property
    def changed(self) -> list[str]:
        """The requests that changed something."""
        return [each for each in self.requested if not each.startswith("GET")]

    def answer(self, method: str, path: str, body: Json, page: int) -> Answer:
        """Handle a request."""
        handler = getattr(self, f"_{method.lower()}")
        parts = [part for part in path.split("/") if part][3:]
        if path.startswith(("/users/", "/orgs/")):
            number = self.users_and_teams.get(path.rpartition("/")[2])
            return (200, {"id": number}) if number else (404, {})
        return cast("Answer", handler(parts, body, page))

    def _get(  # noqa: PLR0911 - one for each route
        self, parts: list[str], _: Json, page: int
    ) -> Answer:
        match parts:
            case ["actions", "permissions", "workflow"]:
                return 200, self.workflow
            case ["actions", "permissions"]:
                return 200, self.actions
            case ["rulesets"]:
                return 200, [
                    {"id": number, **each} for number, each in self.rulesets.items() if page == 1
                ]
            case ["rulesets", number]:
                return 200, {"id": int(number), **self.rulesets[int(number)]}
            case ["actions", ("secrets" | "variables") as kind]:
                names = self.secrets[""] if kind == "secrets" else self.variables
                return 200, paginated(kind, names, page)
            case ["environments", name, *_] if name not in self.environments:
                return 404, {}
            case ["environments", name, "secrets"]:
                return 200, paginated("secrets", self.secrets.get(name, []), page)
            case ["environments", name, "deployment-branch-policies"]:
                rows = [{"id": key, **each} for key, each in self.policies.get(name, {}).items()]
                return 200, {"total_count": len(rows), "branch_policies": rows}
            case ["environments", name]:
                return 200, environment_response(name, self.environments[name])
        raise AssertionError(parts)

    def _put(self, parts: list[str], body: Json, _: int) -> Answer:
        match parts:
            case ["actions", "permissions", "workflow"]:
                self.workflow |= body
                return 204, None
            case ["actions", "permissions"]:
                self.actions |= body
                return 204, None
            case ["rulesets", number]:
                self.rulesets[int(number)] |= body
                return 200, {"id": int(number), **self.rulesets[int(number)]}
            case ["environments", name]:
                self.environments[name] = body
                return 200, environment_response(name, body)
        raise AssertionError(parts)

    def _post(self, parts: list[str], body: Json, _: int) -> Answer:
        match parts:
            case ["rulesets"]:
                self.rulesets[len(self.rulesets) + 1] = body
                return 201, {"id": len(self.rulesets), **body}
            case ["environments", name, "deployment-branch-policies"]:
                known = self.policies.setdefault(name, {})
                number = max(known, default=0) + 1
                known[number] = body
                return 200, {"id": number, **body}
        raise AssertionError(parts)

    def _delete(self, parts: list[str], _: Json, __: int) -> Answer:
        _, name, _, number = parts
        del self.policies[name][int(number)]
        return 204, None


def paginated(kind: str, names: list[str], page: int) -> dict[str, Any]:
    """Return a page of names, as GitHub lists secrets and variables."""
    some = names[(page - 1) * 100 : page * 100]
    return {"total_count": len(names), kind: [{"name": name} for name in some]}


def environment_response(name: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return an environment as GitHub describes what was once set."""
    rules: list[dict[str, Any]] = [{"type": "branch_policy"}]
    if given["wait_timer"]:
        rules.append({"type": "wait_timer", "wait_timer": given["wait_timer"]})
    if given["reviewers"]:
        people = [
            {"type": each["type"], "reviewer": {"id": each["id"]}} for each in given["reviewers"]
        ]
        review = {"prevent_self_review": given["prevent_self_review"], "reviewers": people}
        rules.append({"type": "required_reviewers", **review})
    policy = given["deployment_branch_policy"]
    return {"name": name, "protection_rules": rules, "deployment_branch_policy": policy}


class Handler(BaseHTTPRequestHandler):
    """Checks a request, has it answered, and checks the answer."""

    settings: FakeGitHub

    def _serve(self) -> None:
        url, method = urlsplit(self.path), self.command.lower()
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"] or 0)) or "null")
        page = int(parse_qs(url.query).get("page", ["1"])[0])
        if self.headers["Authorization"] != f"Bearer {TOKEN}":
            self._say(401, {"message": "Bad credentials"})
            return
        known = operation(method, url.path)
        if known is None:
            self.settings.faults.append(f"there is no {method} {url.path}")
            self._say(404, {"message": "Not Found"})
            return
        self._judge(f"{method} {url.path}", known.get("requestBody", {}), body)
        code, output = self.settings.answer(self.command, url.path, body, page)
        self.settings.requested.append(f"{self.command} {url.path}")
        response = known["responses"].get(str(code), {})
        schema = schema_of(response)
        output = complete_response(schema, output) if schema and code < 400 else output
        if code < 400:
            self._judge(f"the answer to {method} {url.path}", response, output)
        self._say(code, output)

    do_GET = do_PUT = do_POST = do_DELETE = _serve  # noqa: N815 - http.server's names

    def _judge(self, what: str, content: Mapping[str, Any], body: Json) -> None:
        schema = schema_of(content)
        found = schema_errors(schema, body) if schema else ["a body is sent"] if body else []
        self.settings.faults += [f"{what}: {fault}" for fault in found]

    def _say(self, code: int, content: Json) -> None:
        self.send_response(code)
        self.end_headers()
        if content is not None:
            self.wfile.write(json.dumps(content).encode())

    def log_message(self, *_: object) -> None:
        """Say nothing: tests have their own words."""


@contextmanager
def serving() -> Iterator[FakeGitHub]:
    """Have a GitHub on this machine.

    Raises:
        AssertionError: A request or an answer was none of GitHub's.
    """
    settings = FakeGitHub()
    handler = type("Bound", (Handler,), {"settings": settings})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        settings.url = f"http://127.0.0.1:{server.server_port}"
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield settings
        finally:
            server.shutdown()
    assert settings.faults == []
