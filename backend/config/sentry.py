"""Error reports to Sentry: the error and its traceback, without user data."""

import sentry_sdk
from sentry_sdk.integrations.argv import ArgvIntegration
from sentry_sdk.integrations.redis import RedisIntegration
from sentry_sdk.types import Event, Hint

from apps.telemetry.rows import without_rows

# They would send the command line, and the keys of Redis, which include session keys.
DISABLED_INTEGRATIONS = (ArgvIntegration(), RedisIntegration())


def start_sentry(dsn: str, *, release: str, environment: str) -> None:
    """Start to report errors."""
    sentry_sdk.init(
        dsn=dsn,
        release=release,
        environment=environment,
        include_local_variables=False,  # they may hold a password
        max_request_body_size="never",
        disabled_integrations=[*DISABLED_INTEGRATIONS],
        before_send=without_data,
    )


def without_data(event: Event, hint: Hint) -> Event:
    """Remove the query string, which may hold a secret, and values of database rows."""
    event.get("request", {}).pop("query_string", None)
    _, error, _ = hint.get("exc_info") or (None, None, None)
    return without_rows(event, error)
