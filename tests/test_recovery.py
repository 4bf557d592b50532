"""How soon things move again, with the settings as they come."""

from __future__ import annotations

import os
import signal
import time
from datetime import datetime

from papers import book, scan
from service import Service

from watcherd.jobdir import JobDir

RESTART = 5.0
"""Seconds from the restart of everything to the first document that moves."""

LEASE = 30.0
"""Seconds in which a stage that lost its worker runs again, whatever the broker believes."""


def _tries(job: JobDir) -> set[str]:
    return {path.name for path in job.path.glob("try-page-*")}


def test_a_stage_that_lost_its_worker_runs_again():
    """A page whose worker was killed is begun again within half a minute."""
    with Service() as service:
        data = service.scans.drop("a.pdf", book(6, full=True))
        service.until(lambda: [j for j in service.jobs("a.pdf") if j.current], "a page has landed")
        job = JobDir(service.scans.spool / "work" / service.jobs("a.pdf")[0].job)
        service.until(lambda: _tries(job), "a page is being read")
        worker = service.part("worker")
        pool = service.children(worker)
        os.kill(worker, signal.SIGKILL)
        killed = time.monotonic()
        service.until(lambda: not service.processes().keys() & {worker, *pool}, "the pool is gone")
        dead = {name.rpartition("-")[0] for name in _tries(job)}
        assert dead, "nothing was being read when the worker died"
        first = len(_tries(job))

        def again() -> bool:
            names = _tries(job)
            keys = [name.rpartition("-")[0] for name in names]
            return len(names) > first and any(keys.count(key) > 1 for key in dead)

        service.until(again, "a page that was lost is begun again")
        assert time.monotonic() - killed < LEASE
        service.done("a.pdf", data)


def test_everything_was_killed_and_starts_again():
    """After kill -9 of everything the first document moves within seconds of the restart."""
    with Service() as service:
        service.scans.drop("a.pdf", book(6, full=True))
        service.until(lambda: [j for j in service.jobs("a.pdf") if j.current], "a page has landed")
        service.up.kill()
        service.up.wait()
        service.until(lambda: not service.processes(), "everything is dead")
        data = service.scans.drop("b.png", scan("Dropped while nobody was there"))
        before = len(service.log("job_dispatched"))
        started = time.time()
        service.start()
        service.until(lambda: len(service.log("job_dispatched")) > before, "something moves")
        moved = service.log("job_dispatched")[before]["timestamp"]
        assert datetime.fromisoformat(moved).timestamp() - started < RESTART
        service.done("b.png", data)
