"""The last attempt at a page before it is given up runs alone."""

from __future__ import annotations

from collections import Counter

import pytest

from watcherd import reconcile
from watcherd.flights import Flights, Ready
from watcherd.model import JobFacts, Message, Try
from watcherd.schedule import Waiting, choose

LEASE, WINDOW = 15.0, 6


def _facts(*killed: str, pages: int | None = None, landed: frozenset[int] = frozenset()):
    tries = tuple(Try(key, n, ended=False) for n, key in enumerate(killed, 1))
    return JobFacts(sealed=True, pages=pages, landed=landed, tries=tries)


def _jobs(**facts: JobFacts) -> dict[str, Ready]:
    return {job: Ready(job, "scans", 0.0, facts[job]) for job in facts}


def _known(jobs: dict[str, Ready], attempts: int = 3) -> Flights:
    flights = Flights(LEASE, attempts)
    for job in jobs:
        flights.know(job)
    return flights


def _ocr(*jobs: str) -> list[Message]:
    return [Message("ocr", job) for job in jobs]


def test_first_attempts_fly_together():
    """Attempts that are not the last ones share the workers."""
    jobs = _jobs(a=_facts(), b=_facts("ocr"), c=_facts())
    assert _known(jobs).choose(jobs, WINDOW, 0.0) == _ocr("a", "b", "c")


def test_the_last_attempt_waits_for_the_others_and_keeps_those_behind_it_waiting():
    """Nothing new is submitted when its turn has come, until nothing flies; then it goes alone."""
    jobs = _jobs(a=_facts(), b=_facts("ocr", "ocr"), c=_facts())
    flights = _known(jobs)
    assert flights.choose(jobs, WINDOW, 0.0) == _ocr("a")
    flights.launch(Message("ocr", "a"), jobs["a"].facts, 0.0)
    del jobs["c"]
    assert flights.choose(jobs, WINDOW, 0.0) == []
    del jobs["a"]
    flights.watch(jobs, None, 1.0)
    assert flights.choose(jobs, WINDOW, 1.0) == _ocr("b")


def test_nothing_joins_the_last_attempt():
    """While it flies nothing is submitted beside it; afterwards everything is."""
    jobs = _jobs(a=_facts("ocr", "ocr"))
    flights = _known(jobs)
    flights.launch(Message("ocr", "a"), jobs["a"].facts, 0.0)
    jobs |= _jobs(b=_facts(), c=_facts())
    flights.know("b")
    flights.know("c")
    assert flights.choose(jobs, WINDOW, 0.0) == []
    del jobs["a"]
    flights.watch(jobs, None, 1.0)
    assert flights.choose(jobs, WINDOW, 1.0) == _ocr("b", "c")


def test_a_books_other_pages_go_before_its_last_attempt():
    """One bad page holds up no other page of its book."""
    facts = _facts("page-1", "page-1", pages=3)
    jobs = _jobs(a=facts)
    flights = _known(jobs)
    assert flights.choose(jobs, WINDOW, 0.0) == [Message("page", "a", 2), Message("page", "a", 3)]
    jobs = _jobs(a=_facts("page-1", "page-1", pages=3, landed=frozenset({2, 3})))
    assert flights.choose(jobs, WINDOW, 0.0) == [Message("page", "a", 1)]


@pytest.mark.parametrize(("attempts", "killed"), [(1, 0), (3, 0), (3, 1), (3, 3), (5, 3)])
def test_only_the_last_attempt_is_alone(attempts, killed):
    """Neither one before it, nor the message that gives the page up; nor the only attempt."""
    jobs = _jobs(a=_facts(*["ocr"] * killed), b=_facts())
    assert _known(jobs, attempts).choose(jobs, WINDOW, 0.0) == _ocr("a", "b")


@pytest.mark.parametrize(("killed", "waits", "alone"), [
    (2, False, False),  # it is the second that may still be at work
    (3, False, True),
    (2, True, True),
    (1, True, False),
])  # fmt: skip
def test_a_daemon_that_starts_knows_which_attempts_are_alone(killed, waits, alone):
    """What an earlier daemon has submitted flies alone if it is, or will be, the last attempt."""
    jobs = _jobs(a=_facts(*["ocr"] * killed), b=_facts())
    flights = Flights(LEASE, 3)
    flights.meet(jobs, _ocr("a") if waits else [], 0.0)
    assert flights.choose(jobs, WINDOW, 0.0) == ([] if alone else _ocr("b"))


def test_last_attempts_take_turns_with_the_others():
    """Who was served goes to the end of the line, so that bad pages cannot keep the line."""
    bad, good = Message("ocr", "bad"), Message("ocr", "good")
    line = [
        Waiting("bad", "i", 2, 0, (bad,), frozenset({bad})),
        Waiting("good", "i", 1, 0, (good,)),
    ]
    assert choose(line, WINDOW, Counter()) == [good]
    line = [
        Waiting("bad", "i", 1, 0, (bad,), frozenset({bad})),
        Waiting("good", "i", 2, 0, (good,)),
    ]
    assert choose(line, WINDOW, Counter()) == [bad]
    assert choose(line, WINDOW, Counter(i=1)) == []


def test_a_bad_page_takes_no_place_from_the_others():
    """A long book fills the window with its good pages, however many bad ones come before them."""
    bad = [f"page-{n}" for n in (1, 2, 4)]
    jobs = _jobs(a=_facts(*bad, *bad, pages=20))
    chosen = _known(jobs).choose(jobs, 4, 0.0)
    assert chosen == [Message("page", "a", n) for n in (3, 5, 6, 7)]


def test_of_a_book_no_more_pages_are_asked_for_than_can_fly(monkeypatch):
    """The pages that could fly later are not even made: a book may have thousands."""
    asked: list[Message] = []

    def outstanding(job: str, facts: JobFacts):
        for message in made(job, facts):
            asked.append(message)
            yield message

    made = reconcile.outstanding
    monkeypatch.setattr(reconcile, "outstanding", outstanding)
    jobs = _jobs(a=_facts(pages=5000))
    flights = _known(jobs)
    for message in flights.choose(jobs, WINDOW, 0.0):
        flights.launch(message, jobs["a"].facts, 0.0)
    assert len(asked) <= WINDOW + 1
    assert flights.choose(jobs, WINDOW, 0.0) == []
    assert len(asked) <= WINDOW + 1
