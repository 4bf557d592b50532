"""The ledger against real SQLite: rows and history always agree, whatever befalls the jobs."""

from __future__ import annotations

import sqlite3
import tempfile
import threading
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, rule
from kills import fork, status

from watcherd.errors import IllegalEvent, NotOurs
from watcherd.ledger import Ledger, Waiting
from watcherd.lifecycle import FINISHED, TRANSITIONS, Event, State, path

SHA = "0" * 64


@pytest.fixture
def ledger(fast):
    with closing(Ledger(fast / "ledger.db")) as ledger:
        yield ledger


def add(ledger: Ledger, job: str, *, inbox: str = "scans", source: bytes = b"a", sha=SHA) -> None:
    ledger.add(job, inbox, source, 7, sha, float(len(job)))


class Life(RuleBasedStateMachine):
    """Jobs live in the ledger and in a dictionary; the two never differ."""

    known = Bundle("known")

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.heard: list[tuple[str, Event]] = []
        self.states: dict[str, State] = {}
        self.steps: dict[str, list[tuple[Event, State]]] = {}
        self.open: list[int] = []

    @initialize()
    def open_it(self):
        """Open a fresh ledger."""
        self.ledger = Ledger(Path(self.folder.name) / "ledger.db", told=self.hear)

    def hear(self, job, step):
        """Note what the ledger tells, which must be true by then."""
        assert self.ledger.get(job.job) == job
        self.heard.append((job.job, step.event))

    @rule(target=known, number=st.integers(0, 20))
    def come(self, number):
        """Enter a job, new or known."""
        job = f"job{number}"
        add(self.ledger, job)
        self.states.setdefault(job, State.READY)
        self.steps.setdefault(job, [])
        return job

    @rule(job=known, events=st.lists(st.sampled_from(Event), max_size=3), page=st.integers(0, 9))
    def move(self, job, events, page):
        """Take a job through any events; illegal ones change nothing."""
        if job not in self.states:
            with pytest.raises(NotOurs):
                self.ledger.move(job, *events)
            return
        state, steps = self.states[job], []
        for event in events:
            if event not in TRANSITIONS[state]:
                before = self.ledger.get(job)
                with pytest.raises(IllegalEvent):
                    self.ledger.move(job, *events, current=99)
                assert self.ledger.get(job) == before
                return
            state = TRANSITIONS[state][event]
            steps.append((event, state))
        assert self.ledger.move(job, *events, current=page).current == page
        self.states[job] = state
        self.steps[job] += steps

    @rule(job=known, goal=st.sampled_from(State))
    def reach(self, job, goal):
        """Take a job to a state, if there is a way."""
        if job not in self.states:
            return
        try:
            events = path(self.states[job], goal)
        except IllegalEvent:
            with pytest.raises(IllegalEvent):
                self.ledger.reach(job, goal)
            return
        finished = self.ledger.get(job).finished
        assert self.ledger.reach(job, goal, code="x").state is goal
        if not events:
            assert self.ledger.get(job).finished == finished
        for event in events:
            self.states[job] = TRANSITIONS[self.states[job]][event]
            self.steps[job].append((event, self.states[job]))

    @rule(job=consumes(known))
    def forget(self, job):
        """Prune: all that is finished goes, nothing else does."""
        gone = [j for j, s in self.states.items() if s in FINISHED]
        assert self.ledger.prune(float("inf")) == len(gone)
        for one in gone:
            del self.states[one], self.steps[one]
            assert not self.ledger.knows(one)
        assert self.ledger.knows(job) == (job in self.states)

    @rule()
    def reopen(self):
        """Close the file and open it again."""
        self.ledger.close()
        self.open_it()

    @rule(verb=st.sampled_from(["retry", "cancel", "pause", "resume"]))
    def ask(self, verb):
        """Ask for something."""
        self.open.append(self.ledger.ask(verb, "target"))

    @rule(ok=st.booleans())
    def answer(self, ok):
        """Answer the oldest request."""
        if self.open:
            number = self.open.pop(0)
            self.ledger.answer(number, "so it is", ok=ok)
            assert (self.ledger.request(number).ok, self.ledger.request(number).answer) == (
                ok,
                "so it is",
            )

    @invariant()
    def rows_and_history_agree(self):
        """Compare rows and history with the model."""
        if not hasattr(self, "ledger"):
            return
        assert {j.job: j.state for j in self.ledger.jobs()} == self.states
        for job, state in self.states.items():
            history = self.ledger.history(job)
            assert [(t.event, t.after) for t in history] == self.steps[job]
            before = State.READY
            for t in history:
                assert t.before is before
                before = t.after
            assert before is state
            assert (self.ledger.get(job).finished is not None) == (state in FINISHED)
        unfinished = {j for j, s in self.states.items() if s not in FINISHED}
        assert {j.job for j in self.ledger.unfinished()} == unfinished
        counted = Counter(("scans", state.value) for state in self.states.values())
        assert self.ledger.counts() == counted
        assert [r.id for r in self.ledger.open_requests()] == self.open

    def teardown(self):
        """Close the file; all that was entered was told."""
        if hasattr(self, "ledger"):
            told = sum(len(s) for s in self.steps.values())
            assert len(self.heard) >= told
            self.ledger.close()
        self.folder.cleanup()


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)


