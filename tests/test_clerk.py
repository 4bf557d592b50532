"""The clerk's rows: what lanes report and people ask becomes history, whatever the names."""

from __future__ import annotations

import queue
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from desks import Desk, outcome

from watcherd import filing, log
from watcherd.clerk import Clerk
from watcherd.flights import Ready
from watcherd.lane import Lane
from watcherd.ledger import Ledger
from watcherd.lifecycle import Event, State
from watcherd.model import JobFacts, Try
from watcherd.orders import Conclude, Restored, Retry
from watcherd.reconcile import Fate

if TYPE_CHECKING:
    from watcherd.jobfiles import Outcome


class Office:
    """A clerk with a real ledger, and a lane whose orders are kept."""

    def __init__(self, desk: Desk, ledger: Ledger) -> None:
        self.desk, self.ledger = desk, ledger
        self.lane = Lane(desk.config, desk.inbox, desk.spool, log.get(), lambda *_: None)
        self.clerk = Clerk(desk.config, ledger, log.get())

    def enter(self, name: bytes = b"a.pdf", data: bytes = b"%PDF") -> str:
        """Seal a job and enter it; return its id."""
        job = self.desk.sealed(name, data)
        self.clerk.sealed(self.lane, job.claim(), job.read_seal())
        return job.job

    def file(self, name: str, end: Outcome) -> filing.Filed:
        """Conclude and file a job, and enter that."""
        job = self.desk.spool.job(name)
        job.conclude(end)
        filed = filing.file_away(self.desk.spool, job, self.desk.inbox)
        self.clerk.ended(self.lane, filed)
        return filed

    def orders(self) -> list:
        """Return what was ordered of the lane since the last time."""
        found = []
        while True:
            try:
                found.append(self.lane._orders.get_nowait())
            except queue.Empty:
                return [order for order in found if order is not None]

    def ask(self, verb: str, target: str):
        """Ask, let the clerk look, and return the request as it stands then."""
        number = self.ledger.ask(verb, target)
        self.clerk.requests({"scans": self.lane})
        return self.ledger.request(number)

    def events(self, job: str) -> list[Event]:
        """Return the history of a job."""
        return [t.event for t in self.ledger.history(job)]


@pytest.fixture
def office(desks, request):
    desk = desks(**getattr(request, "param", {}))
    with closing(Ledger(desk.root / "ledger.db")) as ledger:
        yield Office(desk, ledger)


def ready(job: str, pages: int | None = None, *landed: int, tries=()) -> Ready:
    facts = JobFacts(sealed=True, pages=pages, landed=frozenset(landed), tries=tuple(tries))
    return Ready(job, "scans", 0.0, facts)


def test_a_sealed_job_is_entered_once(office):
    """Found again after a restart it is known, and nothing is added."""
    job = office.desk.sealed()
    for new in (True, False):
        assert office.clerk.sealed(office.lane, job.claim(), job.read_seal()) is new
    row = office.ledger.get(job.job)
    assert (row.state, row.source, row.sha256) == (State.READY, b"a.pdf", job.read_seal().sha256)
    assert office.orders() == []


@pytest.mark.parametrize("office", [{"duplicates": "skip"}], indirect=True)
def test_a_duplicate_is_skipped_by_policy(office):
    """The same bytes again are concluded, naming the first; other bytes are not."""
    first = office.enter()
    assert office.orders() == []
    second = office.enter(b"b.pdf")
    (order,) = office.orders()
    assert isinstance(order, Conclude)
    assert (order.job, order.outcome.kind, order.outcome.code) == (second, "skipped", "duplicate")
    assert first in order.outcome.reason
    office.enter(b"c.pdf", b"%PDF other")
    assert office.orders() == []


@pytest.mark.parametrize("kind", ["done", "failed", "cancelled", "skipped"])
@pytest.mark.parametrize("known", [True, False])
def test_an_outcome_is_entered(office, kind, known):
    """Also of a job that the ledger has lost: its row says how it ended, and where all is."""
    name = b"Gro\xdf.pdf"
    job = office.enter(name) if known else office.desk.sealed(name).job
    end = replace(outcome(kind), outputs=(b"Gro\xdf.pdf",) if kind == "done" else ())
    filed = office.file(job, end)
    row = office.ledger.get(job)
    assert row.state == kind
    assert row.source == name
    assert row.filed == str(filed.path)
    assert (row.code, row.reason, row.stage) == (end.code, end.reason, end.stage)
    if kind == "done":
        assert row.outputs == (str(office.desk.inbox.outbox / "Gro\udcdf.pdf"),)
    office.clerk.ended(office.lane, filed)  # told twice after a restart
    assert office.events(job).count(Event.DISPATCHED) <= 1
    assert office.clerk.failed == 2 * (kind == "failed")


