"""Anything killed or taken away, then nothing but waiting: every document is done, once."""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING

import pytest
import redis
from makers import encoded
from papers import book, dense, pages_of, scan, text_of
from service import Service

from watcherd import config, supervise
from watcherd.jobdir import JobDir
from watcherd.lifecycle import State

if TYPE_CHECKING:
    from collections.abc import Iterator

RECOVERY = 40.0
"""Seconds that a killed document may take beyond its own work, other tests running beside."""


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    with Service(lease=3) as service:
        yield service


def _in_mid_page(service: Service, name: str, pages: int = 4) -> bytes:
    """Drop a book of full pages and wait until one page is read and others are being read."""
    data = service.scans.drop(name, book(pages, full=True))
    service.until(lambda: [j for j in service.jobs(name) if j.current >= 1], "a page has landed")
    _wait_for_attempt(service, name)
    return data


def _wait_for_attempt(service: Service, name: str) -> None:
    job = JobDir(service.scans.spool / "work" / service.jobs(name)[0].job)
    service.until(lambda: list(job.path.glob("try-page-*")), "a page is being read")


def _whole(service: Service, name: str, data: bytes, pages: int = 4) -> None:
    pdf = service.done(name, data, seconds=RECOVERY)
    assert pages_of(pdf) == pages
    assert text_of(pdf).count("invoice") > 15 * pages


def _broker(service: Service) -> redis.Redis:
    socket = service.root / "state" / "redis" / "redis.sock"
    return redis.Redis(unix_socket_path=str(socket))


def test_the_worker_is_killed_in_mid_page(service):
    """A worker that is killed takes its pool with it; another finishes the book, once."""
    data = _in_mid_page(service, "worker.pdf")
    worker = service.part("worker")
    pool = service.children(worker)
    assert pool
    os.kill(worker, signal.SIGKILL)
    service.until(lambda: not service.processes().keys() & {worker, *pool}, "the pool has ended")
    _whole(service, "worker.pdf", data)


def test_a_pool_child_is_killed_in_mid_page(service):
    """A killed process of the pool costs the page in its hands one attempt, no more."""
    data = _in_mid_page(service, "child.pdf")
    for pid in service.children(service.part("worker")):
        os.kill(pid, signal.SIGKILL)
    _whole(service, "child.pdf", data)
    assert service.jobs("child.pdf")[0].state is State.DONE


def test_the_daemon_is_killed(service):
    """A daemon that is killed finds the jobs in work again, and what was dropped meanwhile."""
    data = _in_mid_page(service, "daemon.pdf")
    old = service.kill("daemon")
    late = service.scans.drop("meanwhile.png", scan("Dropped meanwhile"))
    service.until(lambda: service.part("daemon") != old, "there is another daemon")
    _whole(service, "daemon.pdf", data)
    service.done("meanwhile.png", late)


def test_redis_is_killed(service):
    """The embedded broker is started again when it is killed, and no document is lost."""
    data = _in_mid_page(service, "redis.pdf")
    old = service.kill("redis")
    late = service.scans.drop("brokerless.png", scan("Without a broker"))
    service.until(lambda: service.part("redis") != old, "there is another broker")
    _whole(service, "redis.pdf", data)
    service.done("brokerless.png", late)


def test_the_broker_forgets_everything(service):
    """FLUSHALL at the worst moment loses no document and doubles none."""
    data = _in_mid_page(service, "flushed.pdf")
    small = {f"flushed/{n}.png": scan(f"In the flood {n}") for n in range(8)}
    for name, bytes_ in small.items():
        service.scans.drop(name, bytes_)
    with _broker(service) as broker:
        for _ in range(3):
            broker.flushall()
            before = len(service.log("stage_finished"))
            service.until(lambda n=before: len(service.log("stage_finished")) > n, "work goes on")
        broker.flushall()
    _whole(service, "flushed.pdf", data)
    for name, bytes_ in small.items():
        service.done(name, bytes_, seconds=RECOVERY)


