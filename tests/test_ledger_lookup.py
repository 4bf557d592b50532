"""What one looks for in the ledger is found, by ways that do not grow with the number of jobs."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing

import pytest

from watcherd.ledger import Ledger
from watcherd.ledger.jobs import PRUNED
from watcherd.lifecycle import Event, State

SHA = "0" * 64


@pytest.fixture
def ledger(fast):
    with closing(Ledger(fast / "ledger.db")) as ledger:
        yield ledger


def add(ledger: Ledger, *jobs: str, state: State = State.DONE, **changes: object) -> None:
    for created, job in enumerate(jobs):
        ledger.add(job, "scans", b"a", 7, SHA, float(created))
        ledger.reach(job, state, **changes)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("abcd-1", ["abcd-1xyz"]),
        ("xyz", ["abcd-3xyz", "abcd-1xyz", "xyzw-4abcd-"]),
        ("abcd-", ["abcd-3xyz", "abcd-2zyx", "abcd-1xyz", "xyzw-4abcd-"]),
        ("abcd-2zyx", ["abcd-2zyx"]),
        ("3xyz", ["abcd-3xyz"]),
        ("bcd-", ["xyzw-4abcd-"]),
        ("bcd", []),
        ("abcd_", []),
        ("%", []),
    ],
)
def test_a_job_is_named_by_how_its_id_begins_or_ends(ledger, text, found):
    """The newest come first, no character stands for others, and the limit is kept."""
    add(ledger, "abcd-1xyz", "abcd-2zyx", "abcd-3xyz")
    ledger.add("xyzw-4abcd-", "scans", b"a", 7, SHA, -1.0)
    assert ledger.named(text, 5) == found
    assert ledger.named(text, 1) == found[:1]


@pytest.mark.parametrize("name", [b"/o/a.pdf", b"/o/\xff\xfe \xf0\x9f\x98\x80.pdf", b'/o/"[%].pdf'])
def test_a_job_is_found_by_what_it_placed(ledger, name):
    """Every output and the original lead to their job, whatever bytes are in their paths."""
    path = os.fsdecode(name)
    add(ledger, "first", outputs=[path, f"{path}.txt"], filed=f"{path}.tif")
    add(ledger, "second", outputs=["/o/b.pdf"])
    for place in (path, f"{path}.txt", f"{path}.tif"):
        assert ledger.placed(place).job == "first"
    assert ledger.placed(f"{path}.hocr") is None


def test_only_what_a_job_has_placed_last_counts(ledger):
    """After a retry, and after it is forgotten, a job is no longer found by earlier places."""
    add(ledger, "first", state=State.FAILED, outputs=["/o/a.pdf"], filed="/f/a.tif")
    ledger.move("first", Event.REQUEUED, outputs=[], filed=None)
    assert ledger.placed("/o/a.pdf") is None
    assert ledger.placed("/f/a.tif") is None
    ledger.reach("first", State.DONE, outputs=["/o/b.pdf"])
    assert ledger.placed("/o/b.pdf").job == "first"
    ledger.prune(float("inf"))
    assert ledger.placed("/o/b.pdf") is None


def test_what_is_not_known_is_told(ledger):
    """Of many jobs those are given that the ledger lacks, in their order."""
    add(ledger, "a", "b")
    assert ledger.unknown(("z", "a", "x'", "b")) == ["z", "x'"]
    assert ledger.unknown(()) == []


def test_a_place_that_two_jobs_had_leads_to_one(ledger):
    """A reader took the first document away, and the second got its name: one that is known."""
    add(ledger, "first", outputs=["/o/a.pdf"])
    add(ledger, "second", state=State.READY, outputs=["/o/a.pdf"])
    assert ledger.placed("/o/a.pdf").job in ("first", "second")
    ledger.prune(float("inf"))
    assert ledger.placed("/o/a.pdf").job == "second"


def test_the_newest_of_all_states_come_first(ledger):
    """Jobs of several states are one list by age, also where a limit cuts it."""
    for number, state in enumerate((State.DONE, State.FAILED, State.READY, State.DONE)):
        ledger.add(f"j{number}", "scans", b"a", 7, SHA, float(number))
        ledger.reach(f"j{number}", state)
    for inbox in (None, "scans"):
        assert [j.job for j in ledger.jobs(inbox=inbox)] == ["j3", "j2", "j1", "j0"]
        assert [j.job for j in ledger.jobs(inbox=inbox, limit=2)] == ["j3", "j2"]
        ended = [State.DONE, State.FAILED]
        assert [j.job for j in ledger.jobs(inbox=inbox, states=ended, limit=2)] == ["j3", "j1"]
    assert ledger.jobs(inbox="else") == []


def test_history_is_forgotten_a_little_at_a_time(ledger):
    """One call forgets a bounded number of jobs; old requests go with the last of them."""
    jobs = [f"j{number:04}" for number in range(PRUNED + 1)]
    add(ledger, *jobs)
    add(ledger, "ready", state=State.READY)
    ledger.answer(ledger.ask("retry", "j"), "no", ok=False)
    number = ledger.ask("retry", "j")
    assert ledger.prune(float("inf")) == PRUNED
    assert ledger.request(number - 1).answer == "no"
    assert ledger.prune(float("inf")) == 1
    assert [r.id for r in ledger.open_requests()] == [number]
    with pytest.raises(IndexError):
        ledger.request(number - 1)
    assert [j.job for j in ledger.jobs()] == ["ready"]
    assert not any(ledger.history(job) for job in jobs)


SMALL = ("tally", "job_unfinished", "request", "json_each")
"""What may be gone through, for it does not grow with the number of jobs."""


def test_no_question_goes_through_all_jobs(ledger, fast):
    """Whatever is asked or entered is found by an index; no step sorts or reads the whole."""
    add(ledger, "abcd-1xyz", outputs=["/o/a.pdf"])
    asked: list[str] = []
    ledger._db.set_trace_callback(asked.append)
    ledger.knows("j")
    ledger.unknown(["j"])
    ledger.history("j")
    ledger.jobs(limit=5)
    ledger.jobs(inbox="scans", states=[State.DONE, State.SKIPPED], limit=5)
    ledger.jobs(inbox="scans", review=True, limit=5)
    ledger.unfinished()
    ledger.same("scans", SHA, "")
    ledger.by_source("scans", b"a")
    ledger.named("1xyz", 5)
    ledger.placed("/nowhere")
    ledger.counts()
    ledger.open_requests()
    ledger.prune(0.0)
    add(ledger, "j", outputs=["/o/b.pdf"])
    ledger._db.set_trace_callback(None)
    with closing(sqlite3.connect(fast / "ledger.db")) as db:
        for question in asked:
            if question.startswith(("SELECT", "UPDATE", "DELETE")):
                for *_, step in db.execute(f"EXPLAIN QUERY PLAN {question}"):
                    searched = step.startswith("SEARCH") or "SUBQUERY" in step
                    few_are_sorted = "ORDER BY" in step and "substr(job, -3)" in question
                    small = any(word in step for word in SMALL)
                    assert searched or few_are_sorted or small, (question, step)
                    assert "sha256 =" not in question or "job_same" in step
                    assert "review = 1" not in question or "job_review" in step
    assert len(asked) > 20
