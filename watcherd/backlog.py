"""The backlog of an inbox: its candidates, and the number of the files behind them.

A candidate is remembered until it is claimed, for what was seen of it decides when it settles. The
files behind it may be any number: they are counted, and walks of the inbox find them again when
there is room for them. No clock, no disk.
"""

from __future__ import annotations

import heapq
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from watcherd.settle import Watched

HELD = 1000
"""Candidates that are remembered at most, but for those that wait for a person: about 0.5 MB, and
one walk of the inbox for every 500 documents behind them."""

STUCK = ("unreadable", "not-claimable", "still-open", "still-growing")
"""What a candidate waits for that does not end without a person."""

_MOST = 10 * HELD
"""Candidates up to which files are remembered that were begun and not closed."""

_SLACK = 64


@dataclass(slots=True)
class Candidate:
    """A file that is seen and not claimed."""

    size: int
    since: float  # wall clock, for display
    walk: int = 0  # the last that met it, or that went on when it came
    close_seen: bool | None = None
    watched: Watched | None = None
    due: float = math.inf  # monotonic, of its next look
    why: str = "seen"
    says: str = "it was seen and will be looked at"


class Backlog:
    """What waits in one inbox."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.candidates: dict[bytes, Candidate] = {}
        self.further = 0  # files that are no candidates yet; exact when a walk has ended
        self.changed = True  # since somebody last set it to False
        self.walk = 0  # number of the last walk
        self.behind = b""  # the name after which those begin whose turn is next
        self._stuck = 0
        self._due: list[tuple[float, int, bytes]] = []
        self._order = 0

    def __len__(self) -> int:
        """Return how many files wait."""
        return len(self.candidates) + self.further

    @property
    def room(self) -> int:
        """How many more candidates there may be."""
        return max(HELD - len(self.candidates) + self._stuck, 0)

    @property
    def hungry(self) -> bool:
        """Whether a walk should look for more candidates: files wait, and there is room."""
        return bool(self.further) and self.room > HELD // 2

    @property
    def restless(self) -> bool:
        """Whether some file will come to something without a person's help."""
        return len(self.candidates) > self._stuck or bool(self.further)

    def add(self, name: bytes, size: int, since: float) -> Candidate:
        """Make a file a candidate."""
        candidate = self.candidates[name] = Candidate(size, since, self.walk)
        self.changed = True
        return candidate

    def hear(self, name: bytes, since: float, *, created: bool, closed: bool) -> Candidate | None:
        """Return the candidate that an event tells of; None where there is no room for it.

        What was created and not closed is a candidate even so: that is known from events alone.
        """
        candidate = self.candidates.get(name)
        if candidate is None:
            if not self.room and not (created and len(self.candidates) < _MOST):
                self.further += not closed  # what was only written to has been counted before
                self.changed = True
                return None
            candidate = self.add(name, 0, since)
        if created:
            candidate.close_seen = False
        elif candidate.close_seen is False or closed:
            candidate.close_seen = True
            if candidate.watched is None and len(self.candidates) - self._stuck > HELD:
                self.forget(name)
                self.further += 1
                return None
        return candidate

    def forget(self, name: bytes) -> None:
        """Forget a candidate: it is claimed, or gone."""
        candidate = self.candidates.pop(name, None)
        self._stuck -= candidate is not None and candidate.why in STUCK
        self.changed = True

    def say(self, candidate: Candidate, why: str, says: str) -> bool:
        """Note what a candidate waits for; return whether that is news."""
        if candidate.why == why:
            return False
        self._stuck += (why in STUCK) - (candidate.why in STUCK)
        candidate.why, candidate.says = why, says
        self.changed = True
        return True

    # When to look

    def look_at(self, name: bytes, when: float) -> None:
        """Have a candidate looked at, at that time or at one that was named before."""
        candidate = self.candidates[name]
        if candidate.due <= when:
            return
        candidate.due = when
        if len(self._due) > 2 * len(self.candidates) + _SLACK:  # of what is gone or came earlier
            self._due = [due for due in self._due if self._is_due(due)]
            heapq.heapify(self._due)
        self._order += 1
        heapq.heappush(self._due, (when, self._order, name))

    def _is_due(self, due: tuple[float, int, bytes]) -> bool:
        candidate = self.candidates.get(due[2])
        return candidate is not None and candidate.due == due[0]

    def next_due(self) -> float | None:
        """Return when the next look is due, or None; it may turn out to be superfluous."""
        return self._due[0][0] if self._due else None

    def take_due(self, now: float) -> bytes | None:
        """Return a candidate that is to be looked at now, None if there is none (any more)."""
        while self._due and self._due[0][0] <= now:
            due = heapq.heappop(self._due)
            if self._is_due(due):
                self.candidates[due[2]].due = math.inf
                return due[2]
        return None


class Survey:
    """What one walk shows of the files that are no candidates.

    Where there is not room for all, those come first whose names follow on the last that had to
    wait, round and round, so that each has its turn however many come meanwhile.
    """

    def __init__(self, backlog: Backlog) -> None:
        """Begin; the walk is the backlog's next."""
        self._backlog = backlog
        backlog.walk += 1
        self.others = 0  # files seen that are no candidates
        self._known = backlog.further
        self._first: list[tuple[bool, bytes]] = []
        self._bar: tuple[bool, bytes] | None = None  # what comes after it has no turn

    def see(self, name: bytes) -> None:
        """Note that there is a file of this name."""
        candidate = self._backlog.candidates.get(name)
        if candidate is not None:
            candidate.walk = self._backlog.walk
            return
        self.others += 1
        turn = (name <= self._backlog.behind, name)
        if self._bar is None or turn < self._bar:
            self._first.append(turn)
            if len(self._first) >= 2 * HELD:
                self._first.sort()
                del self._first[HELD:]
                self._bar = self._first[-1]

    def chosen(self) -> list[bytes]:
        """Return those for which there is room, in their order."""
        return [name for _, name in sorted(self._first)[: self._backlog.room]]

    def end(self, chosen: list[bytes], *, whole: bool) -> int:
        """Count what is left behind the chosen; return how many files nobody had told of.

        After a walk of the `whole` inbox candidates that it did not meet are forgotten. Events
        that came while it went on may tell of files that it has met, or of others: they stay
        counted until the next walk.
        """
        backlog, left = self._backlog, self.others - len(chosen)
        meanwhile = max(backlog.further - self._known, 0)
        if left and chosen:
            backlog.behind = chosen[-1]
        if whole:
            backlog.further = left + meanwhile
            for name, one in list(backlog.candidates.items()):
                if one.walk < backlog.walk:
                    backlog.forget(name)
        else:
            backlog.further = max(backlog.further, left)
        backlog.changed = True
        return max(self.others - self._known, 0)
