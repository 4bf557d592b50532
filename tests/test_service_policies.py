"""What the configuration and people ask for: policies, places, requests, fairness, manners."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from needs import missing, needs
from papers import book, damaged, pages_of, scan, text_of
from service import Service

from watcherd.lifecycle import State

if TYPE_CHECKING:
    from collections.abc import Iterator

    from service import Home

    from watcherd.ledger import Job


@pytest.fixture(scope="module")
def shm() -> Iterator[Path]:
    """Make a folder on another filesystem, where there is one."""
    elsewhere = None if missing("a second filesystem") else "/dev/shm"  # noqa: S108
    folder = Path(tempfile.mkdtemp(prefix="wd-", dir=elsewhere))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def service(shm: Path) -> Iterator[Service]:
    inboxes: dict[str, dict[str, object]] = {
        "plain": {},
        "other": {"output": "{date:%Y}/{inbox}-{stem}", "formats": ["pdf", "txt"]},
        "skip": {"duplicates": "skip"},
        "delete": {"originals": "delete"},
        "keep": {"originals": "keep"},
        "far": {"spool": str(shm / "spool")},
        "patterns": {"ignore": ["*.bak.png"]},
        "held": {},
    }
    with Service(inboxes) as service:
        yield service


def _ask(service: Service, verb: str, target: str) -> None:
    request = service.ledger.ask(verb, target)
    service.until(lambda: service.ledger.request(request).answer, f"{verb} is answered")
    answer = service.ledger.request(request)
    assert answer.ok, answer.answer


def _second(service: Service, source: str, home: Home) -> Job:
    """Wait until a second job of this name has ended, and return it."""
    service.until(lambda: len(service.jobs(source, home)) == 2, "there is a second job")
    return service.finished(source, home)


def test_an_idle_daemon_takes_no_processor_time(service):
    """With eight inboxes and nothing to do, the daemon takes less than 1 % of a core."""
    pid = service.part("daemon")

    def ticks() -> int:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
        return int(fields[11]) + int(fields[12])

    service.until(lambda: len(service.log("inbox_opened")) == 8, "all inboxes are open")
    begun, before = time.monotonic(), ticks()
    service.until(lambda: time.monotonic() - begun > 10, "ten seconds have passed")
    used = (ticks() - before) / os.sysconf("SC_CLK_TCK") / (time.monotonic() - begun)
    assert used < 0.01


def test_two_inboxes_keep_apart(service):
    """The same name in two inboxes gives two documents, each by its own inbox's rules."""
    plain, other = service.homes["plain"], service.homes["other"]
    one = plain.drop("same.png", scan("In the plain one"))
    plain_pdf = service.done("same.png", one, plain)
    other.drop("same.png", scan("In the other one"))
    job = service.finished("same.png", other)
    year = time.strftime("%Y", time.localtime(job.created))
    assert other.found("outbox") == [f"{year}/other-same.pdf", f"{year}/other-same.txt"]
    assert "plain" in text_of(plain_pdf)
    assert "other" in (other.outbox / year / "other-same.txt").read_text()
    assert sorted(job.outputs) == [str(other.outbox / n) for n in other.found("outbox")]


def test_a_duplicate_is_skipped(service):
    """By the policy `skip` the same bytes are not done twice, and a note names the first."""
    home = service.homes["skip"]
    data = home.drop("first.png", scan("Twice the same"))
    first = service.done("first.png", data, home)
    job = service.jobs("first.png", home)[0]
    home.drop("second.png", data)
    skipped = service.finished("second.png", home)
    assert (skipped.state, skipped.code) == (State.SKIPPED, "duplicate")
    assert job.job in str(skipped.reason)
    assert home.found("outbox") == [first.name]
    assert (home.archive / "second.png").read_bytes() == data
    assert job.job in (home.archive / "second.png.error.json").read_text()


def test_a_duplicate_is_done_by_default(service):
    """By the policy `process` the same bytes under another name are another document."""
    home = service.homes["plain"]
    data = home.drop("copy-a.png", scan("Done both times"))
    service.done("copy-a.png", data, home)
    home.drop("copy-b.png", data)
    service.done("copy-b.png", data, home)


