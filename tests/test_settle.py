"""When a candidate may be claimed."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from watcherd.endmark import Ending
from watcherd.model import Fingerprint
from watcherd.settle import (
    FIRST_PAUSE,
    LONGEST_PAUSE,
    Settled,
    SettlePolicy,
    Sighting,
    Waiting,
    Why,
    Writer,
    look,
)

LOCAL = SettlePolicy.auto(network=False)
NETWORK = SettlePolicy.auto(network=True)
FILE = Fingerprint(size=1000, mtime_ns=1, inode=7)
EMPTY = replace(FILE, size=0)

writers = st.sampled_from(Writer)
endings = st.sampled_from(Ending)
policies = st.sampled_from([LOCAL, NETWORK, SettlePolicy.fixed(8), SettlePolicy.fixed(0)])


def sighting(
    at=0.0, *, writer=Writer.UNKNOWN, ending=Ending.UNKNOWN, file=FILE, close_seen=None
) -> Sighting:
    return Sighting(at, file, writer, ending, close_seen)


def settles_after(first: Sighting, policy: SettlePolicy) -> float:
    """Look whenever asked to, at a file that does not change, and return how long it took."""
    state, verdict = look(None, first, policy)
    at = first.at
    while isinstance(verdict, Waiting):
        assert at < verdict.again <= at + LONGEST_PAUSE
        at = verdict.again
        state, verdict = look(state, replace(first, at=at), policy)
    return at - first.at


@pytest.mark.parametrize(
    ("policy", "writer", "ending", "close_seen", "seconds"),
    [
        # the kernel says that nobody writes
        (LOCAL, Writer.NONE, Ending.COMPLETE, None, 0),
        (LOCAL, Writer.NONE, Ending.UNKNOWN, None, 5),
        (LOCAL, Writer.NONE, Ending.INCOMPLETE, None, 30),
        (LOCAL, Writer.NONE, Ending.COMPLETE, False, 0),
        (LOCAL, Writer.NONE, Ending.UNKNOWN, False, 5),
        # it cannot say
        (LOCAL, Writer.UNKNOWN, Ending.COMPLETE, None, 1),
        (LOCAL, Writer.UNKNOWN, Ending.COMPLETE, True, 1),
        (LOCAL, Writer.UNKNOWN, Ending.UNKNOWN, True, 5),
        (LOCAL, Writer.UNKNOWN, Ending.INCOMPLETE, True, 30),
        # it cannot say, and a close is missing
        (LOCAL, Writer.UNKNOWN, Ending.COMPLETE, False, 15),
        (LOCAL, Writer.UNKNOWN, Ending.UNKNOWN, False, 15),
        (LOCAL, Writer.UNKNOWN, Ending.INCOMPLETE, False, 30),
        # a network filesystem, where the kernel knows of this host only
        (NETWORK, Writer.UNKNOWN, Ending.COMPLETE, None, 10),
        (NETWORK, Writer.UNKNOWN, Ending.UNKNOWN, None, 15),
        (NETWORK, Writer.UNKNOWN, Ending.INCOMPLETE, None, 60),
        (NETWORK, Writer.NONE, Ending.COMPLETE, None, 10),
        # a number in the configuration
        (SettlePolicy.fixed(8), Writer.NONE, Ending.COMPLETE, None, 8),
        (SettlePolicy.fixed(8), Writer.UNKNOWN, Ending.INCOMPLETE, False, 8),
        (SettlePolicy.fixed(0), Writer.UNKNOWN, Ending.UNKNOWN, None, 0),
    ],
)
def test_the_quiet_period_depends_on_what_is_known(policy, writer, ending, close_seen, seconds):
    """A file that does not change settles after the period for what is known of it, exactly."""
    seen = sighting(100.0, writer=writer, ending=ending, close_seen=close_seen)
    assert settles_after(seen, policy) == seconds


@pytest.mark.parametrize(
    ("policy", "seconds"),
    [(LOCAL, 30), (NETWORK, 30), (SettlePolicy.fixed(8), 30), (SettlePolicy.fixed(60), 60)],
)
def test_an_empty_file_gets_its_grace(policy, seconds):
    """Writers create first and fill later: an empty file waits, then is taken as empty."""
    seen = sighting(file=EMPTY, writer=Writer.NONE)
    _, verdict = look(None, seen, policy)
    assert isinstance(verdict, Waiting)
    assert verdict.why is Why.EMPTY
    assert settles_after(seen, policy) == seconds


def test_an_open_file_is_never_taken():
    """While a writer is known, no quiet period counts; it begins when the writer has gone."""
    state, verdict = look(None, sighting(writer=Writer.OPEN), LOCAL)
    assert verdict == Waiting(Why.BEING_WRITTEN, "a program has it open for writing", FIRST_PAUSE)
    state, verdict = look(state, sighting(50.0, writer=Writer.OPEN), LOCAL)
    assert isinstance(verdict, Waiting)
    state, verdict = look(state, sighting(52.0, writer=Writer.NONE), LOCAL)
    assert isinstance(verdict, Waiting)
    assert verdict.why is Why.SETTLING
    assert verdict.sentence == "it is taken once it has not changed for 5 s"
    assert isinstance(look(state, sighting(56.9, writer=Writer.NONE), LOCAL)[1], Waiting)
    assert isinstance(look(state, sighting(57.0, writer=Writer.NONE), LOCAL)[1], Settled)


@pytest.mark.parametrize(
    "changed",
    [
        replace(FILE, size=1001),
        replace(FILE, mtime_ns=2),
        replace(FILE, mtime_ns=0),
        replace(FILE, mtime_ns=10**20),
        replace(FILE, inode=8),
    ],
    ids=["grown", "newer", "older", "from the future", "replaced"],
)
def test_any_change_restarts_the_quiet_period(changed):
    """A change of size, time (whatever its date) or inode restarts the quiet and quickens looks."""
    state, _ = look(None, sighting(0.0), LOCAL)
    state, _ = look(state, sighting(4.0), LOCAL)
    state, verdict = look(state, sighting(4.9, file=changed), LOCAL)
    assert isinstance(verdict, Waiting)
    assert verdict.again == 4.9 + FIRST_PAUSE
    assert isinstance(look(state, sighting(9.8, file=changed), LOCAL)[1], Waiting)
    assert isinstance(look(state, sighting(9.9, file=changed), LOCAL)[1], Settled)


def test_looks_are_quick_at_first_and_then_rarer():
    """Pauses double from a quarter of a second to two, and end with the quiet period."""
    seen = sighting(writer=Writer.NONE, ending=Ending.INCOMPLETE)
    state, pauses, at = None, [], 0.0
    for _ in range(6):
        state, verdict = look(state, replace(seen, at=at), LOCAL)
        assert isinstance(verdict, Waiting)
        pauses.append(verdict.again - at)
        at = verdict.again
    assert pauses == [0.25, 0.5, 1.0, 2.0, 2.0, 2.0]
    _, verdict = look(state, replace(seen, at=29.5), LOCAL)
    assert isinstance(verdict, Waiting)
    assert verdict.again == 30.0


def test_an_incomplete_file_says_so():
    """A missing end is told as the reason to wait, and the file is taken in the end."""
    _, verdict = look(None, sighting(ending=Ending.INCOMPLETE), LOCAL)
    assert isinstance(verdict, Waiting)
    assert verdict.why is Why.INCOMPLETE
    assert "its end is missing" in verdict.sentence


@pytest.mark.parametrize(
    ("writer", "before", "after"),
    [
        (Writer.OPEN, Why.BEING_WRITTEN, Why.STILL_OPEN),
        (Writer.UNKNOWN, Why.SETTLING, Why.STILL_GROWING),
        (Writer.NONE, Why.SETTLING, Why.STILL_GROWING),
    ],
)
def test_endless_growth_is_told_but_not_taken(writer, before, after):
    """After the longest wait the reason changes, so that somebody hears of it."""
    state = None
    reasons = []
    for at in range(0, 1203, 3):
        grown = replace(FILE, size=1000 + at)
        state, verdict = look(state, sighting(float(at), writer=writer, file=grown), LOCAL)
        assert isinstance(verdict, Waiting)
        reasons.append(verdict.why)
    assert set(reasons[:200]) == {before}
    assert set(reasons[200:]) == {after}


def test_a_long_quiet_period_is_not_growth():
    """A patience beyond the longest wait does not make a resting file look restless."""
    policy = SettlePolicy.fixed(1000)
    state, _ = look(None, sighting(0.0), policy)
    _, verdict = look(state, sighting(999.0), policy)
    assert isinstance(verdict, Waiting)
    assert verdict.why is Why.SETTLING


def test_a_settled_file_that_is_touched_again_begins_anew():
    """A candidate that waits for its claim and is written again is not called endless."""
    state, _ = look(None, sighting(0.0), LOCAL)
    state, verdict = look(state, sighting(5.0), LOCAL)
    assert verdict == Settled(FILE, "it has not changed for 5 s")
    state, verdict = look(state, sighting(5000.0), LOCAL)
    assert isinstance(verdict, Settled)
    _, verdict = look(state, sighting(9000.0, file=replace(FILE, size=2)), LOCAL)
    assert isinstance(verdict, Waiting)
    assert verdict.why is Why.SETTLING


@pytest.mark.parametrize("seconds", [-1.0, float("nan")])
def test_a_quiet_period_is_not_negative(seconds):
    """A patience that is no number of seconds is refused."""
    with pytest.raises(ValueError, match="a quiet period of"):
        SettlePolicy.fixed(seconds)


@given(
    start=st.floats(min_value=0, max_value=1e9),
    writer=st.sampled_from([Writer.NONE, Writer.UNKNOWN]),
    ending=endings,
    size=st.sampled_from([0, 1000]),
    close_seen=st.sampled_from([True, False, None]),
    policy=policies,
)
def test_what_rests_settles_in_time(start, writer, ending, size, close_seen, policy):
    """Whatever is known of it, a resting file settles when asked-for looks reach its quiet end."""
    file = replace(FILE, size=size)
    seen = sighting(start, writer=writer, ending=ending, file=file, close_seen=close_seen)
    assert settles_after(seen, policy) == pytest.approx(policy.quiet(seen), abs=1e-6)


class Candidate(RuleBasedStateMachine):
    """A file that is written, closed, replaced and looked at in any order."""

    @initialize(policy=policies, start=st.floats(min_value=0, max_value=1e7))
    def begin(self, policy, start):
        """Begin with a file that nobody has looked at."""
        self.policy = policy
        self.now = start
        self.file = FILE
        self.writer = Writer.UNKNOWN
        self.ending = Ending.UNKNOWN
        self.state = None
        self.verdict = None
        self.rest_began = start  # the first look that found it so, and without a known writer
        self.seen_file = None
        self.writer_seen = Writer.UNKNOWN

    @rule(size=st.integers(min_value=0, max_value=3), mtime_ns=st.integers(0, 3))
    def change(self, size, mtime_ns):
        """Somebody writes, and its time may go either way."""
        self.file = replace(self.file, size=size, mtime_ns=mtime_ns)

    @rule(writer=writers, ending=endings)
    def learn(self, writer, ending):
        """Something else becomes known of it."""
        self.writer, self.ending = writer, ending

    @rule(seconds=st.floats(min_value=0, max_value=40))
    def let_time_pass_and_look(self, seconds):
        """Look at any time, as after a hint."""
        self.now += seconds
        self.see()

    @precondition(lambda self: isinstance(self.verdict, Waiting))
    @rule()
    def look_when_asked_to(self):
        """Look when the verdict said so."""
        self.now = max(self.now, self.verdict.again)
        self.see()

    def see(self):
        """Look, and remember what a careful witness would."""
        seen = sighting(self.now, writer=self.writer, ending=self.ending, file=self.file)
        if self.file != self.seen_file or Writer.OPEN in {self.writer, self.writer_seen}:
            self.rest_began = self.now
        self.seen_file = self.file
        self.state, self.verdict = look(self.state, seen, self.policy)
        self.rested = self.now - self.rest_began
        self.quiet = self.policy.quiet(seen)
        self.writer_seen = self.writer

    @invariant()
    def is_settled_exactly_when_it_rested_long_enough(self):
        """Neither a moment too early nor one too late."""
        if self.verdict is None:
            return
        margin = 1e-6  # the clock's numbers are rounded
        if isinstance(self.verdict, Settled):
            assert self.writer_seen is not Writer.OPEN
            assert self.rested >= self.quiet - margin
            assert self.verdict.fingerprint == self.seen_file
        else:
            assert self.writer_seen is Writer.OPEN or self.rested < self.quiet + margin
            assert self.now < self.verdict.again <= self.now + LONGEST_PAUSE

    def teardown(self):
        """Leave it alone: it settles."""
        self.writer = Writer.UNKNOWN
        self.see()
        for _ in range(100):
            if isinstance(self.verdict, Waiting):
                self.look_when_asked_to()
        assert isinstance(self.verdict, Settled)


TestCandidate = Candidate.TestCase
"""Any history of a file keeps the promises, and ends in settling when it is left alone."""