def test_everything_is_killed_at_once(service):
    """After kill -9 of `up` nothing of it lives on, and the next `up` finishes the work."""
    data = _in_mid_page(service, "all.pdf")
    assert service.up is not None
    assert len(service.processes()) >= 6
    service.up.kill()
    service.up.wait()
    service.until(lambda: not service.processes(), "nothing is left", 5)
    assert not service.scans.found("outbox/all.pdf")
    service.start()
    _whole(service, "all.pdf", data)


def test_a_restart_in_mid_page_gives_work_back(service):
    """A stop as of a service manager, in the middle of a book, ends soon and loses nothing."""
    data = _in_mid_page(service, "stopped.pdf", pages=6)
    begun = time.monotonic()
    assert service.stop() == 0
    assert time.monotonic() - begun < 20
    assert not service.processes()
    service.start()
    _whole(service, "stopped.pdf", data, pages=6)


def test_the_outbox_is_away_for_a_while(service):
    """While the outbox is not there nothing fails and nothing is counted; then all is published."""
    outbox, away = service.scans.outbox, service.scans.path / "unmounted"
    outbox.rename(away)
    data = service.scans.drop("nowhere.png", scan("Nowhere to go yet"))
    service.until(lambda: service.log("outbox_unusable"), "the fault is reported")
    away.rename(outbox)
    service.done("nowhere.png", data, seconds=RECOVERY)
    assert service.jobs("nowhere.png")[0].attempts == 0


def test_a_page_that_kills_its_worker_is_given_up(service):
    """A document under which workers die again and again fails with a reason; others are done."""
    service.scans.drop("poison.png", encoded(dense(3), "PNG", dpi=(300, 300)))

    worker = service.part("worker")
    seen: set[str] = set()

    def killed() -> bool:
        for job in service.jobs("poison.png"):
            folder = service.scans.spool / "work" / job.job
            begun = {path.name for path in folder.glob("try-ocr-*")} - seen
            if begun and (folder / "plan.json").exists():
                seen.update(begun)
                for pid in service.children(worker):
                    os.kill(pid, signal.SIGKILL)
        return any(job.state is State.FAILED for job in service.jobs("poison.png"))

    service.until(killed, "it is given up", 90)
    job = service.jobs("poison.png")[0]
    assert (job.code, job.attempts) == ("crashed", 3)
    assert (service.scans.failed / "poison.png").exists()
    data = service.scans.drop("after-poison.png", scan("After the poison"))
    service.done("after-poison.png", data)


def test_a_storm(service):
    """Under a storm of kills and flushes every document has exactly one outcome in the end."""
    wanted = {f"storm/{n}.png": scan(f"In the storm {n}") for n in range(30)}
    wanted["storm/book.pdf"] = book(12)
    for count, (name, data) in enumerate(wanted.items()):
        service.scans.drop(name, data)
        if count % 8 == 3:
            service.kill("daemon")
        if count % 8 == 5:
            with _broker(service) as broker:
                broker.flushall()
        if count == 12:
            service.kill("worker")
    for name, data in wanted.items():
        service.done(name, data, seconds=90)
    assert len(service.scans.found("outbox/storm")) == len(wanted)
    assert len(service.scans.found("archive/storm")) == len(wanted)
    assert not service.scans.found("inbox")
    service.until(lambda: not os.listdir(service.scans.spool / "work"), "nothing is in work")
    assert not service.ledger.unfinished()


def test_a_part_that_lived_long_is_started_again_soon(service):
    """A part that ends after a minute of health is not punished with the longest pause."""
    part = supervise.Part("brief", ["true"])
    supervisor = supervise.Supervisor(config.load(service.config))
    now = time.monotonic()
    supervisor._start(part, now)
    assert part.child is not None
    part.child.wait()
    supervisor._tend(part, now + 3600)
    assert part.due - (now + 3600) < 1
