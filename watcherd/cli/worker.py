"""`watcherd worker`: Celery, started rightly."""

from __future__ import annotations

import os
import warnings

import click

from watcherd.broker import QUEUES
from watcherd.cli import settings


@click.command()
@click.option(
    "--queues", "-Q", default=",".join(QUEUES), show_default=True, help="The kinds of work to take."
)
@click.option(
    "--concurrency",
    "-n",
    type=click.IntRange(1, 256),
    help="Pages at a time; by default the number of cores.",
)
@click.option("--name", default="worker", show_default=True, help="A name for the log.")
def command(queues: str, concurrency: int | None, name: str) -> None:
    """Run a worker that recognises pages, builds PDFs, and sends notifications."""
    unknown = set(queues.split(",")) - set(QUEUES)
    if unknown:
        raise click.BadParameter(
            f"no queue {', '.join(sorted(unknown))}; there are {', '.join(QUEUES)}",
            param_hint="--queues",
        )
    config = settings()
    # Before anything of OpenMP is loaded: one thread a page, pages in parallel.
    os.environ["OMP_THREAD_LIMIT"] = "1"
    os.environ["WATCHERD_UNIT"] = name  # for the log
    # Which user it is, is the administrator's choice; `check` speaks of root.
    warnings.filterwarnings("ignore", message=".*superuser privileges", category=UserWarning)
    from tasks.celery import app  # noqa: PLC0415 - only a worker loads the engines

    app.worker_main([
        "--quiet", "worker", "--pool", "prefork", "--queues", queues,
        "--concurrency", str(concurrency or len(os.sched_getaffinity(0))),
        "--hostname", f"{name}@%h", "--loglevel", config.log_level.upper(),
        # Workers need not know of each other: the daemon reconciles.
        "--without-gossip", "--without-mingle", "--without-heartbeat",
    ])  # fmt: skip