def test_originals_are_deleted(service):
    """By the policy `delete` an original goes when its document is there; a failed one stays."""
    home = service.homes["delete"]
    home.drop("gone.png", scan("No original stays"))
    job = service.finished("gone.png", home)
    assert (job.state, home.found("outbox")) == (State.DONE, ["gone.pdf"])
    assert home.found("archive") == home.found("inbox") == home.found("failed") == []
    bad = home.drop("bad.png", damaged())
    assert service.finished("bad.png", home).state is State.FAILED
    assert (home.failed / "bad.png").read_bytes() == bad


def test_originals_are_kept(service):
    """By the policy `keep` an original stays in its inbox, is done once, and again if changed."""
    home = service.homes["keep"]
    data = home.drop("kept.png", scan("Kept in its place"))
    assert service.finished("kept.png", home).state is State.DONE
    assert (home.inbox / "kept.png").read_bytes() == data
    os.kill(service.part("daemon"), 15)
    opened = len(service.log("inbox_opened", inbox="keep"))
    service.until(
        lambda: len(service.log("inbox_opened", inbox="keep")) > opened, "the inbox is read again"
    )
    after = home.drop("after.png", scan("Dropped after the restart"))
    assert service.finished("after.png", home).state is State.DONE
    assert (home.inbox / "after.png").read_bytes() == after
    assert len(service.jobs("kept.png", home)) == 1
    home.drop("kept.png", scan("Changed in its place"))
    job = _second(service, "kept.png", home)
    assert job.outputs == (str(home.outbox / "kept-2.pdf"),)
    assert "Changed" in text_of(home.outbox / "kept-2.pdf")
    assert home.found("archive") == []


def test_a_spool_on_another_filesystem(service):
    """With the spool elsewhere originals and documents are copied, and still lose nothing."""
    needs("a second filesystem")
    home = service.homes["far"]
    wanted = {f"far/{n}.png": scan(f"Far away {n}") for n in range(6)}
    wanted["far/book.pdf"] = book(5)
    for name, data in wanted.items():
        home.drop(name, data)
    for name, data in wanted.items():
        service.done(name, data, home)
    bad = home.drop("far-bad.png", damaged())
    assert service.finished("far-bad.png", home).state is State.FAILED
    assert (home.failed / "far-bad.png").read_bytes() == bad
    assert not [n for folder in ("inbox", "outbox") for n in home.found(folder) if ".part" in n]


def test_patterns_of_an_inbox(service):
    """Names that match an inbox's own patterns are left alone."""
    home = service.homes["patterns"]
    home.drop("old.bak.png", scan("Left alone"))
    data = home.drop("new.png", scan("Taken"))
    service.done("new.png", data, home)
    assert home.found("inbox") == ["old.bak.png"]


def test_a_paused_inbox(service):
    """A paused inbox claims nothing, also after a restart, until it is resumed."""
    home = service.homes["held"]
    _ask(service, "pause", "held")
    data = home.drop("paused.png", scan("Waits for leave"))
    os.kill(service.part("daemon"), 15)
    opened = len(service.log("inbox_opened", inbox="held"))
    service.until(
        lambda: len(service.log("inbox_opened", inbox="held")) > opened, "the inbox is read again"
    )
    service.until(lambda: service.ledger.waiting("held"), "it is shown as waiting")
    beside = service.homes["plain"].drop("beside-paused.png", scan("Beside the paused one"))
    service.done("beside-paused.png", beside, service.homes["plain"])
    assert not service.jobs("paused.png", home)
    assert (home.inbox / "paused.png").exists()
    _ask(service, "resume", "held")
    service.done("paused.png", data, home)


