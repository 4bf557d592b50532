"""Drives all documents of one inbox to their end, in one process, with the real functions.

`python drive.py CONFIG [retry]`: with `retry`, a document that has failed is taken up once more.
"""

from __future__ import annotations

import os
import sys
import time
from contextlib import suppress
from pathlib import Path

from celery.exceptions import Ignore

from tasks import stage
from tasks.ocr import ocr, page
from tasks.pdf import pdf
from watcherd import claiming, config, filing, log, places, reconcile
from watcherd.scan import Scan
from watcherd.spool import Spool
from watcherd.work import Ended, Work

ROUNDS = 60


def run_stage(message: reconcile.Message) -> None:
    """Do what a worker does with a message."""
    with suppress(Ignore):
        if message.task == "ocr":
            ocr(message.job)
            pdf(message.job)
        elif message.task == "page":
            page(message.job, message.page)
        else:
            pdf(message.job)


def plan_and_read(job: str) -> None:
    """Do what a worker does with the first message of a one-page document, and no more."""
    with suppress(Ignore):
        ocr(job)


def open_inbox(file: Path) -> tuple[config.Config, config.Inbox, Spool]:
    """Open the first inbox as the daemon does."""
    os.environ[config.VARIABLE] = str(file)
    stage.configuration.cache_clear()
    stage._spools.clear()
    settings = config.load(file)
    inbox = settings.inboxes[0]
    places.make_folders(inbox, served=False)
    return settings, inbox, Spool.make(places.choose(settings, inbox).path)


def drive(file: Path) -> list[Ended]:
    """Work until nothing is left in the inbox and in work; return what was filed."""
    settings, inbox, spool = open_inbox(file)
    told: list[object] = []
    targets = settings.targets_of(inbox, "failure")
    work = Work(inbox, spool, targets, told.append)
    for _ in range(ROUNDS):
        now = time.monotonic()
        work.adopt(now)
        work.look(now)
        waiting = [f for f in Scan(inbox.path, inbox.ignore).files() if not work.holds(*f)]
        options = settings.options(inbox)
        jobs = [claiming.claim(spool, inbox, *found, options) for found in waiting]
        work.take(jobs, now)
        for name, (_, facts) in work.view.items():
            for message in reconcile.missing(name, facts):
                run_stage(message)
        if not waiting and not len(work):
            return [news for news in told if isinstance(news, Ended)]
    raise AssertionError(f"it does not come to an end: {os.listdir(spool.work)}")


def retry(file: Path) -> None:
    """Take up again what has failed."""
    _, inbox, spool = open_inbox(file)
    for job in list(spool.jobs(spool.parked)):
        filing.restore(spool, job.job, inbox)


if __name__ == "__main__":
    log.setup("json", "error", unit="drive")
    drive(Path(sys.argv[1]))
    if sys.argv[2:] == ["retry"]:
        retry(Path(sys.argv[1]))
        drive(Path(sys.argv[1]))
