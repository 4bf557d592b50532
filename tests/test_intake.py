"""Files become candidates, candidates settle and are claimed; all others are left alone."""

from __future__ import annotations

import os

import pytest
from desks import SCAN, Desk
from gates import Gate
from kills import fork, status
from needs import needs

from watcherd import intake
from watcherd.observer import Hint, HintKind


@pytest.fixture
def gate(desks) -> Gate:
    return Gate(desks())


def test_a_whole_file_is_claimed_at_once(gate):
    """A hint, a look, and the file is a job; no candidate is left."""
    gate.desk.drop(b"sub/\xff.pdf")
    gate.hint(b"sub/\xff.pdf")
    assert gate.tick() == [b"sub/\xff.pdf"]
    assert gate.intake.backlog.candidates == {}


def test_without_a_hint_the_rescan_finds_it(gate):
    """Events are hints: what nobody told of is found later, and counted."""
    gate.desk.drop(b"a.pdf")
    gate.desk.drop(b"b.pdf")
    gate.hint(b"a.pdf")
    assert gate.rescan() == 1
    assert sorted(gate.tick()) == [b"a.pdf", b"b.pdf"]
    assert gate.rescan() == 0


def test_what_is_being_written_waits(gate):
    """A file that a program has open is not taken, however often one looks."""
    path = gate.desk.drop()
    with path.open("ab"):
        gate.hint(b"a.pdf", HintKind.CREATED)
        assert gate.wait(60) == []
        assert gate.why(b"a.pdf") == "being-written"
    assert gate.wait(5) == [b"a.pdf"]


def test_a_hint_of_nothing_is_forgotten(gate):
    """A path that is gone, a link or a device is no candidate any more."""
    for name in (b"gone", b"link", b"pipe"):
        gate.hint(name)
    (gate.desk.inbox.path / "link").symlink_to("gone")
    os.mkfifo(gate.desk.inbox.path / "pipe")
    assert gate.tick() == []
    assert gate.intake.backlog.candidates == {}
    assert gate.intake.next_due() is None


@pytest.mark.parametrize("name", [b"a.part", b".hidden/a.pdf", b"../a.pdf", b"@eaDir/a.pdf"])
def test_what_is_ignored_is_not_even_looked_at(gate, name):
    """Temporary files, hidden folders and what lies outside raise no candidate."""
    gate.hint(name)
    assert gate.intake.backlog.candidates == {}


def test_a_folder_is_scanned_twice(gate):
    """What came into a new folder before its watch is found, also what came a moment later."""
    gate.desk.drop(b"new/a.pdf")
    gate.hint(b"new", HintKind.DIRECTORY)
    assert gate.tick() == [b"new/a.pdf"]
    gate.desk.drop(b"new/b.pdf")
    assert gate.tick(2.0) == [b"new/b.pdf"]


def test_the_room_is_not_passed(gate):
    """What there is no room for stays in the inbox, and is claimed when there is."""
    for n in range(5):
        gate.desk.drop(b"%d.pdf" % n)
    gate.rescan()
    assert gate.tick(room=0) == []
    assert len(gate.tick(room=3)) == 3
    assert len(os.listdir(gate.desk.inbox.path)) == 2
    assert len(gate.tick(1.0)) == 2


def test_a_kept_file_is_claimed_once(desks):
    """An original that stays in its inbox is known again, also later; a new one is not."""
    gate = Gate(desks(originals="keep"))
    path = gate.desk.drop()
    gate.hint(b"a.pdf")
    assert gate.tick() == [b"a.pdf"]
    for again in (gate, Gate(gate.desk)):
        again.hint(b"a.pdf")
        again.rescan()
        assert again.wait(60) == []
        assert again.intake.backlog.candidates == {}
    path.write_bytes(SCAN + b"%%EOF\n")
    gate.rescan()
    assert gate.wait(60) == [b"a.pdf"]


