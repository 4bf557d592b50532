"""Submission: the Celery app with its few settings, and the one place that submits.

A message is a task's name and a job's id, for a page its number too. It says “look at this job's
directory”; what is to be done is decided there.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from celery import Celery, chain
from kombu.entity import Queue

from watcherd import broker, config
from watcherd.errors import EnvironmentFault

if TYPE_CHECKING:
    from watcherd.config import Config
    from watcherd.model import Message

ROUTES = {"ocr": "ocr", "page": "ocr", "pdf": "pdf", "notify": "notify"}
"""Which queue a task goes to: queues are kinds of work, so that units can be kinds of workers."""

_DAY = 86400


def settings(of: Config) -> dict[str, Any]:
    """Return Celery's settings, each for a reason."""
    local_redis = broker.url(of).startswith(("redis", "rediss"))
    return {
        "broker_url": broker.url(of),
        # JSON only: a message must not be able to carry code.
        "task_serializer": "json",
        "accept_content": ["json"],
        # Nobody waits for results: they land on disk.
        "task_ignore_result": True,
        "result_backend": None,
        # Direct queues only: after a FLUSHALL a topic's bindings are gone and publishes vanish.
        "task_queues": [Queue(name, routing_key=name) for name in broker.QUEUES],
        "task_default_queue": "ocr",
        "task_routes": {task: {"queue": queue} for task, queue in ROUTES.items()},
        # Late, so that a worker that is told to stop gives its message back. A killed child's
        # message is not requeued by the broker: how often and when is the daemon's decision.
        "task_acks_late": True,
        "task_acks_on_failure_or_timeout": True,
        "task_reject_on_worker_lost": False,
        # One message per child in advance would hold pages back from idle workers.
        "worker_prefetch_multiplier": 1,
        # Memory that a decoder never gives back ends with its process.
        "worker_max_tasks_per_child": 200,
        "worker_hijack_root_logger": False,
        "worker_send_task_events": False,
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,
        # The last clock, for native code that does not let the stage's own clock tick.
        "task_time_limit": max(of.limits.page_seconds * 10, 3600),
        "broker_transport_options": {
            # A hung broker must not hang us: it fails, and is tried again.
            "socket_timeout": broker.SOCKET_SECONDS,
            "socket_connect_timeout": broker.SOCKET_SECONDS,
            # Redelivery by the broker is not needed (the daemon reconciles), only harmless.
            "visibility_timeout": _DAY,
        }
        if local_redis
        else {},
    }


def make_app(name: str = "watcherd") -> Celery:
    """Return the app; the configuration is read when it is first needed."""
    app = Celery(name, set_as_current=False)
    app.add_defaults(lambda: settings(config.load()))
    return app


class Dispatcher:
    """Submits messages; may be used by one thread. Raises `EnvironmentFault` if it cannot."""

    def __init__(self, of: Config) -> None:
        """Prepare; nothing is opened before the first submission."""
        self._app = Celery("watcherd", set_as_current=False)
        self._app.conf.update(settings(of))
        if options := self._app.conf.broker_transport_options:
            # The daemon tries again itself: here a hung broker costs one timeout, not four.
            self._app.conf.broker_transport_options = {**options, "max_retries": 0}
        self._lock = threading.Lock()

    def submit(self, message: Message) -> None:
        """Submit one message of a job; with `ocr` and `pdf` goes the rest of the chain."""
        names = {"ocr": ("ocr", "pdf", "notify"), "page": ("page",), "pdf": ("pdf", "notify")}
        args = (message.job,) if message.page is None else (message.job, message.page)
        notice = (f"{message.job}.success",)
        self._send(
            [self._signature(n, notice if n == "notify" else args) for n in names[message.task]]
        )

    def submit_notice(self, notice_id: str) -> None:
        """Submit the telling of a notice."""
        self._send([self._signature("notify", (notice_id,))])

    def _signature(self, task: str, args: tuple[Any, ...]) -> Any:
        return self._app.signature(task, args=args, immutable=True, options={"queue": ROUTES[task]})

    def _send(self, signatures: list[Any]) -> None:
        try:
            with self._lock:
                chain(*signatures, app=self._app).apply_async(retry=False)
        except Exception as error:  # kombu lets many through; all mean that the broker is away
            raise EnvironmentFault(f"the broker does not take messages: {error}") from error
