"""The life of a job: one table, one function, one typed error.

A job exists once its file has settled and is claimed; before that the file is a candidate,
shown as `waiting`, and has no place in this table.
"""

from __future__ import annotations

from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

from watcherd.errors import IllegalEvent

if TYPE_CHECKING:
    from collections.abc import Mapping


class State(StrEnum):
    """Where a job stands."""

    READY = "ready"  # claimed and sealed; nothing of it is at the broker
    QUEUED = "queued"  # submitted; no worker has shown life yet
    RUNNING = "running"  # a worker has begun a stage
    DONE = "done"  # outputs published, original filed
    FAILED = "failed"  # original filed in failed/, with its reason
    SKIPPED = "skipped"  # a duplicate, by policy
    CANCELLED = "cancelled"  # taken back by a person


class Event(StrEnum):
    """What can befall a job."""

    DISPATCHED = "dispatched"
    STARTED = "started"
    PROGRESSED = "progressed"
    COMPLETED = "completed"
    RETRY_SCHEDULED = "retry_scheduled"
    DISPATCH_FAILED = "dispatch_failed"
    LEASE_EXPIRED = "lease_expired"
    GAVE_UP = "gave_up"
    SKIPPED = "skipped"
    CANCELLED = "cancelled"
    REQUEUED = "requeued"


TRANSITIONS: Mapping[State, Mapping[Event, State]] = MappingProxyType(
    {
        State.READY: {
            Event.DISPATCHED: State.QUEUED,
            Event.SKIPPED: State.SKIPPED,
            Event.CANCELLED: State.CANCELLED,
        },
        State.QUEUED: {
            Event.STARTED: State.RUNNING,
            Event.DISPATCH_FAILED: State.READY,
            Event.LEASE_EXPIRED: State.READY,
            Event.CANCELLED: State.CANCELLED,
        },
        State.RUNNING: {
            Event.PROGRESSED: State.RUNNING,
            Event.COMPLETED: State.DONE,
            Event.RETRY_SCHEDULED: State.READY,
            Event.LEASE_EXPIRED: State.READY,
            Event.GAVE_UP: State.FAILED,
            Event.CANCELLED: State.CANCELLED,
        },
        State.FAILED: {Event.REQUEUED: State.READY},
        State.CANCELLED: {Event.REQUEUED: State.READY},
        State.DONE: {},
        State.SKIPPED: {},
    }
)

FINISHED = frozenset({State.DONE, State.FAILED, State.SKIPPED, State.CANCELLED})
"""States in which nothing is left to do for the job."""


def step(state: State, event: Event) -> State:
    """Return the state that follows; raise `IllegalEvent` where the table has no entry."""
    try:
        return TRANSITIONS[state][event]
    except KeyError:
        raise IllegalEvent(state, event, tuple(TRANSITIONS[state])) from None


def path(state: State, goal: State) -> tuple[Event, ...]:
    """Return the shortest run of events from `state` to `goal`.

    What the disk shows may be several events ahead of the ledger: a daemon that was away while
    a worker finished must still append each step to the history. Raises `IllegalEvent` where
    the goal cannot be reached.
    """
    seen = {state}
    frontier: list[tuple[State, tuple[Event, ...]]] = [(state, ())]
    while frontier:
        here, events = frontier.pop(0)
        if here is goal:
            return events
        for event, after in TRANSITIONS[here].items():
            if after not in seen:
                seen.add(after)
                frontier.append((after, (*events, event)))
    raise IllegalEvent(state, f"become {goal}", tuple(TRANSITIONS[state]))


def mermaid() -> str:
    """Return the table as a Mermaid state diagram, as the README shows it."""
    rows = ["stateDiagram-v2", "    [*] --> ready: file claimed"]
    arrows: dict[tuple[State, State], list[str]] = {}
    for here, events in TRANSITIONS.items():
        for event, after in events.items():
            arrows.setdefault((here, after), []).append(event.value)
    rows += [f"    {a} --> {b}: {' / '.join(names)}" for (a, b), names in arrows.items()]
    return "\n".join(rows)
