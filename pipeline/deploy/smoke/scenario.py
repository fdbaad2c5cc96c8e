"""The steps through a site, without asking anybody: a generator hands them out, takes the answers.

What undoes a step is a step too, and is handed out whatever became of those in between.
"""

import json
from collections.abc import Callable, Collection, Generator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pipeline.deploy.smoke.page import Page, files, today, type_of

API = "/api/v1"
LOGIN, LOGOUT = f"{API}/auth/login/", f"{API}/auth/logout/"
NO_SUCH_ASSET = "/assets/no-such-file.js"
NAME = "smoke"
AS_BUILT = "was the frontend rolled out as it was built?"
ERRORS = ("application/problem+json", "application/json")
"""How an error is told: https://www.rfc-editor.org/rfc/rfc9457#section-3."""


@dataclass(frozen=True)
class Answer:
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


Finding = str | None
"""What is wrong with an answer, as a predicate; None if nothing is."""

Judge = Callable[[Answer], Finding]


@dataclass(frozen=True)
class Step:
    """One request, and what its answer must be; any type will do if it names none."""

    name: str
    path: str
    method: str = "GET"
    status: int = 200
    type: str = "application/json"
    body: Mapping[str, str] | None = field(default=None, repr=False)
    judge: Judge = lambda _: None
    hint: str = "look for this request in the logs of what answers there"
    cleans_up: bool = False
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)

    def finding(self, answer: Answer) -> Finding:
        """Say what is wrong with an answer to this step."""
        if answer.status != self.status:
            return f"answered {answer.status}, not {self.status}"
        if self.type and today(answer.type) != self.type:
            return f"is {answer.type or 'of no type'}, not {self.type}"
        return self.judge(answer)


@dataclass(frozen=True)
class User:
    """Somebody who may log in."""

    email: str
    password: str = field(repr=False)


Walk = Generator[Step, Answer, None]


def walk(user: User, release: str | None = None, without: Collection[str] = ()) -> Walk:
    """Hand out all steps.

    Args:
        user: Who logs in.
        release: What must run there; anything may, if it is not given.
        without: `page` or `project`, where the site has none.
    """
    yield ready()
    if release is not None:
        hint = "was this release undone, or another one rolled out meanwhile?"
        yield Step("version", f"{API}/version/", judge=says(release=release), hint=hint)
    if "page" not in without:
        yield from page()
    yield from session(user, [] if "project" in without else [project])


def opened() -> Walk:
    """Hand out what any user asks for first: an API that is ready, and the page."""
    yield ready()
    yield home()


def ready() -> Step:
    """Ask the API whether it and what it stands on are there."""
    return Step("ready", f"{API}/health/ready/", judge=says(status="ok"))


def home() -> Step:
    """Open the page."""
    return Step("page", "/", type="text/html", judge=shows_something, hint=AS_BUILT)


def page() -> Walk:
    """Open the page, everything that it loads, now or later, and an asset that does not exist."""
    answer = yield home()
    shown = Page(answer.body)
    paths = {*shown.addresses}
    if shown.manifest:
        answer = yield Step("list", shown.manifest, judge=lists_files, hint=AS_BUILT)
        paths |= files(answer.content)
    for path in sorted(paths):
        yield Step("asset", path, type=type_of(path), judge=is_asset, hint=AS_BUILT)
    # A browser with an older page would take the new page for the script that it asks for.
    hint = "serve the page for addresses of the app only, never below /assets/"
    yield Step("no asset", NO_SUCH_ASSET, status=404, type="", hint=hint)


def shared(user: User, first: Mapping[str, str], then: Mapping[str, str]) -> Walk:
    """Log in at one release, and be known at another.

    Args:
        user: Who logs in.
        first: The headers that lead to the one.
        then: The headers that lead to the other.
    """
    me, credentials = f"{API}/auth/me/", {"email": user.email, "password": user.password}
    yield Step("guest", me, status=401, type="", headers=first)
    yield Step("login", LOGIN, "POST", body=credentials, judge=is_(user), headers=first)
    try:
        yield Step("known", me, judge=is_(user), headers=then)
    finally:
        yield Step("logout", LOGOUT, "POST", 204, type="", cleans_up=True, headers=first)


def session(user: User, parts: Collection[Callable[[], Walk]]) -> Walk:
    """Log in, do what only users can, and log out."""
    me, credentials = f"{API}/auth/me/", {"email": user.email, "password": user.password}
    hint = "does the user of SMOKE_USER_EMAIL exist there, with that SMOKE_USER_PASSWORD?"
    yield Step("guest", me, status=401, type="", judge=is_told)
    yield Step("login", LOGIN, "POST", body=credentials, judge=is_(user), hint=hint)
    try:
        yield Step("me", me, judge=is_(user))
        for part in parts:
            yield from part()
    finally:
        yield Step("logout", LOGOUT, "POST", 204, type="", cleans_up=True)


def project() -> Walk:
    """Create a project, find it in the list, and delete it."""
    projects = f"{API}/projects/"
    answer = yield Step("create", projects, "POST", 201, body={"name": NAME}, judge=names_a_project)
    number = answer.content["id"]
    try:
        # Where others create projects meanwhile, it may not be among the newest any more.
        yield Step("list", f"{projects}?before={number + 1}", judge=lists(number))
    finally:
        yield Step("delete", f"{projects}{number}/", "DELETE", 204, type="", cleans_up=True)


def says(**expected: str) -> Judge:
    """Judge what a JSON object says."""

    def judge(answer: Answer) -> Finding:
        for name, value in expected.items():
            if (found := answer.content.get(name)) != value:
                return f"says that {name} is {found!r:.99}, not {value!r}"
        return None

    return judge


def is_(user: User) -> Judge:
    """Judge whether this is the user, without saying who it is."""
    return lambda answer: None if answer.content.get("email") == user.email else "is somebody else"


def shows_something(answer: Answer) -> Finding:
    """Judge whether a browser could make anything of a page, from this site alone."""
    opened = Page(answer.body)
    if opened.foreign:
        return f"loads from another site: {opened.foreign[0]}"
    return None if opened.scripts else "loads no script, so that nothing would be shown"


def lists_files(answer: Answer) -> Finding:
    """Judge whether a page's list of its files names any."""
    return None if files(answer.content) else "lists no file"


def is_asset(answer: Answer) -> Finding:
    """Judge whether a file is one, and not the page in its place."""
    if answer.type == "text/html":
        return "is the page"
    return None if answer.body.strip() else "is empty"


def is_told(answer: Answer) -> Finding:
    """Judge whether the app itself tells an error; releases before told it in plain JSON."""
    return None if answer.type in ERRORS else f"is {answer.type or 'of no type'}, not {ERRORS[0]}"


def names_a_project(answer: Answer) -> Finding:
    """Judge whether there is a project that can be deleted."""
    return None if isinstance(answer.content.get("id"), int) else "names no project"


def lists(number: int) -> Judge:
    """Judge whether a project is in a list."""

    def judge(answer: Answer) -> Finding:
        items = answer.content.get("items")
        listed = isinstance(items, list) and any(
            isinstance(item, dict) and item.get("id") == number for item in items
        )
        return None if listed else "does not list the project that was just created"

    return judge
