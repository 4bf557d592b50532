"""What a job needs, judged by what its directory shows. Pure: no clock, no disk, no broker.

The daemon looks at a job's directory and asks `stand`; what it did before, what events it
missed, and whether it was restarted in between do not matter. The same facts give the same
answer, so a decision that is lost is simply made again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from watcherd.model import JobFacts, Message

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator


class Stand(StrEnum):
    """What is to be done next for a job, and by whom."""

    DROP = "drop"  # the claim never happened: remove the directory, the file is in its inbox
    SEAL = "seal"  # claimed: wait until the last writer has left, then seal
    WORK = "work"  # the workers' turn
    LOST = "lost"  # sealed, but somebody took the original away: fail with that reason
    FILE = "file"  # it has an outcome: file the original


def stand(facts: JobFacts) -> Stand:
    """Return what a job's directory calls for."""
    if facts.outcome is not None:
        return Stand.FILE
    if not facts.source:
        return Stand.LOST if facts.sealed else Stand.DROP
    return Stand.WORK if facts.sealed else Stand.SEAL


def missing(job: str, facts: JobFacts) -> tuple[Message, ...]:
    """Return the messages whose results have not landed, those that can run now."""
    return tuple(outstanding(job, facts))


def outstanding(job: str, facts: JobFacts) -> Iterator[Message]:
    """Give the `missing` messages one by one: of a book only the first few are asked for."""
    if stand(facts) is not Stand.WORK:
        return
    if facts.pages is None or (facts.pages == 1 and not facts.landed):
        yield Message("ocr", job)
        return
    done = True
    for n in range(1, facts.pages + 1):
        if n not in facts.landed:
            done = False
            yield Message("page", job, n)
    if done:
        yield Message("pdf", job)


def wanted(message: Message, facts: JobFacts) -> bool:
    """Tell whether a message is among the `missing` ones, without making them all."""
    if stand(facts) is not Stand.WORK:
        return False
    if facts.pages is None or (facts.pages == 1 and not facts.landed):
        return message.task == "ocr"
    if message.page is not None:
        return 1 <= message.page <= facts.pages and message.page not in facts.landed
    return message.task == "pdf" and facts.landed.issuperset(range(1, facts.pages + 1))


@dataclass(frozen=True, slots=True)
class Flight:
    """One message in flight, as far as the disk shows. Times are seconds, monotonic."""

    message: Message
    sent: float
    alive: float  # when a sign of life was last seen; at first, when it was sent
    life: int = 0  # what the last sign of life showed
    absent: float | None = None  # when the broker was first found not to hold it, and it silent
    begun: bool = False  # a worker has shown life
    failures: int = 0  # attempts that had ended with an error when it was sent
    rounds: int = 0  # how often its lease has expired before
    alone: bool = False  # nothing may fly beside it


def failures(facts: JobFacts, key: str) -> int:
    """Return how many attempts of a stage or page have ended with an error."""
    return sum(1 for t in facts.tries if t.key == key and t.ended)


def is_last(facts: JobFacts, key: str, attempts: int, *, begun: bool = False) -> bool:
    """Tell whether the next attempt of a stage or page is the last before it is given up.

    `begun` if it shows already. It runs alone: what killed the ones before may have been a
    neighbour's memory.
    """
    return 0 < sum(1 for t in facts.tries if t.key == key) - int(begun) == attempts - 1


def sighted(flight: Flight, facts: JobFacts, now: float) -> Flight:
    """Return the flight with the signs of life that the directory shows now.

    Only that a counter changed is used, never its value: the clocks of other hosts do not matter.
    """
    seen = life(facts, flight.message.key)
    if seen in (0, flight.life):
        return flight
    return replace(flight, life=seen, alive=now, begun=True, absent=None)


def life(facts: JobFacts, key: str) -> int:
    """Return a number that changes whenever any open attempt of a stage or page shows life.

    A sum: attempts of killed workers stay in it, unmoved, and cannot hide a living one.
    """
    return sum(t.life for t in facts.tries if t.key == key and not t.ended)


def sought(flight: Flight, queued: Collection[Message] | None, lease: float, now: float) -> Flight:
    """Return the flight with what the broker shows of it now, None if it did not say.

    What waits there is alive. What is silent and not there may have been taken a moment ago, and
    be at work by now; so its absence only counts when it lasts.
    """
    if queued is None:
        return flight
    if flight.message in queued:
        return replace(flight, alive=now, absent=None)
    if flight.absent is None and now - flight.alive > patience(flight, lease):
        return replace(flight, absent=now)
    return flight


ABSENCE = 3.0
"""Seconds that a silent message must be absent from the broker: what the disk shows is older."""


class Fate(StrEnum):
    """What has become of a message in flight."""

    FLYING = "flying"
    LANDED = "landed"  # its results are there
    FAILED = "failed"  # an attempt ended with an error: try again after the back-off
    EXPIRED = "expired"  # no sign of life for a lease, and not waiting at the broker


def patience(flight: Flight, lease: float) -> float:
    """Return the silence that is believed: a lease, twice as long for one submitted again.

    No longer: a worker that met a full disk went silently, and when the disk has room again a
    document is not to wait for minutes.
    """
    return lease * (2 if flight.rounds and not flight.begun else 1)


def fate(flight: Flight, facts: JobFacts, queued: Collection[Message] | None, now: float) -> Fate:
    """Return what has become of a message.

    A timer alone does not end a flight: under load it would submit again what is merely
    waiting, without end. See `sought`; while the broker does not say, nothing expires.
    """
    if not wanted(flight.message, facts):
        return Fate.LANDED
    if failures(facts, flight.message.key) > flight.failures:
        return Fate.FAILED
    if queued is not None and flight.absent is not None and now - flight.absent >= ABSENCE:
        return Fate.EXPIRED
    return Fate.FLYING


def backoff(attempts: int) -> float:
    """Return the seconds to wait after that many failed attempts: 1, 4, 16, … at most 300."""
    return min(4.0 ** max(attempts - 1, 0), 300.0)
