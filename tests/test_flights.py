"""What is in flight: nothing twice, nothing forgotten, whatever the daemon missed."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from watcherd.flights import Flights, Ready, events
from watcherd.lifecycle import FINISHED, Event, State, step
from watcherd.model import JobFacts, Message, Try
from watcherd.reconcile import ABSENCE, Fate

LEASE = 15.0


def name(i: int) -> str:
    return f"aaaa-{i:014}"


def ready(i: int = 0, pages: int | None = None, *landed: int, tries=(), inbox="in") -> Ready:
    facts = JobFacts(sealed=True, pages=pages, landed=frozenset(landed), tries=tuple(tries))
    return Ready(name(i), inbox, float(i), facts)


def table(*jobs: Ready) -> dict[str, Ready]:
    return {job.job: job for job in jobs}


def known(*jobs: Ready) -> Flights:
    """Return flights of a daemon to which these jobs are new."""
    flights = Flights(LEASE)
    for job in jobs:
        flights.know(job.job)
    return flights


def launch(flights: Flights, jobs: dict[str, Ready], window: int, now: float) -> list[Message]:
    chosen = flights.choose(jobs, window, now)
    for message in chosen:
        flights.launch(message, jobs[message.job].facts, now)
    return chosen


def test_what_the_broker_may_hold_is_not_sent_before_it_was_asked():
    """After a restart nothing is submitted until the broker has said what waits there."""
    flights, jobs = Flights(LEASE), table(ready(1), ready(2))
    assert flights.unknown(jobs)
    assert flights.choose(jobs, 9, 0.0) == []
    flights.meet(jobs, {Message("ocr", name(1))}, 0.0)
    assert not flights.unknown(jobs)
    assert len(flights) == 1
    assert flights.choose(jobs, 9, 0.0) == [Message("ocr", name(2))]


def test_an_attempt_that_is_going_on_counts_as_in_flight():
    """A page that a worker was at when the daemon died is not given to another at once."""
    flights = Flights(LEASE)
    jobs = table(ready(1, 3, tries=[Try("page-2", 5, ended=False), Try("page-3", 5, ended=True)]))
    flights.meet(jobs, set(), 0.0)
    assert [m.page for m in flights.choose(jobs, 9, 0.0)] == [1, 3]


def test_a_lost_message_is_sent_again():
    """Absent from the broker, without a sign of life for a lease: it goes out once more."""
    jobs = table(ready(1))
    flights = known(*jobs.values())
    assert len(launch(flights, jobs, 9, 0.0)) == 1
    assert flights.watch(jobs, None, LEASE - 1) == []
    assert not flights.silent(LEASE - 1)
    assert flights.silent(LEASE + 1)
    assert flights.watch(jobs, set(), LEASE + 1) == []
    (lost,) = flights.watch(jobs, set(), LEASE + 1 + ABSENCE)
    assert (lost.fate, lost.message) == (Fate.EXPIRED, Message("ocr", name(1)))
    assert launch(flights, jobs, 9, LEASE + 2 + ABSENCE) == [lost.message]


def test_a_waiting_message_is_asked_for_once_a_lease():
    """A long queue does not make the daemon read it at every tick."""
    jobs = table(ready(1))
    flights = known(*jobs.values())
    (message,) = launch(flights, jobs, 9, 0.0)
    flights.watch(jobs, {message}, LEASE + 1)
    assert not flights.silent(LEASE + 2)
    assert flights.silent(2 * LEASE + 2)


def test_a_failure_is_tried_again_when_it_is_due():
    """The message is held back for the back-off, and no longer."""
    jobs = table(ready(1))
    flights = known(*jobs.values())
    launch(flights, jobs, 9, 0.0)
    jobs = table(ready(1, tries=[Try("ocr", 1, ended=True)] * 2))
    (failed,) = flights.watch(jobs, None, 10.0)
    assert (failed.fate, failed.failures) == (Fate.FAILED, 2)
    assert flights.next_due() == 14.0
    assert launch(flights, jobs, 9, 13.9) == []
    assert launch(flights, jobs, 9, 14.0) == [failed.message]


def test_the_last_attempt_flies_alone():
    """Before a page is given up it runs without neighbours, which might have been the trouble."""
    tries = [Try("page-2", 1, ended=True)] * 2
    jobs = table(ready(1, 2, tries=tries), ready(2))
    flights = Flights(LEASE, attempts=3)
    flights.meet(jobs, set(), 0.0)
    others = launch(flights, jobs, 9, 0.0)
    assert others == [Message("page", name(1), 1), Message("ocr", name(2))]
    assert launch(flights, jobs, 9, 1.0) == []
    jobs = table(ready(1, 2, 1, tries=tries), ready(2, 2))
    flights.watch(jobs, None, 2.0)
    assert launch(flights, jobs, 9, 2.0) == [Message("page", name(1), 2)]
    assert launch(flights, jobs, 9, 3.0) == []


def test_the_chain_goes_on_by_itself():
    """After the only page its pdf stage is in flight: the worker has submitted it."""
    jobs = table(ready(1))
    flights = known(*jobs.values())
    launch(flights, jobs, 9, 0.0)
    jobs = table(ready(1, 1, 1))
    flights.watch(jobs, None, 1.0)
    assert len(flights) == 1
    assert flights.choose(jobs, 9, 1.0) == []
    flights.watch(jobs, set(), 1.0 + LEASE + 1)
    (lost,) = flights.watch(jobs, set(), 1.0 + LEASE + 1 + ABSENCE)
    assert lost.message == Message("pdf", name(1))


def test_a_chain_that_failed_before_it_was_noticed_is_tried_again_soon():
    """If the page and the failure of what follows it are seen together, no lease is waited for."""
    flights, job = known(ready(1)), ready(1)
    launch(flights, table(job), 9, 0.0)
    failed = ready(1, 1, 1, tries=[Try("pdf", 5, ended=True)])
    flights.watch(table(failed), None, 1.0)
    grounded = flights.watch(table(failed), None, 1.5)
    assert [(g.message, g.fate) for g in grounded] == [(Message("pdf", name(1)), Fate.FAILED)]
    assert launch(flights, table(failed), 9, 3.0) == [Message("pdf", name(1))]


def test_a_landed_plan_brings_the_pages():
    """The chain of a longer document has ended; its pages, then the rest, are the daemon's."""
    jobs = table(ready(1))
    flights = known(*jobs.values())
    launch(flights, jobs, 9, 0.0)
    jobs = table(ready(1, 3))
    flights.watch(jobs, None, 1.0)
    assert [m.page for m in launch(flights, jobs, 2, 1.0)] == [1, 2]
    jobs = table(ready(1, 3, 1, 2, 3))
    flights.watch(jobs, None, 2.0)
    assert launch(flights, jobs, 2, 2.0) == [Message("pdf", name(1))]


