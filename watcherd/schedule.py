"""Which messages to submit next: order, fairness and the window, decided from values alone."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from watcherd.model import Message


@dataclass(frozen=True, slots=True)
class Waiting:
    """A job with work that could be submitted."""

    job: str
    inbox: str
    turn: int  # a running number of when it came or was last served
    flying: int  # its messages in flight
    messages: tuple[Message, ...] = field(default=())  # not in flight and due, in order
    alone: frozenset[Message] = frozenset()  # those of them that nothing may fly beside


def choose(jobs: Sequence[Waiting], window: int, flying: Counter[str]) -> list[Message]:
    """Return what to submit now, at most `window` messages.

    `flying` counts the messages in flight by inbox, of all jobs. The next place always goes to
    the job with the fewest messages in flight, among those to the inbox with the fewest, among
    those to the one whose turn was the longest ago: every job that is served goes to the end of
    the line. So the pages of books share the workers with every receipt that comes meanwhile,
    neither waits for the other's end, and an endless stream of receipts cannot starve a book.

    When a message that must fly alone has its turn, nothing more is chosen until nothing flies;
    then it is chosen alone. A job's other messages go before it.
    """
    by_inbox = Counter(flying)
    flying_of = {job.job: job.flying for job in jobs}
    turn_of = {job.job: job.turn for job in jobs}
    last = max(turn_of.values(), default=0)
    left = {job.job: _last_first(job) for job in jobs if job.messages}
    open_jobs = [job for job in jobs if job.messages]
    chosen: list[Message] = []
    while open_jobs and len(chosen) < window:
        best = min(
            open_jobs, key=lambda j: (flying_of[j.job], by_inbox[j.inbox], turn_of[j.job], j.job)
        )
        if left[best.job][-1] in best.alone:
            return chosen if chosen or flying.total() else left[best.job][-1:]
        chosen.append(left[best.job].pop())
        turn_of[best.job] = last = last + 1
        flying_of[best.job] += 1
        by_inbox[best.inbox] += 1
        if not left[best.job]:
            open_jobs.remove(best)
    return chosen


def _last_first(job: Waiting) -> list[Message]:
    """Return a job's messages, the next one at the end."""
    alone = [message for message in job.messages if message in job.alone]
    return [*reversed(alone), *(m for m in reversed(job.messages) if m not in job.alone)]
