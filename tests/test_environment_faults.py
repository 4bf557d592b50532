"""Faults of the machine cost no document an attempt: told once, waited out, and all goes on.

With one attempt allowed, a single one that counted would be a failure.
"""

from __future__ import annotations

import errno
import os
import shutil
import signal
import stat
import time
from contextlib import ExitStack
from dataclasses import replace

import faulty
import pytest
from desks import SCAN, Desk
from needs import needs
from papers import scan, text_of
from service import Service

from watcherd import claiming, files, log, places
from watcherd.intake import Intake
from watcherd.settle import SettlePolicy
from watcherd.spool import Spool
from watcherd.work import Sealed, Work

ROOM = 4 << 20
"""Bytes below which nothing is claimed here."""


@pytest.fixture(scope="module")
def small():
    """Give a service whose inbox, outbox and spool lie on one small disk of their own."""
    service = Service({"scans": {"settle": 0.5}}, attempts=1, lease=3, min_free=ROOM)
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, service.root, ignore_errors=True)
        stack.enter_context(faulty.disk(service.scans.path))
        for folder in (service.scans.inbox, service.scans.outbox):
            folder.mkdir()
        stack.enter_context(service)
        yield service


def test_a_disk_that_is_full_during_the_work(small):
    """A document whose work meets a full disk is told of once, and done when there is space."""
    home = small.scans
    held = faulty.hold_worker(small)
    data = home.drop("a.png", scan("Space is what it needs"))
    small.until(lambda: [j for j in small.jobs("a.png") if j.state == "queued"], "it is queued")
    filler = faulty.fill(home.path)
    faulty.go_on(held)
    small.until(lambda: small.log("environment_faulted"), "the work has met the full disk")
    small.until(lambda: "bytes are free" in faulty.trouble(small), "it is told")
    (job,) = small.jobs("a.png")
    assert not list((home.spool / "work" / job.job).glob("try-*"))
    assert (home.spool / "work" / job.job / "source").read_bytes() == data
    filler.unlink()
    assert "Space" in text_of(small.done("a.png", data))
    small.until(lambda: not faulty.trouble(small), "the trouble is over")
    assert len(small.log("disk_nearly_full")) == len(small.log("disk_has_room")) == 1