def test_a_ledger_ahead_of_the_spool_is_kept(office):
    """A row from a backup that says otherwise is not changed against the table."""
    job = office.enter()
    office.ledger.reach(job, State.DONE)
    office.file(job, outcome("failed"))
    assert office.ledger.get(job).state is State.DONE


def test_a_job_that_is_gone_has_failed(office):
    """What is nowhere in the spool is not shown as running for ever; finished rows stay."""
    job, done = office.enter(), office.enter(b"b.pdf")
    office.ledger.reach(done, State.DONE)
    for one in (job, done, "aaaa-00000000000000"):
        office.clerk.gone(one)
    assert (office.ledger.get(job).state, office.ledger.get(job).code) == (State.FAILED, "lost")
    assert office.ledger.get(done).state is State.DONE


def test_progress_becomes_history(office):
    """Each look appends what has happened since, and nothing if nothing has."""
    job = office.enter()
    clerk = office.clerk
    clerk.progress(ready(job), State.QUEUED, None)
    clerk.progress(ready(job), State.QUEUED, None)
    clerk.progress(ready(job, 3), State.RUNNING, None)
    clerk.progress(ready(job, 3, 1), State.RUNNING, None)
    clerk.progress(ready(job, 3, 1, tries=[Try("page-2", 1, ended=True)]), State.READY, Fate.FAILED)
    clerk.progress(ready(job, 3, 1), State.QUEUED, None)
    clerk.progress(ready(job, 3, 1), State.READY, Fate.EXPIRED)
    assert office.events(job) == [
        Event.DISPATCHED,
        Event.STARTED,
        Event.PROGRESSED,
        Event.RETRY_SCHEDULED,
        Event.DISPATCHED,
        Event.LEASE_EXPIRED,
    ]
    row = office.ledger.get(job)
    assert (row.stage, row.current, row.total) == ("ocr", 1, 3)
    clerk.progress(ready(job, 3, 1, 2, 3), State.RUNNING, None)
    assert office.ledger.get(job).stage == "pdf"


def test_progress_of_a_finished_job_is_none(office):
    """A view that is older than the outcome does not bring a row back to life."""
    job = office.enter()
    office.file(job, outcome("failed"))
    before = office.ledger.get(job)
    office.clerk.progress(ready(job), State.RUNNING, None)
    assert office.ledger.get(job) == before


def test_a_retry_is_ordered_once_and_answered(office):
    """The lane does it; the answer comes when it has, and says if it could not."""
    job = office.enter()
    office.file(job, outcome("failed"))
    assert office.ask("retry", job).ok is None
    office.clerk.requests({"scans": office.lane})
    (order,) = office.orders()
    assert isinstance(order, Retry)
    office.clerk.restored(Restored(job, order.request, None))
    assert office.ledger.request(order.request).ok is True
    back = filing.restore(office.desk.spool, job, office.desk.inbox)
    office.clerk.sealed(office.lane, back.claim(), back.read_seal())
    row = office.ledger.get(job)
    assert (row.state, row.code, row.reason, row.filed) == (State.READY, None, None, None)
    office.clerk.restored(Restored(job, order.request, "it is no longer there"))
    assert office.ledger.request(order.request).answer == "it is no longer there"


def test_a_cancel_concludes_the_job(office):
    """An unfinished job is ended by its lane; a finished one is left as it is."""
    job = office.enter()
    assert office.ask("cancel", job).ok
    (order,) = office.orders()
    assert (order.job, order.outcome.kind) == (job, "cancelled")
    office.file(job, order.outcome)
    answer = office.ask("cancel", job)
    assert (answer.ok, answer.answer) == (False, "it is cancelled already")


def test_a_pause_is_remembered(office):
    """The lane hears of it at once, and a later daemon reads it."""
    for verb, paused in (("pause", True), ("resume", False)):
        assert office.ask(verb, "scans").ok
        assert office.lane.paused is paused
        assert office.ledger.inboxes()["scans"].paused is paused


@pytest.mark.parametrize(
    ("verb", "target", "says"),
    [
        ("retry", "aaaa-00000000000000", "no job"),
        ("cancel", "\udcff", "no job"),
        ("pause", "elsewhere", "no inbox"),
        ("retry", None, "nothing to retry"),
    ],
)
def test_what_cannot_be_done_is_answered(office, verb, target, says):
    """Every request gets its answer in words."""
    answer = office.ask(verb, target or office.enter())
    assert answer.ok is False
    assert says in answer.answer
