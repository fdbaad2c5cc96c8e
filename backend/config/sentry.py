"""What is reported to Sentry: the error and where it arose, but nothing that a person sent."""

import sentry_sdk
from sentry_sdk.integrations.argv import ArgvIntegration
from sentry_sdk.integrations.redis import RedisIntegration
from sentry_sdk.types import Event, Hint

# One sends the command line, the other the keys that are asked of Redis: those of sessions, too.
TALKATIVE = (ArgvIntegration(), RedisIntegration())


def start_sentry(dsn: str, *, release: str, environment: str) -> None:
    """Report errors from now on."""
    sentry_sdk.init(
        dsn=dsn,
        release=release,
        environment=environment,
        include_local_variables=False,  # a password is a local variable somewhere
        max_request_body_size="never",
        disabled_integrations=[*TALKATIVE],
        before_send=without_query,
    )


def without_query(event: Event, _: Hint) -> Event:
    """Drop the query, which may carry a secret."""
    event.get("request", {}).pop("query_string", None)
    return event