def test_claiming_stops_before_the_disk_is_full(small):
    """With little space left files stay in their inbox, and are claimed when there is more."""
    home = small.scans
    told = len(small.log("disk_nearly_full"))
    filler = faulty.fill(home.path, leave=ROOM // 2)
    small.until(lambda: len(small.log("disk_nearly_full")) > told, "it is seen")
    data = home.drop("b.png", scan("Wait in the inbox"))
    small.until(lambda: [w for w in small.ledger.waiting() if w.source == b"b.png"], "it waits")
    small.until(lambda: "bytes are free" in faulty.trouble(small), "it is told")
    assert (home.inbox / "b.png").read_bytes() == data
    assert not small.jobs("b.png")
    filler.unlink()
    small.done("b.png", data)
    assert len(small.log("disk_nearly_full")) == len(small.log("disk_has_room")) == told + 1


def test_a_claim_that_meets_a_full_disk(tmp_path):
    """A claim that meets a full disk leaves the file in its inbox, nothing behind, and says so."""
    with faulty.disk(tmp_path / "small") as root:
        desk = Desk(root, settle=0.5)
        path = desk.drop()
        filler = faulty.fill(root)
        quiet = SettlePolicy.fixed(0.0)
        intake = Intake(
            desk.inbox, desk.spool, desk.config.options(desk.inbox), quiet, log.get(),
            ask_writer=True,
        )  # fmt: skip
        intake.rescan(0.0)
        for second in range(1, 4):
            assert intake.tick(float(second), 9) == []
        with pytest.raises(OSError, match="No space left") as fault:
            intake.complain()
        assert fault.value.errno == errno.ENOSPC
        assert path.read_bytes() == SCAN
        assert os.listdir(desk.spool.work) == []
        filler.unlink()
        (job,) = intake.tick(4.0, 9)
        intake.complain()
        assert job.source.read_bytes() == SCAN
        assert not path.exists()


def test_a_copy_that_meets_a_full_disk_is_not_claimed_again(tmp_path, elsewhere):
    """A file that was copied into a job, and could not be sealed for want of space, stays one."""
    with faulty.disk(tmp_path / "small") as root:
        desk = Desk(root, path=str(elsewhere / "inbox"))
        path = desk.drop()
        told = []
        work = Work(desk.inbox, desk.spool, (), told.append)
        settled = claiming.fingerprint_of(path)
        options = desk.config.options(desk.inbox)
        job = claiming.claim(desk.spool, desk.inbox, b"a.pdf", settled, options)
        filler = faulty.fill(root)
        work.take([job], 0.0)
        assert work.fault.errno == errno.ENOSPC
        assert path.read_bytes() == SCAN
        assert work.holds(b"a.pdf", settled)
        quiet = SettlePolicy.fixed(0.0)
        intake = Intake(desk.inbox, desk.spool, options, quiet, log.get(), ask_writer=True)
        intake.taken = work.holds
        intake.rescan(0.0)
        filler.unlink()
        for second in range(1, 4):
            assert intake.tick(float(second), 9) == []
        work.look(4.0)
        assert work.fault is None
        assert not path.exists()
        assert job.source.read_bytes() == SCAN
        assert [type(news).__name__ for news in told if isinstance(news, Sealed)] == ["Sealed"]


@pytest.fixture(scope="module")
def apart():
    """Give a service whose outbox lies in a mount of its own."""
    service = Service({"scans": {"settle": 0.5}}, attempts=1, lease=3)
    mount = service.root / "mnt"
    outbox = mount / "outbox"
    text = service.config.read_text("utf-8")
    service.config.write_text(text.replace(str(service.scans.outbox), str(outbox)), "utf-8")
    with faulty.disk(mount):
        outbox.mkdir()
        with service:
            yield service
    shutil.rmtree(service.root, ignore_errors=True)


def _published(service: Service, name: str) -> list[str]:
    service.finished(f"{name}.png")
    job = service.jobs(f"{name}.png")[0]
    assert job.state == "done", job.reason
    assert (service.scans.archive / f"{name}.png").exists()
    return os.listdir(service.root / "mnt" / "outbox")


def test_an_outbox_that_becomes_read_only(apart):
    """A document waits while the outbox cannot be written, and is published when it can."""
    apart.scans.drop("warm.png", scan("Before"))
    assert _published(apart, "warm") == ["warm.pdf"]
    held = faulty.hold_worker(apart)
    apart.scans.drop("d.png", scan("Read only for a while"))
    apart.until(lambda: [j for j in apart.jobs("d.png") if j.state == "queued"], "it is queued")
    faulty.remount(apart.root / "mnt", "ro")
    faulty.go_on(held)
    apart.until(lambda: apart.log("environment_faulted"), "the work has met it")
    apart.until(lambda: "cannot be written" in faulty.trouble(apart), "it is told")
    faulty.remount(apart.root / "mnt", "rw")
    assert sorted(_published(apart, "d")) == ["d.pdf", "warm.pdf"]
    assert len(apart.log("outbox_unusable")) == 1
    apart.until(lambda: not faulty.trouble(apart), "the trouble is over")


def test_an_outbox_that_is_not_mounted(apart):
    """An outbox that is missing is not made: documents wait for it, also over a restart."""
    mount = apart.root / "mnt"
    apart.scans.drop("warm2.png", scan("Before"))
    assert "warm2.pdf" in _published(apart, "warm2")
    faulty.unmount(mount)
    apart.scans.drop("e.png", scan("Where is it"))
    apart.until(lambda: "does not exist" in faulty.trouble(apart), "it is told")
    apart.until(lambda: apart.jobs("e.png"), "it is claimed")
    apart.kill("daemon")
    apart.until(lambda: apart.log("inbox_not_open"), "the new daemon tells it as well")
    assert os.listdir(mount) == []
    faulty.mount(mount)
    (mount / "outbox").mkdir()
    assert _published(apart, "e") == ["e.pdf"]
    apart.until(lambda: not faulty.trouble(apart), "the trouble is over")


def test_jobs_stay_where_they_are_in_work(tmp_path, elsewhere):
    """A spool with unfinished jobs is kept until they have ended, wherever it would belong now."""
    desk = Desk(tmp_path, outbox=str(elsewhere))
    settled = replace(desk.config, inboxes=(replace(desk.inbox, spool=None),))
    (inbox,) = settled.inboxes
    central = places.choose(settled, inbox)
    assert central.path == settled.state_dir / "spool"
    path = desk.drop()
    spool = Spool.make(central.path)
    job = claiming.claim(
        spool, inbox, b"a.pdf", claiming.fingerprint_of(path), settled.options(inbox)
    )
    beside = replace(inbox, outbox=tmp_path / "near")
    places.make_folders(beside, served=False)
    assert places.choose(settled, beside).path == central.path
    files.remove_tree(job.path)
    assert places.choose(settled, beside).path == tmp_path / places.BESIDE


def test_a_broker_that_hangs_and_one_that_is_away():
    """Without an answer from the broker the daemon lives and claims; after it all is done, once."""
    with (
        faulty.own_broker() as redis,
        Service({"scans": {"settle": 0.5}}, broker=redis.url, attempts=1, lease=3) as service,
    ):
        service.done("f.png", service.scans.drop("f.png", scan("Before it hung")))
        redis.signal(signal.SIGSTOP)
        begun, beat = time.monotonic(), service.ledger.daemon().beat
        data = service.scans.drop("g.png", scan("While it hung"))
        service.until(lambda: service.log("broker_lost"), "it is missed")
        service.until(lambda: service.ledger.daemon().trouble, "it is told")
        service.until(lambda: time.monotonic() - begun > 10, "it hung for long")
        assert service.ledger.daemon().beat > beat
        assert not (service.scans.inbox / "g.png").exists()
        redis.signal(signal.SIGCONT)
        assert "hung" in text_of(service.done("g.png", data))
        service.until(lambda: not service.ledger.daemon().trouble, "the trouble is over")

        redis.kill()
        data = service.scans.drop("h.png", scan("While it was away"))
        service.until(lambda: service.ledger.daemon().trouble, "it is told")
        assert [j.state for j in service.jobs("h.png")] == ["ready"]
        redis.start()  # an empty one
        assert "away" in text_of(service.done("h.png", data))
        assert len(service.log("broker_lost")) == 2


@pytest.fixture(scope="module")
def restrained():
    """Give a service that is held to the permission bits of files."""
    needs("root", "setpriv")
    with faulty.Restrained({"scans": {"settle": 0.5}}, attempts=1, lease=3, rescan=2) as service:
        service.done("j.png", service.scans.drop("j.png", scan("Open")))
        yield service


@pytest.mark.parametrize("folder", ["inbox", "outbox", "archive"])
def test_permissions_that_are_taken_and_given_back(restrained, folder):
    """A folder of ours that is closed holds documents up; they are done when it is opened."""
    home = restrained.scans
    closed = home.path / folder
    mode = stat.S_IMODE(closed.stat().st_mode)
    name, data = f"{folder}.png", scan("Closed for a while")
    if folder == "inbox":
        home.drop(name, data)
    closed.chmod(0)
    if folder != "inbox":
        home.drop(name, data)
    restrained.until(lambda: str(closed) in faulty.trouble(restrained), "it is told")
    closed.chmod(mode)
    assert "Closed" in text_of(restrained.done(name, data))
    restrained.until(lambda: not faulty.trouble(restrained), "the trouble is over")
