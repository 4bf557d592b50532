"""What the intake shows of the files that wait: few by name, all by number, and why."""

from __future__ import annotations

import os

import pytest
from gates import Gate

from watcherd.backlog import HELD
from watcherd.intake import SHOWN
from watcherd.observer import HintKind


@pytest.fixture
def gate(desks) -> Gate:
    return Gate(desks())


def test_the_snapshot_is_bounded(gate):
    """The first candidates are shown with what they wait for; the rest is counted."""
    for n in range(SHOWN + 5):
        gate.hint(b"%03d.pdf" % n)
    rows = gate.intake.snapshot()
    assert len(rows) == SHOWN
    assert len(gate.intake.backlog.candidates) == SHOWN + 5
    assert (rows[0].source, rows[0].why, rows[0].inbox) == (b"000.pdf", "seen", "scans")
    assert not gate.intake.backlog.changed


def test_the_snapshot_shows_what_waits_for_the_longest(gate):
    """Of more than can be shown those are left out that came last, by the time of the file."""
    inbox = gate.desk.inbox.path
    for n in reversed(range(SHOWN + 5)):
        gate.desk.drop(b"%03d.pdf" % n)
    gate.rescan()
    shown = [row.source for row in gate.intake.snapshot()]
    times = [(inbox / os.fsdecode(name)).stat().st_ctime for name in shown]
    assert times == sorted(times)
    assert b"000.pdf" not in shown
    assert b"204.pdf" in shown


def test_what_is_behind_the_candidates_is_counted(gate):
    """However many files wait, all are counted, and few are remembered."""
    for n in range(HELD + 9):
        gate.hint(b"%04d.pdf" % n, HintKind.MOVED)
    assert len(gate.intake.backlog.candidates) == HELD
    assert len(gate.intake.backlog) == HELD + 9
    assert gate.intake.backlog.restless


def test_what_is_held_says_so(gate):
    """While an inbox is paused or full its files wait for that; a stuck one says its own."""
    gate.hint(b"a.pdf")
    gate.hint(b"b.pdf")
    gate.intake.backlog.candidates[b"b.pdf"].why = "unreadable"
    seen = []
    for paused, in_work in ((False, 15), (False, 16), (True, 16), (False, 3)):
        gate.intake.hold(paused=paused, in_work=in_work, ahead=16)
        seen.append([(row.why, row.says) for row in gate.intake.snapshot()])
    assert [[why for why, _ in rows] for rows in seen] == [
        ["seen", "unreadable"],
        ["no-place", "unreadable"],
        ["paused", "unreadable"],
        ["seen", "unreadable"],
    ]
    assert seen[1][0][1] == "it waits for its turn: 16 documents of this inbox are in work"
    assert seen[2][0][1] == "the inbox is paused; `watcherd resume scans` ends that"


def test_another_hold_is_news(gate):
    """A snapshot is asked for when what holds the files changes, and only then."""
    gate.intake.snapshot()
    news = []
    for in_work in (3, 4, 16, 16, 17, 2):
        gate.intake.hold(paused=False, in_work=in_work, ahead=16)
        news.append(gate.intake.backlog.changed)
        gate.intake.snapshot()
    assert news == [False, False, True, False, True, True]
