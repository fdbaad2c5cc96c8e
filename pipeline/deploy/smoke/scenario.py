"""The steps through a site, without asking anybody: a generator hands them out, takes the answers.

What undoes a step is a step too, and is handed out whatever became of those in between.
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

API = "/api/v1"
LOGIN, LOGOUT = f"{API}/auth/login/", f"{API}/auth/logout/"
MISSING_ASSET = "/assets/no-such-file.js"
PROJECT_NAME = "smoke"
FRONTEND_HINT = "was the frontend rolled out as it was built?"
ERROR_MIME_TYPES = ("application/problem+json", "application/json")
"""How an error is told: https://www.rfc-editor.org/rfc/rfc9457#section-3."""


@dataclass(frozen=True)
class Response:
    """What came back."""

    status: int
    type: str = ""
    body: bytes = field(default=b"", repr=False)

    @property
    def content(self) -> dict[str, Any]:
        """The JSON object in it; an empty one, if there is none."""
        try:
            content = json.loads(self.body)
        except ValueError:
            return {}
        return content if isinstance(content, dict) else {}


Problem = str | None
"""What is wrong with an answer, as a predicate; None if nothing is."""

Validator = Callable[[Response], Problem]


@dataclass(frozen=True)
class SmokeStep:
    """One request, and what its answer must be; any type will do if it names none."""

    name: str
    path: str
    method: str = "GET"
    status: int = 200
    type: str = "application/json"
    body: Mapping[str, str] | None = field(default=None, repr=False)
    validator: Validator = lambda _: None
    hint: str = "look for this request in the logs of what answers there"
    cleans_up: bool = False
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)

    def validate(self, answer: Response) -> Problem:
        """Say what is wrong with an answer to this step."""
        if answer.status != self.status:
            return f"answered {answer.status}, not {self.status}"
        if self.type and normalize_mime_type(answer.type) != self.type:
            return f"is {answer.type or 'of no type'}, not {self.type}"
        return self.validator(answer)


@dataclass(frozen=True)
class User:
    """Somebody who may log in."""

    email: str
    password: str = field(repr=False)


StepGenerator = Generator[SmokeStep, Response, None]


def smoke_scenario(
    user: User, release: str | None = None, without: Collection[str] = ()
) -> StepGenerator:
    """Hand out all steps.

    Args:
        user: Who logs in.
        release: What must run there; anything may, if it is not given.
        without: `page_steps` or `project_steps`, where the site has none.
    """
    yield readiness_steps()
    if release is not None:
        hint = "was this release undone, or another one rolled out meanwhile?"
        yield SmokeStep(
            "version", f"{API}/version/", validator=json_contains(release=release), hint=hint
        )
    if "page" not in without:
        yield from page_steps()
    yield from session_steps(user, [] if "project" in without else [project_steps])


def open_steps() -> StepGenerator:
    """Hand out what any user asks for first: an API that is ready, and the page."""
    yield readiness_steps()
    yield home_page_steps()


def readiness_steps() -> SmokeStep:
    """Ask the API whether it and what it stands on are there."""
    return SmokeStep("ready", f"{API}/health/ready/", validator=json_contains(status="ok"))


def home_page_steps() -> SmokeStep:
    """Open the page."""
    return SmokeStep("page", "/", type="text/html", validator=is_usable_page, hint=FRONTEND_HINT)


def page_steps() -> StepGenerator:
    """Open the page, everything that it loads, now or later, and an asset that does not exist."""
    answer = yield home_page_steps()
    shown = PageResources(answer.body)
    paths = {*shown.addresses}
    if shown.manifest:
        answer = yield SmokeStep(
            "list", shown.manifest, validator=lists_manifest_files, hint=FRONTEND_HINT
        )
        paths |= manifest_files(answer.content)
    for path in sorted(paths):
        yield SmokeStep(
            "asset", path, type=expected_mime_type(path), validator=is_asset, hint=FRONTEND_HINT
        )
    # A browser with an older page would take the new page for the script that it asks for.
    hint = "serve the page for addresses of the app only, never below /assets/"
    yield SmokeStep("no asset", MISSING_ASSET, status=404, type="", hint=hint)


