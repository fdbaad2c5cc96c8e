"""Smoke test of a running site: the steps of a user, up to the first fault.

python -m pipeline.deploy.smoke.runner https://www.example.com --release v1.2.3

It logs in as SMOKE_USER_EMAIL with SMOKE_USER_PASSWORD, and runs the product's own steps, which
delete what they create.
"""

import argparse
import os
import re
import sys
from collections.abc import Callable, Mapping, Sequence

from pipeline.addresses import parse_origin
from pipeline.deploy.smoke.client import SmokeClient
from pipeline.deploy.smoke.scenario import open_steps, shared_session_steps, smoke_scenario
from pipeline.deploy.smoke.steps import Response, SmokeStep, StepGenerator, User
from pipeline.errors import CheckFailedError, InputError, handle_errors

_HEADER_PATTERN = re.compile(r"([A-Za-z0-9-]+)=([\x20-\x7e]+)")
_HANDLED_ERRORS = (CheckFailedError, KeyboardInterrupt)
_REQUEST_TIMEOUT, TOTAL_TIMEOUT = 10, 60
_USER_VARIABLES = ("SMOKE_USER_EMAIL", "SMOKE_USER_PASSWORD")


def main(arguments: Sequence[str]) -> None:
    """Run the command line.

    Raises:
        InputError: An argument or a variable is missing or malformed.
        CheckFailedError: The site is broken.
    """
    parser = argparse.ArgumentParser("python -m pipeline.deploy.smoke.runner")
    parser.add_argument("url", help="such as https://www.example.com")
    parser.add_argument("--release", help="the expected release")
    parser.add_argument("--header", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--without", action="append", default=[], choices=["page", "product"])
    parser.add_argument("--request-seconds", type=float, default=_REQUEST_TIMEOUT)
    parser.add_argument("--seconds", type=float, default=TOTAL_TIMEOUT)
    options = parser.parse_args(arguments)
    client = SmokeClient(
        _site_origin(options.url),
        _parse_headers(options.header),
        each=options.request_seconds,
        altogether=options.seconds,
    )
    for part in options.without:
        print(f"skipped: {part}", flush=True)
    run_steps(
        smoke_scenario(_user_from_env(os.environ), options.release, options.without),
        client.run_step,
    )


def run_smoke_test(
    url: str,
    release: str | None,
    variables: Mapping[str, str],
    given: Mapping[str, str],
    certificate: str = "",
) -> None:
    """Run the smoke test on a deployed site.

    Args:
        url: The origin of the site.
        release: The expected release; None for any.
        variables: SMOKE_USER_EMAIL and SMOKE_USER_PASSWORD.
        given: Headers of every request.
        certificate: An additional trusted certificate, as PEM.

    Raises:
        CheckFailedError: The site is broken, or runs another release.
    """
    client = new_client(url, given, certificate)
    run_steps(smoke_scenario(_user_from_env(variables), release, []), client.run_step)


def open_site(url: str, given: Mapping[str, str], certificate: str = "") -> None:
    """Check that the API is ready and that the page opens.

    Args:
        url: The origin of the site.
        given: Headers of every request.
        certificate: An additional trusted certificate, as PEM.

    Raises:
        CheckFailedError: The API is not ready, or there is no page.
    """
    run_steps(open_steps(), new_client(url, given, certificate).run_step)


def keeps_sessions(
    url: str,
    variables: Mapping[str, str],
    first: Mapping[str, str],
    then: Mapping[str, str],
    certificate: str = "",
) -> bool:
    """Return whether a user who logs in at one release is logged in at another one.

    Args:
        url: The origin of the site.
        variables: SMOKE_USER_EMAIL and SMOKE_USER_PASSWORD.
        first: The headers that select the first release.
        then: The headers that select the other release.
        certificate: An additional trusted certificate, as PEM.

    Raises:
        CheckFailedError: The user could not log in, so the result is unknown.
    """
    client, known = new_client(url, {}, certificate), True

    def perform(step: SmokeStep) -> Response:
        nonlocal known
        try:
            return client.run_step(step)
        except CheckFailedError:
            known = known and step.name != "known"
            raise

    try:
        run_steps(shared_session_steps(_user_from_env(variables), first, then), perform)
    except CheckFailedError:
        if known:
            raise
    return known


def new_client(url: str, given: Mapping[str, str], certificate: str) -> SmokeClient:
    """Return a client with the default time limits."""
    limits = {"each": _REQUEST_TIMEOUT, "altogether": TOTAL_TIMEOUT}
    return SmokeClient(_site_origin(url), given, **limits, certificate=certificate)


def run_steps(steps: StepGenerator, perform: Callable[[SmokeStep], Response]) -> None:
    """Run all steps; after a fault or Ctrl-C, only the cleanup steps.

    Raises:
        CheckFailedError: The first fault; later faults of the cleanup are dropped.
    """
    faults: list[BaseException] = []
    try:
        step = next(steps)
        while True:
            try:
                answer = perform(step)
            except _HANDLED_ERRORS as fault:
                faults.append(fault)
                step = steps.throw(fault)
            else:
                step = steps.send(answer)
    except StopIteration:
        return
    except _HANDLED_ERRORS:
        raise faults[0] from None


def _site_origin(url: str) -> str:
    """Return the origin of a URL.

    Raises:
        InputError: The URL is not an origin.
    """
    site = url.removesuffix("/")
    try:
        parse_origin(site)
    except ValueError as error:
        hint = "write it like https://www.example.com"
        raise InputError(f"the URL is not an origin: {error}", hint=hint) from None
    return site


def _parse_headers(given: Sequence[str]) -> Mapping[str, str]:
    """Parse headers `NAME=VALUE`; their values are secret and never printed.

    Raises:
        InputError: A header is malformed.
    """
    pairs = [_HEADER_PATTERN.fullmatch(header) for header in given]
    found = {pair[1]: pair[2] for pair in pairs if pair}
    if not all(pairs):
        raise InputError("a header is malformed", hint="write it like --header NAME=value")
    return found


def _user_from_env(variables: Mapping[str, str]) -> User:
    """Return the user of the environment variables.

    Raises:
        InputError: Names the missing variables.
    """
    if missing := [name for name in _USER_VARIABLES if not variables.get(name)]:
        raise InputError(
            f"no user to log in as: {' and '.join(missing)} not set",
            hint="set both to an existing user without privileges",
        )
    email, password = (variables[name] for name in _USER_VARIABLES)
    return User(email, password)


if __name__ == "__main__":
    with handle_errors():
        main(sys.argv[1:])
