"""A lane that hears no events finds by itself what comes, and looks no more than it must."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from desks import SCAN, Desk

from watcherd import lane as module
from watcherd import log
from watcherd.lane import Lane
from watcherd.orders import Snapshot
from watcherd.rounds import Walked
from watcherd.scan import Scan
from watcherd.work import Sealed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

DEADLINE = 20.0


class Crew:
    """A lane at work on a desk, and what it reports."""

    def __init__(self, desk) -> None:
        self.desk, self.reports = desk, []
        self.lane = Lane(desk.config, desk.inbox, desk.spool, log.get(), self._hear)

    def _hear(self, _lane: Lane, report: object) -> None:
        self.reports.append(report)

    def sealed(self) -> list[bytes]:
        """Return the names of the files that were claimed and sealed, in order."""
        return [r.claim.source for r in list(self.reports) if isinstance(r, Sealed)]

    def until(self, seen: Callable[[], bool]) -> None:
        """Wait until something is so; the test fails if it does not come, or the lane dies."""
        end = time.monotonic() + DEADLINE
        while not seen():
            assert self.lane.failure is None
            assert time.monotonic() < end
            time.sleep(0.005)


@contextmanager
def at_work(desk) -> Iterator[Crew]:
    crew = Crew(desk)
    crew.lane.start()
    try:
        crew.until(lambda: crew.lane.scanned)
        yield crew
    finally:
        crew.lane.stop()
        crew.lane.join(DEADLINE)
    assert crew.lane.failure is None


@pytest.fixture(autouse=True)
def _often(monkeypatch):
    """Have the inbox looked at often, and little time be a grain of it."""
    monkeypatch.setattr(module, "_SCAN_SECONDS", 0.02)
    monkeypatch.setattr("watcherd.scan._GRAIN", 0.1)


@pytest.fixture
def walks(monkeypatch) -> list[bytes]:
    """Give a list that grows with each walk of an inbox that is begun."""
    begun: list[bytes] = []
    walk = Scan._walk

    def counted(scan: Scan, below: bytes) -> object:
        begun.append(below)
        return walk(scan, below)

    monkeypatch.setattr(Scan, "_walk", counted)
    return begun


def rest(crew: Crew) -> None:
    """Wait until the inbox is not walked any more."""
    crew.until(crew.lane._intake.rounds.at_rest)


def test_what_comes_into_a_resting_inbox_is_claimed(desks, walks):
    """Where nothing moves only the folders' times are looked at; what comes is found by them."""
    desk = desks(watch="scan")
    desk.drop(b"sub/first.pdf")
    with at_work(desk) as crew:
        crew.until(lambda: crew.sealed() == [b"sub/first.pdf"])
        rest(crew)
        before, seen = len(walks), crew.lane._next_scan
        crew.until(lambda: crew.lane._next_scan > seen + 0.2)
        assert len(walks) == before
        desk.drop(b"sub/second.pdf")
        crew.until(lambda: crew.sealed()[1:] == [b"sub/second.pdf"])
        desk.drop(b"new/third.pdf")
        crew.until(lambda: crew.sealed()[2:] == [b"new/third.pdf"])


def test_a_full_look_trusts_no_time(desks):
    """A kept original that is written to in its place is found by the next full look."""
    desk = desks(watch="scan", originals="keep", main_rescan=1)
    path = desk.drop()
    with at_work(desk) as crew:
        crew.until(lambda: len(crew.sealed()) == 1)
        rest(crew)
        path.write_bytes(SCAN + b"more\n%%EOF\n")
        crew.until(lambda: len(crew.sealed()) == 2)


def test_what_is_a_job_already_is_adopted_before_any_claim(tmp_path, elsewhere):
    """A copy that was interrupted before its unlinking is no second job after the restart."""
    desk = Desk(tmp_path, watch="scan", path=str(elsewhere / "inbox"))
    path = desk.drop()
    job = desk.claim()
    assert path.exists()
    with at_work(desk) as crew:
        crew.until(lambda: not path.exists())
        crew.until(lambda: len(crew.sealed()) == 1)
    assert [one.job for one in desk.spool.jobs()] == [job.job]


def test_all_that_waits_is_counted(desks):
    """The snapshot tells how many files wait behind those that are in work."""
    desk = desks(watch="scan", main_ahead=2)
    for number in range(9):
        desk.drop(b"%d.pdf" % number)

    with at_work(desk) as crew:

        def counts() -> list[int]:
            return [r.count for r in list(crew.reports) if isinstance(r, Snapshot)]

        crew.until(lambda: counts()[-1:] == [7])
        assert len(crew.sealed()) == 2
        assert not crew.lane.idle


def test_a_walk_between_two_rescans_puts_off_none(desk):
    """Walks that look for more candidates do not keep the jobs on disk from being looked at."""
    lane = Crew(desk).lane
    walked = Walked(whole=True, untold=0, trouble=None)
    lane._next_scan = 50.0
    lane._scanned(walked, 10.0)
    assert lane._next_scan == 50.0
    lane._rescan(50.0)
    lane._scanned(walked, 51.0)
    assert lane._next_scan == 51.0 + desk.config.rescan
    lane._hearing.stop()
