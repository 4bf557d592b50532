"""Walks go on slice by slice, find what is there, and ask the disk no more than they must."""

from __future__ import annotations

import os

import pytest
from desks import Desk
from kills import fork, status
from needs import needs

from watcherd import claiming, rounds
from watcherd.backlog import HELD, Backlog
from watcherd.lease import fingerprint
from watcherd.rounds import Rounds, Walked
from watcherd.scan import Scan

DONE = Walked(whole=True, untold=0, trouble=None)


class Way:
    """The rounds through a desk's inbox, on a clock of its own."""

    def __init__(self, desk) -> None:
        self.desk, self.now, self.backlog = desk, 0.0, Backlog()
        self.rounds = Rounds(desk.inbox, desk.spool, self.backlog)

    def drop(self, *names: bytes) -> None:
        """Put files into the inbox."""
        for name in names:
            self.desk.drop(name)

    def keep(self, name: bytes) -> None:
        """Mark a file as taken and kept, as a claim does."""
        path = self.desk.drop(name)
        claiming._mark_kept(self.desk.spool, self.desk.inbox, name, fingerprint(path.lstat()))

    def go(self, seconds: float = 0.0, folder: bytes | None = b"") -> Walked | None:
        """Plan a walk and do all that is due; return how it ended."""
        self.now += seconds
        if folder is not None:
            self.rounds.plan(folder, self.now)
        walked = None
        while (due := self.rounds.next_due()) is not None and due <= self.now:
            walked = self.rounds.step(self.now) or walked
        return walked

    @property
    def names(self) -> list[bytes]:
        """The names of the candidates."""
        return sorted(self.backlog.candidates)


@pytest.fixture
def way(desk) -> Way:
    return Way(desk)


def test_a_walk_finds_what_is_there(way):
    """Files become candidates with their size, to be looked at now, in the order of their names."""
    way.drop(b"b.pdf", b"sub/c.pdf", b"a.pdf", b"x.part")
    assert way.go() == Walked(whole=True, untold=3, trouble=None)
    assert list(way.backlog.candidates) == [b"a.pdf", b"b.pdf", b"sub/c.pdf"]
    one = way.backlog.candidates[b"a.pdf"]
    path = way.desk.inbox.path / "a.pdf"
    assert (one.size, one.since) == (path.stat().st_size, path.stat().st_ctime)
    assert way.backlog.take_due(way.now) == b"a.pdf"
    assert way.go() == DONE


def test_a_walk_goes_on_slice_by_slice(way, monkeypatch):
    """Between two slices the lane is free; what comes and goes meanwhile does no harm."""
    monkeypatch.setattr(rounds, "_SLICE", 30)
    way.drop(*(b"%02d.pdf" % number for number in range(95)))
    way.rounds.plan(b"", 0.0)
    steps = 0
    while (walked := way.rounds.step(0.0)) is None:
        steps += 1
        assert way.rounds.next_due() == 0.0
        (way.desk.inbox.path / f"{steps:02}.pdf").unlink()
    assert walked.whole
    assert steps == 3
    assert len(way.names) == 92
    assert way.rounds.next_due() is None


def test_thousands_of_files_are_counted_and_served(way):
    """Only so many are held; when half of them are taken, the next ones are found."""
    left = [b"%04d.pdf" % number for number in range(3 * HELD)]
    way.drop(*left)
    assert way.go().untold == 3 * HELD
    assert way.rounds.next_due() is None
    served = []
    while left:
        assert len(way.backlog) == len(left)
        assert len(way.names) <= HELD
        for name in way.names:
            (way.desk.inbox.path / os.fsdecode(name)).unlink()
            way.backlog.forget(name)
            served.append(name)
            left.remove(name)
        way.go(1.0, folder=None)
    assert served == sorted(served)
    assert len(way.backlog) == 0
    assert way.rounds.next_due() is None


def test_a_folder_is_walked_twice(way):
    """A new folder is walked now and a second later, for itself; a whole walk makes up for that."""
    way.drop(b"new/a.pdf", b"other.pdf")
    assert way.go(folder=b"new") is None
    assert way.names == [b"new/a.pdf"]
    way.drop(b"new/b.pdf")
    way.go(0.5, folder=None)
    assert way.names == [b"new/a.pdf"]
    way.go(0.5, folder=None)
    assert way.names == [b"new/a.pdf", b"new/b.pdf"]
    assert way.rounds.next_due() is None
    way.rounds.plan(b"new", way.now)
    way.rounds.plan(b"gone", way.now)
    way.go()
    assert way.rounds.next_due() == way.now + 1.0
    assert way.go(1.0, folder=None) is None
    assert way.rounds.next_due() is None


def test_an_inbox_that_is_gone_is_told(way):
    """What cannot be read is trouble and forgets no candidate; the next walk is as any."""
    way.drop(b"a.pdf")
    way.go()
    inbox = way.desk.inbox.path
    inbox.rename(inbox.with_name("away"))
    event, says = way.go().trouble
    assert (event, says) == ("inbox_unreadable", f"{inbox}: No such file or directory")
    assert way.names == [b"a.pdf"]
    inbox.with_name("away").rename(inbox)
    assert way.go() == DONE


