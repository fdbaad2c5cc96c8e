"""Log format: one line per record, with allowed fields only, so that no other data is logged."""

import sys
import traceback
from typing import Any

import structlog
from structlog.typing import EventDict, ExcInfo, Processor, WrappedLogger

from apps.telemetry.rows import without_rows

# The allowed extra fields. Django attaches whole requests to records, including their queries.
FIELDS = ["user_id", "method", "path", "route", "status", "duration_ms"]


def logging_config(*, level: str, renderer: Processor, release: str) -> dict[str, Any]:
    """Return the setting `LOGGING`: everything goes to stderr, one line per record."""

    def add_release(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
        event["release"] = release
        return event

    formatter = {
        "()": structlog.stdlib.ProcessorFormatter,
        "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        "foreign_pre_chain": [
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            structlog.stdlib.ExtraAdder(allow=FIELDS),
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.ExceptionRenderer(traceback_of),
            add_release,
        ],
    }
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"lines": formatter},
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "lines"}},
        "loggers": {
            "django": {"level": level},
            # Client errors are in the line of the request already.
            "django.request": {"level": "ERROR"},
            # The lines of the development server repeat ours, and include the query.
            "django.server": {"level": "ERROR", "handlers": [], "propagate": True},
        },
        "root": {"handlers": ["console"], "level": level},
    }


def traceback_of(exc_info: ExcInfo) -> str:
    """Return the traceback of an error, without values of database rows."""
    text = "".join(traceback.format_exception(*exc_info))
    return without_rows(text.rstrip("\n"), exc_info[1])


def json_lines() -> Processor:
    """Return the renderer for JSON lines."""
    return structlog.processors.JSONRenderer(default=str)


def text_lines() -> Processor:
    """Return the renderer for lines of text."""
    return structlog.dev.ConsoleRenderer(
        colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
    )
