"""What waits is a candidate or is counted; candidates are few, and every file has its turn."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watcherd import backlog as module
from watcherd.backlog import Backlog, Survey
from watcherd.settle import Watched

FEW = 6


@pytest.fixture(autouse=True, scope="module")
def _few():
    """Have few candidates, so that a handful of files is many."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "HELD", FEW)
        patch.setattr(module, "_MOST", 2 * FEW)
        yield


def walk(backlog: Backlog, names, *, whole: bool = True) -> int:
    """Walk over files of these names; return how many nobody had told of."""
    survey = Survey(backlog)
    for name in names:
        survey.see(name)
    chosen = survey.chosen()
    for name in chosen:
        backlog.add(name, 1, 0.0)
    return survey.end(chosen, whole=whole)


def hear(backlog: Backlog, name: bytes, *kinds: str) -> None:
    for kind in kinds or ("moved",):
        backlog.hear(name, 0.0, created=kind == "created", closed=kind == "closed")


def names(*numbers: int) -> list[bytes]:
    return [b"%03d" % number for number in numbers]


def test_few_files_are_all_candidates():
    """As long as there is room, every file is a candidate and none is merely counted."""
    backlog = Backlog()
    assert walk(backlog, names(3, 1, 2)) == 3
    assert list(backlog.candidates) == names(1, 2, 3)
    assert (len(backlog), backlog.further, backlog.hungry) == (3, 0, False)


def test_what_there_is_no_room_for_is_counted():
    """The number of files is told whatever it is; those behind the candidates are not held."""
    backlog = Backlog()
    shuffled = names(*(number * 37 % 100 for number in range(100)))
    assert walk(backlog, shuffled) == 100
    assert list(backlog.candidates) == names(*range(FEW))
    assert (len(backlog), backlog.restless) == (100, True)
    assert walk(backlog, names(*range(100))) == 0
    assert len(backlog) == 100


@given(st.lists(st.lists(st.integers(0, 999), max_size=30), max_size=30), st.randoms())
@settings(deadline=None)
def test_every_file_has_its_turn(arrivals, chance):
    """However many others come meanwhile, a file is a candidate after a bounded number of walks."""
    backlog, there = Backlog(), set(names(*range(0, 1000, 50)))
    first = set(there)
    for coming in [*arrivals, *[[]] * 60]:
        there |= set(names(*coming))
        walk(backlog, chance.sample(sorted(there), len(there)))
        assert len(backlog) == len(there)
        assert len(backlog.candidates) == min(len(there), FEW)
        for name in list(backlog.candidates):
            there.discard(name)
            first.discard(name)
            backlog.forget(name)
    assert not first


def test_a_new_name_does_not_jump_the_queue():
    """Names that come before the last one served wait until all others had their turn."""
    backlog = Backlog()
    waiting = names(*range(100, 130))
    walk(backlog, waiting)
    served = []
    while waiting:
        taken = list(backlog.candidates)
        served += taken
        for name in taken:
            backlog.forget(name)
        waiting = [n for n in waiting if n not in taken]
        if len(served) <= 30:
            waiting += [b"000-%d" % len(served)]
        walk(backlog, waiting)
    assert served[:30] == names(*range(100, 130))


def test_those_that_wait_for_a_person_take_no_room():
    """Any number of unreadable files lets the others through; one that mends counts again."""
    backlog = Backlog()
    for number in range(3 * FEW):
        candidate = backlog.add(b"%03d" % number, 1, 0.0)
        assert backlog.say(candidate, "unreadable", "no")
        assert not backlog.say(candidate, "unreadable", "still no")
    assert (backlog.room, backlog.restless) == (FEW, False)
    backlog.say(backlog.candidates[b"000"], "settling", "well")
    assert (backlog.room, backlog.restless) == (FEW - 1, True)
    backlog.forget(b"000")
    backlog.forget(b"001")
    backlog.forget(b"gone")
    assert backlog.room == FEW


