"""What a job needs follows from its directory alone, and what is lost is found again."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcherd import reconcile
from watcherd.model import JobFacts, Message, Try
from watcherd.reconcile import ABSENCE, Fate, Flight, Stand

JOB = "aaaa-00000000000000"
LEASE = 15.0
OCR, PDF = Message("ocr", JOB), Message("pdf", JOB)


def page(n: int) -> Message:
    return Message("page", JOB, n)


def working(pages: int | None = None, *landed: int, tries: tuple[Try, ...] = ()) -> JobFacts:
    return JobFacts(sealed=True, pages=pages, landed=frozenset(landed), tries=tries)


tries_of = st.builds(
    Try, st.sampled_from(["ocr", "page-1", "page-2", "pdf"]), st.integers(0, 9), st.booleans()
)
facts_of = st.builds(
    JobFacts,
    source=st.booleans(),
    sealed=st.booleans(),
    pages=st.none() | st.integers(1, 5),
    landed=st.frozensets(st.integers(1, 6)),
    built=st.booleans(),
    outcome=st.none() | st.sampled_from(["done", "failed", "cancelled", "skipped"]),
    tries=st.lists(tries_of, max_size=4).map(tuple),
)
messages_of = st.sampled_from([OCR, PDF, *map(page, range(1, 7))])
flights_of = st.builds(
    Flight,
    messages_of,
    sent=st.just(0.0),
    alive=st.floats(0, 50),
    life=st.integers(0, 9),
    absent=st.none() | st.floats(0, 100),
    begun=st.booleans(),
    failures=st.integers(0, 3),
    rounds=st.integers(0, 9),
)
queues_of = st.none() | st.frozensets(messages_of)


@pytest.mark.parametrize(
    ("facts", "stand"),
    [
        (JobFacts(source=False), Stand.DROP),  # job.json alone: the claim never happened
        (JobFacts(), Stand.SEAL),
        (JobFacts(sealed=True), Stand.WORK),
        (JobFacts(sealed=True, pages=3, built=True), Stand.WORK),
        (JobFacts(source=False, sealed=True), Stand.LOST),
        (JobFacts(source=False, sealed=True, outcome="done"), Stand.FILE),
        (JobFacts(sealed=True, outcome="failed"), Stand.FILE),
        (JobFacts(outcome="cancelled"), Stand.FILE),
    ],
)
def test_where_a_job_stands(facts, stand):
    """Each row of the crash table has one answer."""
    assert reconcile.stand(facts) is stand


@pytest.mark.parametrize(
    ("facts", "messages"),
    [
        (JobFacts(), ()),
        (working(), (OCR,)),
        (working(1), (OCR,)),
        (working(1, 1), (PDF,)),
        (working(3), (page(1), page(2), page(3))),
        (working(3, 2), (page(1), page(3))),
        (working(2, 1, 2), (PDF,)),
        (JobFacts(sealed=True, pages=1, landed=frozenset({1}), outcome="done"), ()),
        (JobFacts(source=False, sealed=True), ()),
    ],
)
def test_what_is_missing(facts, messages):
    """What has landed is skipped, and only what can run now is named."""
    assert reconcile.missing(JOB, facts) == messages


@given(facts_of, messages_of)
def test_one_message_is_judged_as_all_are(facts, message):
    """Asking for one message gives the same answer as listing them."""
    assert reconcile.wanted(message, facts) == (message in reconcile.missing(JOB, facts))


@given(facts_of)
def test_a_job_in_work_always_has_something_missing(facts):
    """While a job has no outcome and its original is here, somebody has something to do."""
    missing = reconcile.missing(JOB, facts)
    assert bool(missing) == (reconcile.stand(facts) is Stand.WORK)
    assert len(set(missing)) == len(missing)


@given(facts_of, flights_of, queues_of, st.floats(0, 200))
def test_the_same_facts_give_the_same_answer(facts, flight, queued, now):
    """Nothing is remembered between two decisions."""
    twice = [reconcile.fate(flight, facts, queued, now) for _ in range(2)]
    assert twice[0] is twice[1]
    assert reconcile.stand(facts) is reconcile.stand(replace(facts))


@given(facts_of, flights_of, st.floats(0, 200))
def test_nothing_expires_while_the_broker_does_not_say(facts, flight, now):
    """If the broker cannot be asked, a message is not called lost."""
    flight = reconcile.sought(flight, None, LEASE, now)
    assert reconcile.fate(flight, facts, None, now) is not Fate.EXPIRED


def test_a_broker_that_falls_silent_stops_the_count():
    """What was missed before the broker went away is judged when it is back, not meanwhile."""
    flight = Flight(OCR, sent=0.0, alive=0.0, absent=LEASE + 1)
    assert reconcile.fate(flight, working(), None, 99.0) is Fate.FLYING
    assert reconcile.fate(flight, working(), set(), 99.0) is Fate.EXPIRED


@given(facts_of, flights_of, st.lists(st.floats(0, 1000), min_size=1, max_size=20))
def test_nothing_expires_while_it_is_queued(facts, flight, pauses):
    """However long a message waits at the broker, its lease does not run out."""
    now, queued = 200.0, {flight.message}
    for pause in pauses:
        flight = reconcile.sought(flight, queued, LEASE, now)
        assert reconcile.fate(flight, facts, queued, now) is not Fate.EXPIRED
        now += pause


def test_a_message_taken_a_moment_ago_is_not_lost():
    """What the disk shows is older than what the broker says: absence must last to count."""
    flight = Flight(OCR, sent=0.0, alive=0.0)
    for now in (LEASE + 1, 4 * LEASE):
        flight = reconcile.sought(flight, {OCR}, LEASE, now)
    flight = reconcile.sought(flight, set(), LEASE, 6 * LEASE)
    assert reconcile.fate(flight, working(), set(), 6 * LEASE) is Fate.FLYING
    begun = working(tries=(Try("ocr", 7, ended=False),))
    flight = reconcile.sighted(flight, begun, 6 * LEASE + 1)
    flight = reconcile.sought(flight, set(), LEASE, 6 * LEASE + ABSENCE)
    assert reconcile.fate(flight, begun, set(), 6 * LEASE + ABSENCE) is Fate.FLYING


@pytest.mark.parametrize(("rounds", "leases"), [(0, 1), (1, 2), (2, 2), (9, 2)])
def test_patience_doubles(rounds, leases):
    """A message that was lost before is waited for twice as long, but no longer than that."""
    flight = Flight(OCR, sent=0.0, alive=0.0, rounds=rounds)
    early, late = leases * LEASE, leases * LEASE + 0.1
    assert reconcile.sought(flight, set(), LEASE, early).absent is None
    flight = reconcile.sought(flight, set(), LEASE, late)
    assert flight.absent == late
    assert reconcile.fate(flight, working(), set(), late + ABSENCE / 2) is Fate.FLYING
    assert reconcile.fate(flight, working(), set(), late + ABSENCE) is Fate.EXPIRED


def test_one_that_has_begun_and_falls_silent_is_lost_after_one_lease():
    """A killed worker is noticed as soon the tenth time as the first."""
    flight = Flight(OCR, sent=0.0, alive=0.0, rounds=5, begun=True)
    assert reconcile.sought(flight, set(), LEASE, LEASE + 1).absent == LEASE + 1


@given(st.lists(st.integers(1, 100), max_size=4), st.integers(1, 100), st.integers(1, 50))
def test_every_sign_of_life_is_seen(dead, life, change):
    """Attempts that a killed worker left, whatever their times, hide nobody who is alive."""
    others = tuple(Try("ocr", d, ended=False) for d in dead)
    before = working(tries=(*others, Try("ocr", life, ended=False)))
    after = working(tries=(*others, Try("ocr", life + change, ended=False)))
    flight = reconcile.sighted(Flight(OCR, sent=0.0, alive=0.0), before, 1.0)
    assert reconcile.sighted(flight, before, 2.0) is flight
    seen = reconcile.sighted(flight, after, 3.0)
    assert (seen.alive, seen.begun) == (3.0, True)


def test_other_attempts_are_no_sign_of_life():
    """What another page shows, and what an ended attempt showed, does not count."""
    flight = Flight(page(1), sent=0.0, alive=0.0)
    others = (Try("page-11", 5, ended=False), Try("page-1", 5, ended=True))
    assert reconcile.sighted(flight, working(20, tries=others), 1.0) is flight


def test_a_failed_attempt_ends_the_flight():
    """Only failures since the message was sent count, and landing goes before them."""
    facts = working(tries=(Try("ocr", 1, ended=True),))
    assert reconcile.fate(Flight(OCR, 0.0, 0.0), facts, None, 1.0) is Fate.FAILED
    assert reconcile.fate(Flight(OCR, 0.0, 0.0, failures=1), facts, None, 1.0) is Fate.FLYING
    landed = replace(facts, pages=1, landed=frozenset({1}))
    assert reconcile.fate(Flight(OCR, 0.0, 0.0), landed, None, 1.0) is Fate.LANDED


def test_the_back_off_grows_and_is_bounded():
    """After each failure the pause is longer, never beyond five minutes."""
    pauses = [reconcile.backoff(n) for n in range(1, 12)]
    assert pauses[:5] == [1, 4, 16, 64, 256]
    assert set(pauses[5:]) == {300}
    assert reconcile.backoff(0) == 1