def test_a_job_that_ends_leaves_nothing_behind():
    """Its flights, and what was to be tried again, are forgotten; a retry starts anew."""
    jobs = table(ready(1))
    flights = known(*jobs.values())
    launch(flights, jobs, 9, 0.0)
    flights.watch(table(ready(1, tries=[Try("ocr", 1, ended=True)])), None, 1.0)
    flights.watch({}, None, 2.0)
    assert (len(flights), flights.next_due()) == (0, None)
    assert flights.unknown(jobs)
    assert (flights._due, flights._rounds, flights._turns) == ({}, {}, {})


@pytest.mark.parametrize(
    ("job", "sent", "state"),
    [
        (ready(1), False, State.READY),
        (ready(1), True, State.QUEUED),
        (ready(1, tries=[Try("ocr", 9, ended=False)]), True, State.RUNNING),
        (ready(1, 3, 2), True, State.RUNNING),
        (ready(1, 3, 2), False, State.READY),
    ],
)
def test_the_state_that_is_shown(job, sent, state):
    """Queued is submitted, running has shown life or results."""
    flights = known(job)
    if sent:
        launch(flights, table(replace(job, facts=replace(job.facts, tries=()))), 1, 0.0)
    flights.watch(table(job), None, 1.0)
    assert flights.state(job) is state


