"""The steps of the smoke test, without I/O: a generator yields requests and receives answers.

A step that cleans up is yielded in `finally`, so it runs also after a fault.
"""

import json
from collections.abc import Callable, Collection, Generator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pipeline.deploy.smoke.page import (
    PageResources,
    expected_mime_type,
    manifest_files,
    normalize_mime_type,
)

_API = "/api/v1"
_LOGIN, _LOGOUT = f"{_API}/auth/login/", f"{_API}/auth/logout/"
_MISSING_ASSET = "/assets/no-such-file.js"
_PROJECT_NAME = "smoke"
_FRONTEND_HINT = "was the frontend rolled out as it was built?"
_ERROR_MIME_TYPES = ("application/problem+json", "application/json")
"""MIME types of an error: https://www.rfc-editor.org/rfc/rfc9457#section-3."""


@dataclass(frozen=True)
class Response:
    status: int
    type: str = ""
    body: bytes = field(default=b"", repr=False)

    @property
    def content(self) -> dict[str, Any]:
        """The JSON object of the body; empty without one."""
        try:
            content = json.loads(self.body)
        except ValueError:
            return {}
        return content if isinstance(content, dict) else {}


_Problem = str | None
"""A fault of an answer, as a predicate for a sentence; None without a fault."""

_Validator = Callable[[Response], _Problem]


@dataclass(frozen=True)
class SmokeStep:
    """One request and the expected answer; an empty `type` allows any MIME type."""

    name: str
    path: str
    method: str = "GET"
    status: int = 200
    type: str = "application/json"
    body: Mapping[str, str] | None = field(default=None, repr=False)
    validator: _Validator = lambda _: None
    hint: str = "look for this request in the logs of edge and backend"
    cleans_up: bool = False
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)

    def validate(self, answer: Response) -> _Problem:
        """Return the fault of an answer; None without a fault."""
        if answer.status != self.status:
            return f"answered {answer.status}, not {self.status}"
        if self.type and normalize_mime_type(answer.type) != self.type:
            return f"is {answer.type or 'of no type'}, not {self.type}"
        return self.validator(answer)


@dataclass(frozen=True)
class User:
    email: str
    password: str = field(repr=False)


StepGenerator = Generator[SmokeStep, Response, None]


def smoke_scenario(
    user: User, release: str | None = None, without: Collection[str] = ()
) -> StepGenerator:
    """Yield all steps.

    Args:
        user: The user who logs in.
        release: The expected release; None for any.
        without: Parts that the site does not have: `page` or `project`.
    """
    yield _readiness_steps()
    if release is not None:
        hint = "was this release rolled back, or another one deployed at the same time?"
        yield SmokeStep(
            "version", f"{_API}/version/", validator=_json_contains(release=release), hint=hint
        )
    if "page" not in without:
        yield from _page_steps()
    yield from _session_steps(user, [] if "project" in without else [_project_steps])


def open_steps() -> StepGenerator:
    """Yield the first requests of a user: the readiness of the API, and the page."""
    yield _readiness_steps()
    yield _home_page_steps()


def _readiness_steps() -> SmokeStep:
    """Return the request for the readiness of the API, PostgreSQL and Redis."""
    return SmokeStep("ready", f"{_API}/health/ready/", validator=_json_contains(status="ok"))


def _home_page_steps() -> SmokeStep:
    return SmokeStep("page", "/", type="text/html", validator=_is_usable_page, hint=_FRONTEND_HINT)


def _page_steps() -> StepGenerator:
    """Yield the page, every asset that it loads, now or later, and a missing asset."""
    answer = yield _home_page_steps()
    shown = PageResources(answer.body)
    paths = {*shown.addresses}
    if shown.manifest:
        answer = yield SmokeStep(
            "list", shown.manifest, validator=_lists_manifest_files, hint=_FRONTEND_HINT
        )
        paths |= manifest_files(answer.content)
    for path in sorted(paths):
        yield SmokeStep(
            "asset", path, type=expected_mime_type(path), validator=_is_asset, hint=_FRONTEND_HINT
        )
    # A browser with an older page would run the HTML page as the script that it requested.
    hint = "serve the page for URLs of the app only, never below /assets/"
    yield SmokeStep("no asset", _MISSING_ASSET, status=404, type="", hint=hint)


