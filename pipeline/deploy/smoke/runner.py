"""Walk through a site that runs, as a user does, and stop at the first thing that is broken.

python -m pipeline.deploy.smoke.runner https://www.example.com --release v1.2.3

The user is that of SMOKE_USER_EMAIL and SMOKE_USER_PASSWORD. All that is written is a project,
which is deleted again whatever happens.
"""

import argparse
import os
import re
import sys
from collections.abc import Callable, Mapping, Sequence

from pipeline.addresses import parse_origin
from pipeline.deploy.smoke.client import SmokeClient
from pipeline.deploy.smoke.scenario import (
    Response,
    SmokeStep,
    StepGenerator,
    User,
    open_steps,
    shared_session_steps,
    smoke_scenario,
)
from pipeline.errors import CheckFailedError, InputError, handle_errors

HEADER_PATTERN = re.compile(r"([A-Za-z0-9-]+)=([\x20-\x7e]+)")
HANDLED_ERRORS = (CheckFailedError, KeyboardInterrupt)
REQUEST_TIMEOUT, TOTAL_TIMEOUT = 10, 60
USER_VARIABLES = ("SMOKE_USER_EMAIL", "SMOKE_USER_PASSWORD")


def main(arguments: Sequence[str]) -> None:
    """Run the command line.

    Raises:
        InputError: An argument or a variable is missing or malformed.
        CheckFailedError: The site is broken.
    """
    parser = argparse.ArgumentParser("python -m pipeline.deploy.smoke.runner")
    parser.add_argument("url", help="such as https://www.example.com")
    parser.add_argument("--release", help="what must run there")
    parser.add_argument("--header", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--without", action="append", default=[], choices=["page", "project"])
    parser.add_argument("--request-seconds", type=float, default=REQUEST_TIMEOUT)
    parser.add_argument("--seconds", type=float, default=TOTAL_TIMEOUT)
    options = parser.parse_args(arguments)
    visitor = SmokeClient(
        site_origin(options.url),
        parse_headers(options.header),
        each=options.request_seconds,
        altogether=options.seconds,
    )
    for part in options.without:
        print(f"left out: {part}", flush=True)
    run_steps(
        smoke_scenario(user_from_env(os.environ), options.release, options.without),
        visitor.run_step,
    )


def run_smoke_test(
    url: str,
    release: str | None,
    variables: Mapping[str, str],
    given: Mapping[str, str],
    certificate: str = "",
) -> None:
    """Walk through a site that has just been deployed.

    Args:
        url: Its origin.
        release: What must run there, if that matters.
        variables: SMOKE_USER_EMAIL and SMOKE_USER_PASSWORD.
        given: Headers to send with every request.
        certificate: What to trust besides the usual authorities, as PEM.

    Raises:
        CheckFailedError: The site is broken, or it is another release.
    """
    visitor = new_client(url, given, certificate)
    run_steps(smoke_scenario(user_from_env(variables), release, []), visitor.run_step)


def open_site(url: str, given: Mapping[str, str], certificate: str = "") -> None:
    """Open a site, as a user does first.

    Args:
        url: Its origin.
        given: Headers to send with every request.
        certificate: What to trust besides the usual authorities, as PEM.

    Raises:
        CheckFailedError: It is not ready, or there is no page.
    """
    run_steps(open_steps(), new_client(url, given, certificate).run_step)


def keeps_sessions(
    url: str,
    variables: Mapping[str, str],
    first: Mapping[str, str],
    then: Mapping[str, str],
    certificate: str = "",
) -> bool:
    """Say whether a member who logs in at one release is one at another, which serves beside it.

    Args:
        url: The origin of the site.
        variables: SMOKE_USER_EMAIL and SMOKE_USER_PASSWORD.
        first: The headers that lead to the one.
        then: The headers that lead to the other.
        certificate: What to trust besides the usual authorities, as PEM.

    Raises:
        CheckFailedError: No member could log in, so that this is not known.
    """
    visitor, known = new_client(url, {}, certificate), True

    def perform(step: SmokeStep) -> Response:
        nonlocal known
        try:
            return visitor.run_step(step)
        except CheckFailedError:
            known = known and step.name != "known"
            raise

    try:
        run_steps(shared_session_steps(user_from_env(variables), first, then), perform)
    except CheckFailedError:
        if known:
            raise
    return known


def new_client(url: str, given: Mapping[str, str], certificate: str) -> SmokeClient:
    """Return a visitor who has asked for nothing yet."""
    limits = {"each": REQUEST_TIMEOUT, "altogether": TOTAL_TIMEOUT}
    return SmokeClient(site_origin(url), given, **limits, certificate=certificate)


def run_steps(steps: StepGenerator, perform: Callable[[SmokeStep], Response]) -> None:
    """Make all steps of a walk; after a fault, or Ctrl-C, those that clean up.

    Raises:
        CheckFailedError: The first fault, whatever came of cleaning up.
    """
    faults: list[BaseException] = []
    try:
        step = next(steps)
        while True:
            try:
                answer = perform(step)
            except HANDLED_ERRORS as fault:
                faults.append(fault)
                step = steps.throw(fault)
            else:
                step = steps.send(answer)
    except StopIteration:
        return
    except HANDLED_ERRORS:
        raise faults[0] from None


def site_origin(url: str) -> str:
    """Return the origin that a URL names.

    Raises:
        InputError: It names none, or more than that.
    """
    site = url.removesuffix("/")
    try:
        parse_origin(site)
    except ValueError as error:
        hint = "give it as in https://www.example.com"
        raise InputError(f"the URL is no origin: {error}", hint=hint) from None
    return site


def parse_headers(given: Sequence[str]) -> Mapping[str, str]:
    """Read headers to send with every request; what they hold is not printed.

    Raises:
        InputError: One of them is malformed.
    """
    pairs = [HEADER_PATTERN.fullmatch(header) for header in given]
    found = {pair[1]: pair[2] for pair in pairs if pair}
    if not all(pairs):
        raise InputError("a header is malformed", hint="give it as in --header X-Preview=secret")
    return found


def user_from_env(variables: Mapping[str, str]) -> User:
    """Read who is to log in.

    Raises:
        InputError: Names the variables that are missing.
    """
    if missing := [name for name in USER_VARIABLES if not variables.get(name)]:
        raise InputError(
            f"no user to log in as: {' and '.join(missing)} not set",
            hint="set both to a user who exists there and has no rights",
        )
    email, password = (variables[name] for name in USER_VARIABLES)
    return User(email, password)


if __name__ == "__main__":
    with handle_errors():
        main(sys.argv[1:])