@given(
    st.sampled_from([s for s in State if s not in FINISHED]),
    st.sampled_from([State.READY, State.QUEUED, State.RUNNING]),
    st.sampled_from([None, Fate.FAILED, Fate.EXPIRED]),
)
def test_every_row_of_events_is_legal(before, after, ended):
    """Whatever was seen and missed between two looks, the history stays within the table."""
    told = events(before, after, ended)
    state = before
    for event in told:
        state = step(state, event)
    if told:
        assert state is after
    if ended is Fate.EXPIRED and after is State.READY and before is not State.READY:
        assert Event.LEASE_EXPIRED in told


class Storm(RuleBasedStateMachine):
    """A daemon, workers and a broker that loses things; pages land in the end, none flies twice."""

    def __init__(self) -> None:
        super().__init__()
        self.flights, self.now, self.window = Flights(LEASE), 0.0, 4
        self.jobs: dict[str, Ready] = {}
        self.queue: list[Message] = []
        self.open: dict[Message, Try] = {}

    @rule(pages=st.integers(2, 4))
    @precondition(lambda self: len(self.jobs) < 4)
    def come(self, pages):
        """Claim and plan a document."""
        job = ready(len(self.jobs) + 1, pages)
        self.jobs[job.job] = job
        self.flights.know(job.job)

    @rule(seconds=st.sampled_from([0.5, 5.0, 20.0]), answers=st.booleans())
    def tick(self, seconds, answers):
        """Look around as the daemon does; the broker answers or does not."""
        self.now += seconds
        queued = set(self.queue) if answers else None
        if queued is not None:
            self.flights.meet(self.jobs, queued, self.now)
        for grounded in self.flights.watch(self.jobs, queued, self.now):
            if grounded.fate is Fate.EXPIRED:
                assert grounded.message not in self.queue, "it was merely waiting"
        self.queue += launch(self.flights, self.jobs, self.window, self.now)

    @rule()
    @precondition(lambda self: self.queue)
    def take(self):
        """Begin the oldest message."""
        message = self.queue.pop(0)
        self.open[message] = Try(message.key, int(self.now * 10) + 1, ended=False)
        self.show()

    @rule()
    @precondition(lambda self: self.open)
    def land(self):
        """Land a page."""
        message, _ = self.open.popitem()
        job = self.jobs[message.job]
        landed = job.facts.landed | ({message.page} if message.page else frozenset())
        self.jobs[message.job] = replace(job, facts=replace(job.facts, landed=landed))
        self.show()

    @rule()
    @precondition(lambda self: self.open)
    def die(self):
        """Kill a worker, and its attempt with it."""
        self.open.popitem()
        self.show()

    @rule()
    def flush(self):
        """Have the broker lose everything."""
        self.queue.clear()

    @rule()
    def restart(self):
        """Kill the daemon, which forgets everything."""
        self.flights = Flights(LEASE)

    def show(self) -> None:
        """Put the open attempts where the daemon sees them."""
        for job in self.jobs.values():
            tries = tuple(t for m, t in self.open.items() if m.job == job.job)
            self.jobs[job.job] = replace(job, facts=replace(job.facts, tries=tries))

    @invariant()
    def the_window_holds(self):
        """No more fly than may, but for those of an earlier daemon."""
        assert len(self.flights) <= max(self.window, len(self.queue) + len(self.open))

    @invariant()
    def nothing_waits_twice(self):
        """No message is at the broker twice."""
        assert not [m for m, n in Counter(self.queue).items() if n > 1]

    def teardown(self):
        """In the end every page lands."""
        for _ in range(200):
            self.tick(20.0, answers=True)
            while self.queue:
                self.take()
                self.land()
        assert all(len(j.facts.landed) == j.facts.pages for j in self.jobs.values())


TestStorm = Storm.TestCase
TestStorm.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
