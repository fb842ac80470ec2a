"""Log lines: structured, to stderr, one per change of state."""

import sys

import structlog


def configure_logging() -> None:
    """Log lines to stderr: for people on a terminal, as JSON elsewhere."""
    people = sys.stderr.isatty()
    renderer = structlog.dev.ConsoleRenderer() if people else structlog.processors.JSONRenderer(ensure_ascii=False)
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            renderer,
        ],
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
    )