def test_a_file_that_is_taken_already_is_not_claimed_again(gate):
    """While only the unlinking of a copied file is missing, it is no second job."""
    gate.desk.drop()
    gate.intake.taken = lambda name, _: name == b"a.pdf"
    gate.hint(b"a.pdf")
    assert gate.wait(60) == []
    gate.intake.taken = lambda *_: False
    assert gate.wait(60) == [b"a.pdf"]


def test_candidates_that_go_are_forgotten(gate):
    """What a person takes back before it is claimed is not waited for."""
    path = gate.desk.drop(b"a.tif", b"II*\0")
    gate.rescan()
    gate.tick()
    assert list(gate.intake.backlog.candidates) == [b"a.tif"]
    path.unlink()
    gate.rescan()
    assert gate.intake.backlog.candidates == {}
    assert gate.wait(60) == []


def test_an_unreadable_inbox_is_told_once_and_recovers(gate):
    """Trouble is what it is until it is over."""
    inbox = gate.desk.inbox.path
    inbox.rename(inbox.with_name("away"))
    gate.rescan()
    assert "No such file" in gate.intake.trouble
    inbox.with_name("away").rename(inbox)
    gate.rescan()
    assert gate.intake.trouble is None


def test_what_cannot_be_read_stays_and_says_so(fast):
    """A file of somebody else's stays in the inbox, is told of, and is taken when it can be."""
    needs("root")
    fast.chmod(0o755)
    gate = Gate(Desk(fast / "d"))
    path = gate.desk.drop()
    path.chmod(0o000)

    def child():
        os.setgid(65534)
        os.setuid(65534)
        gate.hint(b"a.pdf")
        assert gate.tick() == []
        assert gate.why(b"a.pdf") == "unreadable"
        assert not gate.intake.backlog.restless

    assert status(fork(child)) == 0
    assert path.exists()


def test_what_cannot_be_claimed_stays_and_says_so(gate):
    """A spool that takes nothing leaves the file where it is, and it is tried again."""
    path = gate.desk.drop()
    gate.desk.spool.work.rename(gate.desk.root / "away")
    gate.hint(b"a.pdf")
    assert gate.tick() == []
    assert gate.why(b"a.pdf") == "not-claimable"
    assert path.exists()
    (gate.desk.root / "away").rename(gate.desk.spool.work)
    assert gate.wait(20) == [b"a.pdf"]


def test_looks_leave_the_lane_time_for_others(gate, monkeypatch):
    """One tick looks at a bounded number of files; the next one goes on with them."""
    monkeypatch.setattr(intake, "_LOOKS", 3)
    for n in range(5):
        gate.desk.drop(b"%d.pdf" % n)
    gate.rescan()
    assert [len(gate.tick()) for _ in range(3)] == [3, 2, 0]


def test_a_long_pause_on_a_busy_share_leaks_nothing(gate):
    """Events that come while nothing is taken are remembered once for each file and folder."""
    gate.desk.drop(b"new/a.pdf")
    for n in range(3000):
        gate.now += 0.1
        gate.hint(b"new", HintKind.DIRECTORY)
        gate.hint(b"new/a.pdf")
        gate.hint(b"gone-%d.pdf" % n)
        gate.hint(b"gone-%d" % n, HintKind.DIRECTORY)
        gate.intake.hint(Hint(os.fsencode(gate.desk.inbox.path), HintKind.DIRECTORY), gate.now)
        if n % 100 == 0:
            gate.rescan()
    gate.now += 2
    gate.rescan()
    assert len(gate.intake.backlog._due) < 400
    assert len(gate.intake.rounds._plans) == 0
    assert list(gate.intake.backlog.candidates) == [b"new/a.pdf"]
    assert gate.tick(3.0) == [b"new/a.pdf"]


def test_a_file_that_comes_again_is_looked_at_again(gate):
    """One that was forgotten while it waited for a look is taken when it is back."""
    path = gate.desk.drop(b"a.tif", b"II*\0")
    gate.hint(b"a.tif")
    gate.tick()
    path.unlink()
    gate.rescan()
    gate.desk.drop(b"a.tif", SCAN)
    gate.hint(b"a.tif")
    assert gate.wait(0.0) == [b"a.tif"]
