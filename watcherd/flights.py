"""What is in flight: which messages were submitted, and what has become of them.

Held in memory alone. After a restart it is empty, and everything follows from the disk and the
broker again.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from watcherd import reconcile, schedule
from watcherd.lifecycle import Event, State
from watcherd.model import Message
from watcherd.reconcile import Fate, Flight

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from watcherd.model import JobFacts


@dataclass(frozen=True, slots=True)
class Ready:
    """A job in work: whose it is, since when, and what its directory shows."""

    job: str
    inbox: str
    created: float  # seconds since the epoch; only the order matters
    facts: JobFacts


@dataclass(frozen=True, slots=True)
class Grounded:
    """A flight that ended without its results."""

    message: Message
    fate: Fate  # FAILED or EXPIRED
    failures: int  # attempts of this stage or page that ended with an error


class Flights:
    """The messages in flight. Times are seconds, monotonic."""

    def __init__(self, lease: float, attempts: int = 3) -> None:
        """Begin with none; `lease` is the longest silence that is believed.

        The last of the `attempts` at a stage or page flies alone.
        """
        self._lease, self._attempts = lease, attempts
        self._flying: dict[Message, Flight] = {}
        self._rounds: Counter[Message] = Counter()
        self._due: dict[Message, float] = {}
        self._turns: dict[str, int] = {}  # of the jobs of which we know what the broker holds
        self._turn = 0
        self._failed_before: dict[str, int] = {}  # of pdf, when a job's chain was submitted

    def __len__(self) -> int:
        """Return the number of messages in flight."""
        return len(self._flying)

    def silent(self, now: float) -> bool:
        """Tell whether some flight is overdue, so that the broker should be asked."""
        return any(now - f.alive > self._lease for f in self._flying.values())

    def unknown(self, jobs: Mapping[str, Ready]) -> bool:
        """Tell whether there are jobs of which we do not know what the broker holds."""
        return not jobs.keys() <= self._turns.keys()

    def meet(self, jobs: Mapping[str, Ready], queued: Collection[Message], now: float) -> None:
        """Get to know jobs that an earlier daemon may have submitted.

        What waits at the broker, or shows an attempt that has not ended, counts as in flight.
        """
        fresh = [job for job in jobs.values() if job.job not in self._turns]
        for job, facts in ((j.job, j.facts) for j in sorted(fresh, key=lambda j: j.created)):
            self.know(job)
            begun = {t.key for t in facts.tries if not t.ended}
            for message in reconcile.missing(job, facts):
                if message in queued:
                    self.launch(message, facts, now)
                elif message.key in begun:
                    self.launch(message, facts, now, begun=True)

    def know(self, job: str) -> None:
        """Note that a job is new: nobody has submitted anything for it."""
        self._take_turn(job)

    def _take_turn(self, job: str) -> None:
        self._turn += 1
        self._turns[job] = self._turn

    def launch(self, message: Message, facts: JobFacts, now: float, *, begun: bool = False) -> None:
        """Note that a message was submitted, or may have been; perhaps its attempt shows."""
        self._take_turn(message.job)
        if message.task == "ocr":
            self._failed_before[message.job] = reconcile.failures(facts, "pdf")
        self._flying[message] = Flight(
            message,
            now,
            now,
            life=reconcile.life(facts, message.key),
            failures=reconcile.failures(facts, message.key),
            rounds=self._rounds[message],
            alone=reconcile.is_last(facts, message.key, self._attempts, begun=begun),
        )

    def watch(
        self, jobs: Mapping[str, Ready], queued: Collection[Message] | None, now: float
    ) -> list[Grounded]:
        """Compare all flights with the disk; return those that ended without their results.

        `queued` is what the broker shows, None if it did not say.
        """
        grounded = []
        for flight in list(self._flying.values()):
            message = flight.message
            job = jobs.get(message.job)
            if job is None:
                self._land(message)
                continue
            sighted = reconcile.sighted(flight, job.facts, now)
            sighted = reconcile.sought(sighted, queued, self._lease, now)
            self._flying[message] = sighted
            end = reconcile.fate(sighted, job.facts, queued, now)
            if end is Fate.LANDED:
                self._land(message)
                self._follow(message, job, now)
            elif end is not Fate.FLYING:
                grounded.append(self._ground(message, job, end, now))
        self._forget(jobs)
        return grounded

    def _forget(self, jobs: Mapping[str, Ready]) -> None:
        """Forget jobs that are no longer in work; one that returns is met anew."""
        for gone in self._turns.keys() - jobs.keys():
            del self._turns[gone]
            self._failed_before.pop(gone, None)
        for table in (self._due, self._rounds):
            for message in [m for m in table if m.job not in jobs]:
                del table[message]

    def _land(self, message: Message) -> None:
        del self._flying[message]
        self._rounds.pop(message, None)
        self._due.pop(message, None)

    def _follow(self, message: Message, job: Ready, now: float) -> None:
        """Note that the chain of a one-page document has submitted its pdf stage itself."""
        following = Message("pdf", message.job)
        if message.task == "ocr" and reconcile.wanted(following, job.facts):
            self.launch(following, job.facts, now)
            # It may have failed already, before we heard that it had begun.
            before = self._failed_before.get(message.job, 0)
            self._flying[following] = replace(self._flying[following], failures=before)

    def _ground(self, message: Message, job: Ready, end: Fate, now: float) -> Grounded:
        del self._flying[message]
        failures = reconcile.failures(job.facts, message.key)
        if end is Fate.EXPIRED:
            self._rounds[message] += 1
        else:
            self._due[message] = now + reconcile.backoff(failures)
        return Grounded(message, end, failures)

    def choose(self, jobs: Mapping[str, Ready], window: int, now: float) -> list[Message]:
        """Return the messages to submit now, so that at most `window` are in flight."""
        room = window - len(self._flying)
        if room <= 0 or any(flight.alone for flight in self._flying.values()):
            return []
        by_job: Counter[str] = Counter(m.job for m in self._flying)
        by_inbox = Counter(jobs[m.job].inbox for m in self._flying if m.job in jobs)
        waiting = [
            schedule.Waiting(
                job.job,
                job.inbox,
                self._turns[job.job],
                by_job[job.job],
                *self._next_of(job, room, now),
            )
            for job in jobs.values()
            if job.job in self._turns
        ]
        return schedule.choose(waiting, room, by_inbox)

    def _next_of(
        self, job: Ready, room: int, now: float
    ) -> tuple[tuple[Message, ...], frozenset[Message]]:
        """Return the next messages of a job, and which of them must fly alone.

        No more than can be chosen: those that may fly with others, which go first, fill the room.
        """
        messages, alone = list[Message](), set[Message]()
        for message in reconcile.outstanding(job.job, job.facts):
            if len(messages) - len(alone) == room:
                break
            if message in self._flying or self._due.get(message, 0.0) > now:
                continue
            messages.append(message)
            if reconcile.is_last(job.facts, message.key, self._attempts):
                alone.add(message)
        return tuple(messages), frozenset(alone)

    def next_due(self) -> float | None:
        """Return when the next attempt after a failure is due, None if there is none."""
        return min(self._due.values(), default=None)

    def state(self, job: Ready) -> State:
        """Return what the ledger should say of a job that is in work."""
        mine = [f for m, f in self._flying.items() if m.job == job.job]
        if any(f.begun for f in mine):
            return State.RUNNING
        if mine:
            return State.RUNNING if job.facts.landed else State.QUEUED
        return State.READY


_STEPS: dict[tuple[State, State], tuple[Event, ...]] = {
    (State.READY, State.QUEUED): (Event.DISPATCHED,),
    (State.READY, State.RUNNING): (Event.DISPATCHED, Event.STARTED),
    (State.QUEUED, State.RUNNING): (Event.STARTED,),
}


def events(before: State, after: State, ended: Fate | None) -> tuple[Event, ...]:
    """Return the events that take an unfinished job from one state to another.

    `ended` says why its last flight ended without results, None if none did: then a job that
    shows no flight is between two stages, and nothing is to be told.
    """
    if after is not State.READY:
        return _STEPS.get((before, after), ())
    if ended is None or before is State.READY:
        return ()
    if ended is Fate.EXPIRED:
        return (Event.LEASE_EXPIRED,)
    started = () if before is State.RUNNING else (Event.STARTED,)
    return (*started, Event.RETRY_SCHEDULED)
