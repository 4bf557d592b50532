"""The log: one line per fact, past tense, with its keys; for people on a terminal, else JSON.

Everything that runs here speaks through structlog, the libraries' own messages included.
"""

from __future__ import annotations

import logging
import sys
import warnings
from typing import TYPE_CHECKING, Any, TypeAlias

import structlog

from watcherd.naming import display

if TYPE_CHECKING:
    from collections.abc import MutableMapping

Logger: TypeAlias = structlog.stdlib.BoundLogger

_LOUD = {
    "celery": logging.WARNING,
    "kombu": logging.WARNING,
    "amqp": logging.WARNING,
    "watchdog": logging.WARNING,
    "apprise": logging.WARNING,
    "img2pdf": logging.WARNING,
    "PIL": logging.WARNING,
    "pikepdf": logging.WARNING,
    "urllib3": logging.WARNING,
}


def _plain(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Show names of files as a person can read them; any bytes may come."""
    for key, value in event.items():
        if isinstance(value, bytes):
            event[key] = display(value)
    return event


def setup(style: str = "auto", level: str = "info", **bound: str) -> None:
    """Send all logging of this process to standard error.

    `style` is `console`, `json`, or `auto`: console on a terminal, JSON elsewhere. `bound` goes
    with every line.
    """

    def always(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        """Add what goes with every line, on every thread and in every child."""
        for key, value in bound.items():
            event.setdefault(key, value)
        return event

    shared: list[structlog.typing.Processor] = [
        always,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _plain,
    ]
    pretty = style == "console" or (style == "auto" and sys.stderr.isatty())
    last: list[structlog.typing.Processor] = (
        [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())]
        if pretty
        else [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    )
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    out = logging.StreamHandler(sys.stderr)
    out.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    _lead_all_to(out, level)


def _lead_all_to(out: logging.Handler, level: str) -> None:
    """Send the libraries' own messages the same way, the talkative ones only when it matters."""
    root = logging.getLogger()
    root.handlers[:] = [out]
    root.setLevel(level.upper())
    for name, least in _LOUD.items():
        logging.getLogger(name).setLevel(max(least, root.level))
    logging.captureWarnings(capture=True)
    warnings.filterwarnings("ignore", category=RuntimeWarning, module="watchdog")


def get(**bound: Any) -> Logger:
    """Return a logger whose every line carries `bound`."""
    logger: Logger = structlog.stdlib.get_logger("watcherd").bind(**bound)
    return logger
