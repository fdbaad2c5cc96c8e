"""The steps of the smoke test, without I/O: a generator yields requests and receives answers.

A step that cleans up is yielded in `finally`, so it runs also after a fault.
"""

import runpy
from collections.abc import Callable, Collection, Mapping

from pipeline.config import load
from pipeline.deploy.smoke.page import (
    PageResources,
    expected_mime_type,
    manifest_files,
)
from pipeline.deploy.smoke.steps import Problem, Response, SmokeStep, StepGenerator, User, Validator
from pipeline.errors import InputError

_MISSING_ASSET = "/assets/no-such-file.js"
_PAGE_HINT = "was the page rolled out as it was built?"
_ERROR_MIME_TYPES = ("application/problem+json", "application/json")
"""MIME types of an error: https://www.rfc-editor.org/rfc/rfc9457#section-3."""


def smoke_scenario(
    user: User, release: str | None = None, without: Collection[str] = ()
) -> StepGenerator:
    """Yield all steps.

    Args:
        user: The user who logs in.
        release: The expected release; None for any.
        without: Parts that the site does not have: `page`, or the steps of the `product`.
    """
    yield _readiness_steps()
    if release is not None:
        hint = "was this release rolled back, or another one deployed at the same time?"
        yield SmokeStep(
            "version",
            load().app.paths.version,
            validator=_json_contains(release=release),
            hint=hint,
        )
    if "page" not in without:
        yield from _page_steps()
    yield from _session_steps(user, [] if "product" in without else [_product_steps()])


def open_steps() -> StepGenerator:
    """Yield the first requests of a user: the readiness of the API, and the page."""
    yield _readiness_steps()
    yield _home_page_steps()


def _readiness_steps() -> SmokeStep:
    """Return the request for the readiness of the API, PostgreSQL and Redis."""
    return SmokeStep("ready", load().app.paths.ready, validator=_json_contains(status="ok"))


def _home_page_steps() -> SmokeStep:
    return SmokeStep("page", "/", type="text/html", validator=_is_usable_page, hint=_PAGE_HINT)


def _page_steps() -> StepGenerator:
    """Yield the page, every asset that it loads, now or later, and a missing asset."""
    answer = yield _home_page_steps()
    shown = PageResources(answer.body)
    paths = {*shown.addresses}
    if shown.manifest:
        answer = yield SmokeStep(
            "list", shown.manifest, validator=_lists_manifest_files, hint=_PAGE_HINT
        )
        paths |= manifest_files(answer.content)
    for path in sorted(paths):
        yield SmokeStep(
            "asset", path, type=expected_mime_type(path), validator=_is_asset, hint=_PAGE_HINT
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
    paths, credentials = load().app.paths, {"email": user.email, "password": user.password}
    yield SmokeStep("guest", paths.session, status=401, type="", headers=first)
    yield SmokeStep(
        "login", paths.login, "POST", body=credentials, validator=_is_user(user), headers=first
    )
    try:
        yield SmokeStep("known", paths.session, validator=_is_user(user), headers=then)
    finally:
        yield SmokeStep("logout", paths.logout, "POST", 204, type="", cleans_up=True, headers=first)


def _session_steps(user: User, parts: Collection[Callable[[], StepGenerator]]) -> StepGenerator:
    """Log in, run the steps that need a user, and log out."""
    paths, credentials = load().app.paths, {"email": user.email, "password": user.password}
    hint = "does the user of SMOKE_USER_EMAIL exist there, with that SMOKE_USER_PASSWORD?"
    yield SmokeStep("guest", paths.session, status=401, type="", validator=_is_api_error)
    yield SmokeStep(
        "login", paths.login, "POST", body=credentials, validator=_is_user(user), hint=hint
    )
    try:
        yield SmokeStep("me", paths.session, validator=_is_user(user))
        for part in parts:
            yield from part()
    finally:
        yield SmokeStep("logout", paths.logout, "POST", 204, type="", cleans_up=True)


def _product_steps() -> Callable[[], StepGenerator]:
    """Return the function `steps` of the product's own file.

    Raises:
        InputError: The file cannot be loaded, or has no such function.
    """
    file, hint = load().app.smoke, "app.smoke in pipeline.toml names this file"
    try:
        steps: Callable[[], StepGenerator] | None = runpy.run_path(file).get("steps")
    except Exception as error:  # noqa: BLE001 - the product's own code may raise anything
        raise InputError(f"{file}: {type(error).__name__}: {error}", hint=hint) from None
    if not callable(steps):
        raise InputError(f"{file} has no function `steps`", hint=hint)
    return steps


def _json_contains(**expected: str) -> Validator:
    """Check the values of a JSON object."""

    def check(answer: Response) -> Problem:
        for name, value in expected.items():
            if (found := answer.content.get(name)) != value:
                return f"has {name} {found!r:.99}, not {value!r}"
        return None

    return check


def _is_user(user: User) -> Validator:
    """Check the user of an answer, without printing the email address."""
    return lambda answer: None if answer.content.get("email") == user.email else "is another user"


def _is_usable_page(answer: Response) -> Problem:
    """Check that a page loads a script, and nothing from another site."""
    opened = PageResources(answer.body)
    if opened.external:
        return f"loads from another site: {opened.external[0]}"
    return None if opened.scripts else "loads no script, so it would stay blank"


def _lists_manifest_files(answer: Response) -> Problem:
    """Check that a manifest lists files."""
    return None if manifest_files(answer.content) else "lists no file"


def _is_asset(answer: Response) -> Problem:
    """Check that an asset is not empty, and is not the page instead."""
    if answer.type == "text/html":
        return "is the page"
    return None if answer.body.strip() else "is empty"


def _is_api_error(answer: Response) -> Problem:
    """Check that the app itself reports the error; older releases use plain JSON."""
    return (
        None
        if answer.type in _ERROR_MIME_TYPES
        else f"is {answer.type or 'of no type'}, not {_ERROR_MIME_TYPES[0]}"
    )