def test_a_running_book_is_cancelled(service):
    """A book that is cancelled while it runs ends at once, nothing of it is published."""
    home = service.homes["plain"]
    data = home.drop("cancelled.pdf", book(12, full=True))
    service.until(
        lambda: [j for j in service.jobs("cancelled.pdf", home) if j.current >= 1], "it runs"
    )
    job = service.jobs("cancelled.pdf", home)[0]
    _ask(service, "cancel", job.job)
    ended = service.finished("cancelled.pdf", home)
    assert (ended.state, ended.code) == (State.CANCELLED, "cancelled")
    assert ended.current < 12
    assert (home.failed / "cancelled.pdf").read_bytes() == data
    after = home.drop("after-cancel.png", scan("After the cancelled one"))
    service.done("after-cancel.png", after, home)
    assert "cancelled.pdf" not in home.found("outbox")


def test_a_disk_that_is_nearly_full():
    """With less room than `min_free` nothing is claimed, and the inbox says why."""
    with Service(min_free="900T") as service:
        service.scans.drop("no-room.png", scan("No room for it"))
        service.until(lambda: service.ledger.waiting("scans"), "it is shown as waiting")
        service.until(
            lambda: "free" in str(service.ledger.inboxes()["scans"].trouble), "it says why"
        )
        assert service.scans.found("inbox") == ["no-room.png"]
        assert not service.jobs("no-room.png")


def test_an_inbox_that_comes_late():
    """An inbox that is not there at the start is opened when it comes; the others do not wait."""
    with Service({"here": {}, "late": {}}) as service:
        here, late = service.homes["here"], service.homes["late"]
        service.stop()
        away = late.path / "unmounted"
        late.inbox.rename(away)
        service.start()
        first = here.drop("first.png", scan("The first one"))
        service.done("first.png", first, here)
        assert service.ledger.inboxes()["late"].trouble
        away.rename(late.inbox)
        data = late.drop("late.png", scan("The late one"))
        service.done("late.png", data, late)


def test_a_receipt_overtakes_a_book(service):
    """A receipt that comes while a book of forty pages is read is done long before the book."""
    home = service.homes["plain"]
    volume = home.drop("forty.tif", book(40, kind="TIFF"))
    service.until(lambda: [j for j in service.jobs("forty.tif", home) if j.current >= 2], "it runs")
    data = home.drop("receipt.png", scan("A receipt in between"))
    service.done("receipt.png", data, home)
    assert service.jobs("forty.tif", home)[0].state is State.RUNNING
    pdf = service.done("forty.tif", volume, home, seconds=60)
    assert pages_of(pdf) == 40
    text = text_of(pdf)
    places = [text.find(f"This is page {n}") for n in range(1, 41)]
    assert -1 not in places
    assert places == sorted(places)


def test_files_of_other_users(service):
    """As root, a file that only its owner may read is done, and its archived original stays his."""
    needs("root")
    home = service.homes["plain"]
    outside = home.path / "private.png"
    outside.write_bytes(scan("For my eyes only"))
    outside.chmod(0o600)
    os.chown(outside, 65534, 65534)
    data = outside.read_bytes()
    outside.rename(home.inbox / "private.png")
    service.done("private.png", data, home)
    status = (home.archive / "private.png").stat()
    assert (status.st_uid, stat.S_IMODE(status.st_mode)) == (65534, 0o600)


def test_mode_and_group_of_what_is_published(service):
    """Documents have the mode 0640 and, in a setgid outbox, its group."""
    needs("root")
    home = service.homes["delete"]
    os.chown(home.outbox, -1, 65534)
    home.outbox.chmod(0o2770)
    home.drop("group/modes.png", scan("Who may read this"))
    service.finished("group/modes.png", home)
    status = (home.outbox / "group" / "modes.pdf").stat()
    assert (stat.S_IMODE(status.st_mode), status.st_gid) == (0o640, 65534)
    assert (home.outbox / "group").stat().st_gid == 65534


def test_a_second_daemon_refuses_to_start(service):
    """A second daemon, alone or with all its parts, ends with 4 and disturbs nothing."""
    home = service.homes["plain"]
    redis = service.part("redis")
    assert service.watcherd("run").wait(20) == 4
    assert service.watcherd("up").wait(20) == 4
    assert service.part("redis") == redis
    data = home.drop("undisturbed.png", scan("Undisturbed"))
    service.done("undisturbed.png", data, home)