def test_events_are_counted_where_there_is_no_room():
    """A file that was told of and is not held counts once, from its creation to its close."""
    backlog = Backlog()
    walk(backlog, names(*range(FEW)))
    for number in range(500, 600):
        hear(backlog, b"%d" % number, "created", "closed")
    hear(backlog, b"moved.pdf")
    hear(backlog, b"500", "closed")  # written to again
    assert len(backlog.candidates) == FEW
    assert len(backlog) == FEW + 101
    assert walk(backlog, [*backlog.candidates, *names(*range(500, 600)), b"moved.pdf"]) == 0


def test_what_was_created_and_not_closed_is_remembered():
    """That nobody has closed a file is known from its events alone, so it is held beyond the room.

    Where it is closed it is counted, unless it has been looked at: that is not forgotten.
    """
    backlog = Backlog()
    walk(backlog, names(*range(FEW)))
    hear(backlog, b"a", "created")
    hear(backlog, b"b", "created")
    assert backlog.candidates[b"a"].close_seen is False
    backlog.candidates[b"b"].watched = Watched(None, 0.0, 0.0)
    hear(backlog, b"a", "closed")
    hear(backlog, b"b", "closed")
    assert b"a" not in backlog.candidates
    assert backlog.candidates[b"b"].close_seen is True
    assert len(backlog) == FEW + 2
    for number in range(50):
        hear(backlog, b"link-%d" % number, "created")
    assert len(backlog.candidates) == 2 * FEW
    assert len(backlog) == FEW + 52


def test_a_walk_forgets_what_it_does_not_meet():
    """What a walk of the whole inbox does not meet is gone; a walk of a folder says nothing."""
    backlog = Backlog()
    walk(backlog, names(1, 2, 3))
    walk(backlog, [b"sub/x"], whole=False)
    assert set(backlog.candidates) == {*names(1, 2, 3), b"sub/x"}
    walk(backlog, names(2))
    assert set(backlog.candidates) == set(names(2))


def test_what_comes_during_a_walk_is_neither_gone_nor_lost():
    """A candidate that comes while a walk goes on is kept, and one that is counted stays so."""
    backlog = Backlog()
    walk(backlog, names(1))
    survey = Survey(backlog)
    hear(backlog, b"2")
    survey.end(survey.chosen(), whole=True)
    assert list(backlog.candidates) == [b"2"]
    full = Backlog()
    walk(full, names(*range(FEW)))
    survey = Survey(full)
    for name in full.candidates:
        survey.see(name)
    hear(full, b"99")
    survey.end(survey.chosen(), whole=True)
    assert len(full) == FEW + 1


def test_more_are_looked_for_when_candidates_run_out():
    """A walk is wanted while files are merely counted and half of the room is empty."""
    backlog = Backlog()
    walk(backlog, names(*range(20)))
    wanted = []
    for name in list(backlog.candidates):
        wanted.append(backlog.hungry)
        backlog.forget(name)
    assert wanted == [False] * (FEW // 2 + 1) + [True] * (FEW // 2 - 1)
    walk(backlog, [])
    assert not backlog.hungry


def test_looks_come_in_the_order_of_their_times():
    """The earliest is due first, an earlier time wins, and what is gone is not due."""
    backlog = Backlog()
    for name, when in ((b"a", 3.0), (b"b", 1.0), (b"c", 2.0), (b"a", 1.5), (b"b", 9.0)):
        backlog.candidates.get(name) or backlog.add(name, 1, 0.0)
        backlog.look_at(name, when)
    backlog.forget(b"c")
    assert backlog.next_due() == 1.0
    assert backlog.take_due(0.5) is None
    assert [backlog.take_due(5.0) for _ in range(3)] == [b"b", b"a", None]
    backlog.look_at(b"b", 7.0)
    assert backlog.take_due(7.0) == b"b"