@given(text=st.text(st.characters(), max_size=20), name=st.binary(min_size=1, max_size=20))
@settings(max_examples=50, deadline=None)
def test_any_name_and_any_text_can_be_entered(text, name):
    """Names of files in a sentence need not be valid; nothing of it stops the daemon."""
    with tempfile.TemporaryDirectory() as folder, closing(Ledger(Path(folder, "l"))) as ledger:
        shown = name.decode("utf-8", "surrogateescape")
        add(ledger, "j", source=name)
        job = ledger.reach("j", State.FAILED, reason=text, outputs=[shown], filed=shown, code=text)
        assert (job.source, job.outputs, job.filed) == (name, (shown,), shown)
        row = Waiting("scans", name, 1, 2.0, "seen", shown)
        ledger.set_waiting("scans", [row], 1, "inotify", text + shown)
        assert ledger.waiting("scans")[0].source == name
        ledger.answer(ledger.ask("retry", shown), text, ok=False)
        with pytest.raises(NotOurs):
            ledger.get(text + "x" + shown)


def test_one_finds_what_one_looks_for(ledger):
    """Rows can be asked for by state, inbox and name, the newest first."""
    for job, inbox in (("a", "x"), ("bb", "x"), ("ccc", "y")):
        add(ledger, job, inbox=inbox, source=job.encode())
    ledger.reach("a", State.DONE)
    assert [j.job for j in ledger.jobs()] == ["ccc", "bb", "a"]
    assert [j.job for j in ledger.jobs(inbox="x", limit=1)] == ["bb"]
    assert [j.job for j in ledger.jobs(states=[State.DONE, State.FAILED])] == ["a"]
    assert [j.job for j in ledger.by_source("x", b"bb")] == ["bb"]
    assert [j.job for j in ledger.unfinished()] == ["bb", "ccc"]
    assert ledger.counts() == {("x", "done"): 1, ("x", "ready"): 1, ("y", "ready"): 1}


@pytest.mark.parametrize(
    ("state", "same"),
    [(State.DONE, True), (State.RUNNING, True), (State.FAILED, False), (State.CANCELLED, False)],
)
def test_a_duplicate_is_one_of_a_job_that_is_or_will_be_good(ledger, state, same):
    """Bytes that failed, or were taken back, may come again; another inbox does not count."""
    add(ledger, "first")
    ledger.reach("first", state)
    for job, inbox, sha in (("second", "scans", SHA), ("other", "else", SHA), ("x", "scans", "1")):
        add(ledger, job, inbox=inbox, sha=sha)
        found = ledger.same(inbox, sha, job)
        assert (found.job if found else None) == ("first" if same and job == "second" else None)


def test_the_history_cannot_be_rewritten(ledger, fast):
    """What has happened to a job stays, whoever opens the file."""
    add(ledger, "j")
    ledger.move("j", Event.DISPATCHED)
    with closing(sqlite3.connect(fast / "ledger.db")) as db, pytest.raises(sqlite3.IntegrityError):
        db.execute("UPDATE transition SET event = 'completed'")


def test_a_step_is_whole_or_not_at_all(ledger):
    """If its history cannot be appended the row does not change either."""
    add(ledger, "j")
    with pytest.raises(TypeError):
        ledger.move("j", Event.DISPATCHED, detail={"x": object()}, current=7)
    assert (ledger.get("j").state, ledger.get("j").current) == (State.READY, 0)
    assert ledger.history("j") == []


def test_detail_belongs_to_the_last_step(ledger):
    """A run of events carries its detail once, also if an event comes twice."""
    add(ledger, "j")
    ledger.move("j", Event.DISPATCHED, Event.STARTED)
    ledger.move("j", Event.PROGRESSED, Event.PROGRESSED, detail={"page": 3})
    assert [t.detail for t in ledger.history("j")] == [{}, {}, {}, {"page": 3}]


def test_a_request_comes_from_another_process(ledger, fast):
    """A command asks while the daemon has the file open, and the daemon notices."""
    mark = ledger.changes()
    assert ledger.changes() == mark

    def command():
        with closing(Ledger(fast / "ledger.db")) as other:
            other.ask("pause", "scans")

    assert status(fork(command)) == 0
    assert ledger.changes() != mark
    assert [(r.verb, r.target) for r in ledger.open_requests()] == [("pause", "scans")]


def test_threads_share_a_ledger(ledger):
    """Each step of every thread is one transaction; none is lost."""
    add(ledger, "j")
    ledger.move("j", Event.DISPATCHED, Event.STARTED)

    def work():
        for _ in range(20):
            ledger.move("j", Event.PROGRESSED)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ledger.history("j")) == 82


def test_what_is_shown_of_inboxes(ledger):
    """Waiting files are replaced as a whole, and a pause outlives them."""
    rows = [Waiting("scans", b"%d" % n, n, 10.0 - n, "seen", "it was seen") for n in range(3)]
    ledger.pause("scans", paused=True)
    ledger.set_waiting("scans", rows, 7, "scan", "trouble")
    assert [w.size for w in ledger.waiting()] == [2, 1, 0]
    row = ledger.inboxes()["scans"]
    assert (row.paused, row.waiting, row.oldest, row.trouble) == (True, 7, 8.0, "trouble")
    ledger.set_waiting("scans", [], 0, "scan", None)
    assert ledger.waiting("scans") == []
    assert ledger.inboxes()["scans"].paused
    assert ledger.daemon() is None
    ledger.beat(1, 2.0, "trouble")
    ledger.beat(3, 4.0, None)
    assert (ledger.daemon().pid, ledger.daemon().trouble) == (3, None)