def test_a_folder_that_cannot_be_entered_is_told(fast):
    """Files that are listed and cannot be seen are no candidates; the others are."""
    needs("root")
    fast.chmod(0o755)
    way = Way(Desk(fast / "d"))
    way.drop(b"shut/b.pdf", b"a.pdf")
    (way.desk.inbox.path / "shut").chmod(0o444)

    def child():
        os.setgid(65534)
        os.setuid(65534)
        assert way.go().trouble == ("folder_unreadable", "shut/b.pdf: Permission denied")
        assert way.names == [b"a.pdf"]
        assert len(way.backlog) == 1

    assert status(fork(child)) == 0


# What is kept


@pytest.fixture
def kept(desks) -> Way:
    """Give a way through an inbox that keeps its originals, two of them taken already."""
    way = Way(desks(originals="keep"))
    way.keep(b"a.pdf")
    way.keep(b"b.pdf")
    way.go()
    assert way.names == []
    return way


def test_markers_are_asked_for_once(kept):
    """A walk does not look for the markers that the last one saw, unless it is told to."""
    for marker in kept.desk.spool.kept.iterdir():
        marker.unlink()
    assert kept.go() == DONE
    kept.rounds.kept.forget()
    kept.go()
    assert kept.names == [b"a.pdf", b"b.pdf"]


def test_a_kept_file_that_is_written_to_is_a_candidate(kept):
    """Only the very file that was taken is left alone: another size, time or inode is another."""
    inbox = kept.desk.inbox.path
    (inbox / "a.pdf").write_bytes(b"%PDF-1.4 of the same name, and longer than the first\n%%EOF\n")
    status_ = (inbox / "b.pdf").stat()
    (inbox / "new").write_bytes((inbox / "b.pdf").read_bytes())
    (inbox / "new").rename(inbox / "b.pdf")
    os.utime(inbox / "b.pdf", ns=(status_.st_mtime_ns, status_.st_mtime_ns))
    kept.go()
    assert kept.names == [b"a.pdf", b"b.pdf"]


def test_what_was_away_is_asked_for_again(kept):
    """A marker that went with its file is not believed to be there when the file is back."""
    path = kept.desk.inbox.path / "a.pdf"
    path.rename(kept.desk.root / "a.pdf")
    kept.go()
    for marker in kept.desk.spool.kept.iterdir():
        marker.unlink()
    (kept.desk.root / "a.pdf").rename(path)
    kept.go()
    assert kept.names == [b"a.pdf"]


def test_a_candidate_is_met_also_if_it_is_kept(kept):
    """What an event made a candidate is not gone because its marker is there."""
    kept.backlog.add(b"a.pdf", 1, 0.0)
    kept.go()
    assert kept.names == [b"a.pdf"]


# Rest


def test_an_inbox_rests_when_its_folders_do(way):
    """Two walks that agree, some seconds apart, are needed; then any change of a folder shows."""
    way.drop(b"a.pdf", b"sub/b.pdf")
    assert not way.rounds.at_rest()
    rest = []
    for seconds in (0, 1, 5):
        way.go(seconds)
        rest.append(way.rounds.at_rest())
    assert rest == [False, False, True]
    way.drop(b"sub/c.pdf")
    assert not way.rounds.at_rest()


@pytest.mark.parametrize("change", ["a file", "a folder", "away", "another"])
def test_a_change_ends_the_rest(way, change):
    """A file or folder that comes or goes, and another folder in the inbox's place, are changes."""
    way.drop(b"a.pdf", b"sub/b.pdf")
    way.go()
    way.go(5.0)
    assert way.rounds.at_rest()
    inbox = way.desk.inbox.path
    match change:
        case "a file":
            (inbox / "sub" / "b.pdf").unlink()
        case "a folder":
            (inbox / "new").mkdir()
        case "away":
            inbox.rename(inbox.with_name("away"))
        case "another":
            inbox.rename(inbox.with_name("away"))
            inbox.mkdir()
            time = inbox.with_name("away").stat().st_mtime_ns
            os.utime(inbox, ns=(time, time))
    assert not way.rounds.at_rest()


def test_times_that_do_not_tell_are_not_relied_on(way):
    """Where a file came and the folder's time stayed, no time of this inbox is believed again."""
    inbox = way.desk.inbox.path
    way.drop(b"a.pdf")
    before = inbox.stat().st_mtime_ns
    for number in range(3):
        way.go(5.0)
        if number == 1:
            way.drop(b"b.pdf")
            os.utime(inbox, ns=(before, before))
            assert way.rounds.at_rest()  # until the next walk
    for _ in range(3):
        way.go(5.0)
        assert not way.rounds.at_rest()


def test_a_walk_that_is_planned_is_no_rest(way):
    """What events ask for is done, whatever the folders' times tell."""
    way.go()
    way.go(5.0)
    assert way.rounds.at_rest()
    way.rounds.plan(b"", way.now)
    assert not way.rounds.at_rest()


def test_a_folder_that_changes_under_the_walk_does_not_rest(way):
    """What is written while it is read may have been missed, whatever its time was before."""
    way.drop(b"a.pdf")
    scan = Scan(way.desk.inbox.path, ())
    names = scan.names()
    assert next(names) == b"a.pdf"
    way.drop(b"b.pdf")
    list(names)
    assert scan.times == {b"": None}
