"""What is reported to Sentry: the error and where it arose, but nothing that a person sent."""

import sentry_sdk
from sentry_sdk.integrations.argv import ArgvIntegration
from sentry_sdk.integrations.redis import RedisIntegration
from sentry_sdk.types import Event, Hint

from apps.telemetry.rows import without_rows

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
        before_send=without_data,
    )


def without_data(event: Event, hint: Hint) -> Event:
    """Drop the query, which may carry a secret, and what an error tells of rows."""
    event.get("request", {}).pop("query_string", None)
    _, error, _ = hint.get("exc_info") or (None, None, None)
    return without_rows(event, error)
