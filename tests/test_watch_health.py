"""An inbox whose folder goes, comes back, or hangs: noticed, told, healed."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import faulty
import pytest
from needs import needs
from papers import scan, text_of
from service import Home, Service

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    with Service({"scans": {"settle": 0.5}}, rescan=1, lease=3) as service:
        service.done("first.png", service.scans.drop("first.png", scan("It is being watched")))
        yield service


def _heard(service: Service, name: str) -> None:
    """Drop a file and see that it is done, and that an event has told of it, no scan."""
    found = len(service.log("files_found_by_rescan"))
    service.done(name, service.scans.drop(name, scan("Heard again")))
    assert len(service.log("files_found_by_rescan")) == found


def _lost(service: Service, says: str) -> None:
    """See that the loss of the inbox is logged and told."""
    service.until(lambda: says in faulty.trouble(service), f"it is told: {says}")
    told = [*service.log("inbox_not_watched"), *service.log("inbox_unreadable")]
    assert [line for line in told if says in line["says"]]


def _healed(service: Service, renewed: int) -> None:
    """See that the watch was renewed and the trouble is over."""
    service.until(lambda: len(service.log("watch_renewed")) > renewed, "the watch is renewed")
    service.until(lambda: not faulty.trouble(service), "the trouble is over")


def test_an_inbox_that_is_deleted_and_made_again(service):
    """A deleted inbox is told of; in the one made in its place files are found and heard."""
    renewed = len(service.log("watch_renewed"))
    shutil.rmtree(service.scans.inbox)
    _lost(service, "No such file")
    service.scans.inbox.mkdir()
    data = service.scans.drop("early.png", scan("Before the new watch"))
    _healed(service, renewed)
    assert "Before" in text_of(service.done("early.png", data))
    _heard(service, "deleted.png")


def test_an_inbox_that_is_renamed_away_and_back(service):
    """A file dropped into an inbox that is elsewhere for a while is done when it is back."""
    inbox = service.scans.inbox
    aside = inbox.with_name("aside")
    inbox.rename(aside)
    _lost(service, "No such file")
    data = scan("In the folder that is away")
    (aside / "aside.png").write_bytes(data)
    aside.rename(inbox)
    assert "away" in text_of(service.done("aside.png", data))
    service.until(lambda: not faulty.trouble(service), "the trouble is over")
    _heard(service, "renamed.png")


def test_an_inbox_that_is_mounted_over(service):
    """Files in a disk mounted over the inbox are done, and those below it when it is gone."""
    renewed = len(service.log("watch_renewed"))
    with faulty.disk(service.scans.inbox):
        _healed(service, renewed)
        _heard(service, "mounted.png")
    _healed(service, renewed + 1)
    _heard(service, "unmounted.png")


def test_an_unmount_beneath_a_file(service):
    """A file that goes with its disk before it is taken is done when the disk is back."""
    backing, inbox = service.root / "backing", service.scans.inbox
    renewed = len(service.log("watch_renewed"))
    with faulty.bound(backing, inbox):
        _healed(service, renewed)
        asked = service.ledger.ask("pause", "scans")
        service.until(lambda: service.ledger.request(asked).ok, "it is paused")
        data = service.scans.drop("gone.png", scan("Gone with its disk"))
        service.until(service.ledger.waiting, "it waits")
    service.until(lambda: not service.ledger.waiting(), "it is no longer seen")
    _healed(service, renewed + 1)
    asked = service.ledger.ask("resume", "scans")
    service.until(lambda: service.ledger.request(asked).ok, "it is resumed")
    assert not service.jobs("gone.png")
    with faulty.bound(backing, inbox):
        assert "disk" in text_of(service.done("gone.png", data))
        _healed(service, renewed + 2)
    _healed(service, renewed + 3)


def test_a_folder_that_cannot_be_read():
    """A sub-folder that is closed to the daemon is told of; its files are done when it opens."""
    needs("root", "setpriv")
    with faulty.Restrained({"scans": {"settle": 0.5}}, rescan=1) as service:
        closed = service.scans.inbox / "closed"
        closed.mkdir()
        data = service.scans.drop("closed/a.png", scan("Behind the door"))
        closed.chmod(0)
        service.until(lambda: "closed" in faulty.trouble(service), "it is told")
        service.done("b.png", service.scans.drop("b.png", scan("Beside it")))
        closed.chmod(0o755)
        assert "door" in text_of(service.done("closed/a.png", data))
        service.until(lambda: not faulty.trouble(service), "the trouble is over")


# A filesystem that hangs


@contextmanager
def frozen_inbox(service: Service, home: Home) -> Iterator[subprocess.Popen[bytes]]:
    """Have all folders of an inbox on a FUSE filesystem; give the program that serves it."""
    needs("root", "bindfs", "fusermount3")
    backing = service.root / f"backing-{home.name}"
    shutil.copytree(home.path, backing)
    for folder in (home.inbox, home.outbox):
        folder.rmdir()
    program = subprocess.Popen(["bindfs", "-f", backing, home.path], stderr=subprocess.PIPE)
    try:
        while not home.path.is_mount():
            if program.poll() is not None:
                pytest.skip(f"this machine allows no FUSE: {program.stderr.read().decode()}")
            time.sleep(0.01)
        yield program
    finally:
        program.send_signal(signal.SIGCONT)
        if home.path.is_mount():
            faulty.unmount(home.path)
        program.terminate()
        program.wait(10)
        program.stderr.close()
        shutil.rmtree(service.root, ignore_errors=True)


def _asked(service: Service, *arguments: str) -> tuple[float, str]:
    """Run a command and return how long it took, and what it printed."""
    begun = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "watcherd", "-c", service.config, *arguments],
        capture_output=True, text=True, timeout=20, check=False, cwd=service.root,
    )  # fmt: skip
    assert done.returncode in (0, 1), done.stderr
    return time.monotonic() - begun, done.stdout


def test_a_filesystem_that_hangs():
    """While one inbox hangs the others, the commands and a restart work; then it goes on."""
    service = Service(
        {"stuck": {"settle": 0.5}, "free": {"settle": 0.5}}, lease=3, rescan=1, attempts=1
    )
    stuck, free = service.homes["stuck"], service.homes["free"]
    with frozen_inbox(service, stuck) as program, service:
        service.until(lambda: len(service.log("inbox_opened")) == 2, "both inboxes are open")
        held = faulty.hold_worker(service)
        first = stuck.drop("a.png", scan("Caught by the ice"))
        service.until(lambda: service.jobs("a.png", stuck), "it is claimed")
        program.send_signal(signal.SIGSTOP)
        faulty.go_on(held)
        for number in range(3):
            data = free.drop(f"{number}.png", scan(f"Free is number {number}"))
            service.done(f"{number}.png", data, free)
        seconds, printed = _asked(service, "status", "--json")
        assert seconds < 10
        assert json.loads(printed)["daemon"]["running"]
        seconds, printed = _asked(service, "jobs", "--json")
        assert seconds < 10
        assert {row["inbox"] for row in json.loads(printed)} == {"stuck", "free"}
        service.until(lambda: "hangs" in faulty.trouble(service, "stuck"), "it is told", 40)

        daemon, begun = service.part("daemon"), time.monotonic()
        os.kill(daemon, signal.SIGTERM)
        service.until(lambda: daemon not in service.processes(), "the daemon has stopped", 10)
        assert time.monotonic() - begun < 10
        data = free.drop("after.png", scan("After the restart"))
        assert "restart" in text_of(service.done("after.png", data, free))

        program.send_signal(signal.SIGCONT)
        assert "ice" in text_of(service.done("a.png", first, stuck, 60))
        second = stuck.drop("b.png", scan("It has thawed"))
        assert "thawed" in text_of(service.done("b.png", second, stuck))
        service.until(lambda: not faulty.trouble(service, "stuck"), "the trouble is over")