def shared_session_steps(
    user: User, first: Mapping[str, str], then: Mapping[str, str]
) -> StepGenerator:
    """Log in at one release, and be known at another.

    Args:
        user: Who logs in.
        first: The headers that lead to the one.
        then: The headers that lead to the other.
    """
    me, credentials = f"{API}/auth/me/", {"email": user.email, "password": user.password}
    yield SmokeStep("guest", me, status=401, type="", headers=first)
    yield SmokeStep(
        "login", LOGIN, "POST", body=credentials, validator=is_user(user), headers=first
    )
    try:
        yield SmokeStep("known", me, validator=is_user(user), headers=then)
    finally:
        yield SmokeStep("logout", LOGOUT, "POST", 204, type="", cleans_up=True, headers=first)


def session_steps(user: User, parts: Collection[Callable[[], StepGenerator]]) -> StepGenerator:
    """Log in, do what only users can, and log out."""
    me, credentials = f"{API}/auth/me/", {"email": user.email, "password": user.password}
    hint = "does the user of SMOKE_USER_EMAIL exist there, with that SMOKE_USER_PASSWORD?"
    yield SmokeStep("guest", me, status=401, type="", validator=is_api_error)
    yield SmokeStep("login", LOGIN, "POST", body=credentials, validator=is_user(user), hint=hint)
    try:
        yield SmokeStep("me", me, validator=is_user(user))
        for part in parts:
            yield from part()
    finally:
        yield SmokeStep("logout", LOGOUT, "POST", 204, type="", cleans_up=True)


def project_steps() -> StepGenerator:
    """Create a project, find it in the list, and delete it."""
    projects = f"{API}/projects/"
    answer = yield SmokeStep(
        "create", projects, "POST", 201, body={"name": PROJECT_NAME}, validator=has_project_id
    )
    number = answer.content["id"]
    try:
        # Where others create projects meanwhile, it may not be among the newest any more.
        yield SmokeStep("list", f"{projects}?before={number + 1}", validator=lists_project(number))
    finally:
        yield SmokeStep("delete", f"{projects}{number}/", "DELETE", 204, type="", cleans_up=True)


def json_contains(**expected: str) -> Validator:
    """Judge what a JSON object says."""

    def judge(answer: Response) -> Problem:
        for name, value in expected.items():
            if (found := answer.content.get(name)) != value:
                return f"says that {name} is {found!r:.99}, not {value!r}"
        return None

    return judge


def is_user(user: User) -> Validator:
    """Judge whether this is the user, without saying who it is."""
    return lambda answer: None if answer.content.get("email") == user.email else "is somebody else"


def is_usable_page(answer: Response) -> Problem:
    """Judge whether a browser could make anything of a page, from this site alone."""
    opened = PageResources(answer.body)
    if opened.external:
        return f"loads from another site: {opened.external[0]}"
    return None if opened.scripts else "loads no script, so that nothing would be shown"


def lists_manifest_files(answer: Response) -> Problem:
    """Judge whether a page's list of its files names any."""
    return None if manifest_files(answer.content) else "lists no file"


def is_asset(answer: Response) -> Problem:
    """Judge whether a file is one, and not the page in its place."""
    if answer.type == "text/html":
        return "is the page"
    return None if answer.body.strip() else "is empty"


def is_api_error(answer: Response) -> Problem:
    """Judge whether the app itself tells an error; releases before told it in plain JSON."""
    return (
        None
        if answer.type in ERROR_MIME_TYPES
        else f"is {answer.type or 'of no type'}, not {ERROR_MIME_TYPES[0]}"
    )


def has_project_id(answer: Response) -> Problem:
    """Judge whether there is a project that can be deleted."""
    return None if isinstance(answer.content.get("id"), int) else "names no project"


def lists_project(number: int) -> Validator:
    """Judge whether a project is in a list."""

    def judge(answer: Response) -> Problem:
        items = answer.content.get("items")
        listed = isinstance(items, list) and any(
            isinstance(item, dict) and item.get("id") == number for item in items
        )
        return None if listed else "does not list the project that was just created"

    return judge