def shared_session_steps(
    user: User, first: Mapping[str, str], then: Mapping[str, str]
) -> StepGenerator:
    """Log in at one release, and check the session at another one.

    Args:
        user: The user who logs in.
        first: The headers that select the first release.
        then: The headers that select the other release.
    """
    me, credentials = f"{_API}/auth/me/", {"email": user.email, "password": user.password}
    yield SmokeStep("guest", me, status=401, type="", headers=first)
    yield SmokeStep(
        "login", _LOGIN, "POST", body=credentials, validator=_is_user(user), headers=first
    )
    try:
        yield SmokeStep("known", me, validator=_is_user(user), headers=then)
    finally:
        yield SmokeStep("logout", _LOGOUT, "POST", 204, type="", cleans_up=True, headers=first)


def _session_steps(user: User, parts: Collection[Callable[[], StepGenerator]]) -> StepGenerator:
    """Log in, run the steps that need a user, and log out."""
    me, credentials = f"{_API}/auth/me/", {"email": user.email, "password": user.password}
    hint = "does the user of SMOKE_USER_EMAIL exist there, with that SMOKE_USER_PASSWORD?"
    yield SmokeStep("guest", me, status=401, type="", validator=_is_api_error)
    yield SmokeStep("login", _LOGIN, "POST", body=credentials, validator=_is_user(user), hint=hint)
    try:
        yield SmokeStep("me", me, validator=_is_user(user))
        for part in parts:
            yield from part()
    finally:
        yield SmokeStep("logout", _LOGOUT, "POST", 204, type="", cleans_up=True)


def _project_steps() -> StepGenerator:
    """Create a project, find it in the list, and delete it."""
    projects = f"{_API}/projects/"
    answer = yield SmokeStep(
        "create", projects, "POST", 201, body={"name": _PROJECT_NAME}, validator=_has_project_id
    )
    number = answer.content["id"]
    try:
        # Other users may create projects, so the newest page of the list may not contain it.
        yield SmokeStep("list", f"{projects}?before={number + 1}", validator=_lists_project(number))
    finally:
        yield SmokeStep("delete", f"{projects}{number}/", "DELETE", 204, type="", cleans_up=True)


def _json_contains(**expected: str) -> _Validator:
    """Check the values of a JSON object."""

    def check(answer: Response) -> _Problem:
        for name, value in expected.items():
            if (found := answer.content.get(name)) != value:
                return f"has {name} {found!r:.99}, not {value!r}"
        return None

    return check


def _is_user(user: User) -> _Validator:
    """Check the user of an answer, without printing the email address."""
    return lambda answer: None if answer.content.get("email") == user.email else "is another user"


def _is_usable_page(answer: Response) -> _Problem:
    """Check that a page loads a script, and nothing from another site."""
    opened = PageResources(answer.body)
    if opened.external:
        return f"loads from another site: {opened.external[0]}"
    return None if opened.scripts else "loads no script, so it would stay blank"


def _lists_manifest_files(answer: Response) -> _Problem:
    """Check that a manifest lists files."""
    return None if manifest_files(answer.content) else "lists no file"


def _is_asset(answer: Response) -> _Problem:
    """Check that an asset is not empty, and is not the page instead."""
    if answer.type == "text/html":
        return "is the page"
    return None if answer.body.strip() else "is empty"


def _is_api_error(answer: Response) -> _Problem:
    """Check that the app itself reports the error; older releases use plain JSON."""
    return (
        None
        if answer.type in _ERROR_MIME_TYPES
        else f"is {answer.type or 'of no type'}, not {_ERROR_MIME_TYPES[0]}"
    )


def _has_project_id(answer: Response) -> _Problem:
    """Check that an answer has the id of a project."""
    return None if isinstance(answer.content.get("id"), int) else "names no project"


def _lists_project(number: int) -> _Validator:
    """Check that a list contains a project."""

    def check(answer: Response) -> _Problem:
        items = answer.content.get("items")
        listed = isinstance(items, list) and any(
            isinstance(item, dict) and item.get("id") == number for item in items
        )
        return None if listed else "does not list the project that was just created"

    return check
