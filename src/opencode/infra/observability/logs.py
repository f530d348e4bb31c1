"""JSON lines on stderr, or coloured ones for a person at a terminal."""

import logging
import sys
from contextlib import nullcontext
from typing import Any

from opencode.infra.hiding import hidden


def configure_logs(*, level: str, json: bool) -> None:
    """
    Args:
        level: `debug`, `info`, `warning` or `error`.
        json: one JSON object a line; otherwise lines for people.
    """
    # Nothing but coloured tracebacks needs rich, and it loads Pygments, too.
    with hidden("rich") if json else nullcontext():
        import structlog

    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer = structlog.processors.JSONRenderer() if json else structlog.dev.ConsoleRenderer()
    tracebacks = [structlog.processors.format_exc_info] if json else []
    structlog.configure(
        processors=[*shared, *tracebacks, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    # Libraries that log the standard way speak through the same renderer, from warnings upwards.
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *tracebacks, renderer],
            foreign_pre_chain=shared,
        )
    )
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
