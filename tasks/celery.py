"""The Celery app of the workers: `celery -A tasks worker` finds it here.

`watcherd worker` starts it with the right options; its settings, each with its reason, are in
`watcherd.dispatch`.
"""

from __future__ import annotations

import ctypes
import os
import signal
from typing import Any

from celery.signals import setup_logging, worker_process_init

from watcherd import config, log
from watcherd.dispatch import make_app

# Four OpenMP threads for one page make it slower, and ruin it where pages share the cores.
os.environ.setdefault("OMP_THREAD_LIMIT", "1")

_PR_SET_PDEATHSIG = 1

app = make_app("tasks")
app.conf.include = ["tasks.ocr", "tasks.pdf", "tasks.notify"]


@setup_logging.connect
def _log_our_way(**_: Any) -> None:
    """Keep Celery from setting up logging of its own."""
    settings = config.load()
    log.setup(settings.log, settings.log_level, unit=os.environ.get("WATCHERD_UNIT", "worker"))


@worker_process_init.connect
def _die_with_the_worker(**_: Any) -> None:
    """End with the worker, however it ends: an orphan would go on with a page nobody waits for."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
