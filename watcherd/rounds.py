"""The rounds through an inbox: what walks see becomes candidates, a slice of a walk at a time.

Between two slices the lane does what else is due, so that an inbox of any size holds up nothing.
"""

from __future__ import annotations

import itertools
import os
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from watcherd import claiming
from watcherd.backlog import Survey
from watcherd.scan import Rest, Scan

if TYPE_CHECKING:
    from collections.abc import Iterator

    from watcherd.backlog import Backlog
    from watcherd.config import Inbox
    from watcherd.model import Fingerprint
    from watcherd.spool import Spool

_SLICE = 5000
"""Files that are seen at a time: some 20 ms on a local disk."""

_FOLDER = 10
"""Files that cost as much as the beginning of a walk."""

_SECOND_LOOK = 1.0
"""Seconds after which a new folder is walked once more: files may appear in it before the watch
on it does."""

_PAUSE = 1.0
"""Seconds between two walks that look for more candidates."""


@dataclass(frozen=True, slots=True)
class Walked:
    """A walk that has ended, of the whole inbox or with an error."""

    whole: bool
    untold: int  # files found that no event had told of
    trouble: tuple[str, str] | None  # the name of a log event, and a sentence
    begun: float = field(default=0.0, compare=False)  # seconds, monotonic


class Rounds:
    """The walks of one inbox. Times are seconds, monotonic."""

    def __init__(self, inbox: Inbox, spool: Spool, backlog: Backlog) -> None:
        """Begin with no walk; all that is found goes into the backlog."""
        self._inbox, self._backlog = inbox, backlog
        self.kept, self._rest = Kept(inbox, spool), Rest(inbox.path)
        self._plans: dict[bytes, tuple[float, float]] = {}  # of a folder, the next and the last
        self._going: _Walk | None = None
        self._more_at = 0.0

    def plan(self, folder: bytes, now: float) -> None:
        """Have a folder walked, or the whole inbox (`b""`), after the walk that goes on."""
        first, _ = self._plans.get(folder, (now, now))
        self._plans[folder] = (min(first, now), now + _SECOND_LOOK if folder else now)

    def at_rest(self) -> bool:
        """Tell whether no folder has changed since the last walk, as far as their times tell.

        Files that were written to in their place are not told of.
        """
        return self._going is None and b"" not in self._plans and self._rest.lasts()

    def next_due(self) -> float | None:
        """Return when there is something to be done, None if there is not."""
        if self._going is not None:
            return self._going.begun
        times = [first for first, _ in self._plans.values()]
        return min(times + [self._more_at] * self._backlog.hungry, default=None)

    def step(self, now: float) -> Walked | None:
        """Go on; return what is to be said of a walk that has ended."""
        self._look_for_more(now)
        left, walked = _SLICE, None
        while left > 0 and (walk := self._going or self._next(now)) is not None:
            self._going = walk
            try:
                seen = walk.see(left)
            except OSError as error:
                says = f"{self._inbox.path}: {error.strerror}"
                walked = Walked(not walk.below, 0, ("inbox_unreadable", says), walk.begun)
                self._going = None
                break
            if seen < left:
                self._going = None
                walked = self._end(walk) or walked
            left -= seen + _FOLDER
        return walked

    def _look_for_more(self, now: float) -> None:
        if self._backlog.hungry and self._going is None and now >= self._more_at:
            self._more_at = now + _PAUSE
            self.plan(b"", now)

    def _next(self, now: float) -> _Walk | None:
        """Begin the next walk that is due."""
        below = next((f for f, (first, _) in self._plans.items() if first <= now), None)
        if below is None:
            return None
        _, last = self._plans.pop(below)
        if below and last > now:
            self._plans[below] = (last, last)
        if not below:  # it makes up for the others
            self._plans = {f: (last, last) for f, (_, last) in self._plans.items() if last > now}
        return _Walk(self._inbox, below, self._backlog, self.kept, now)

    def _end(self, walk: _Walk) -> Walked | None:
        untold = walk.admit()
        if walk.below:
            return None
        self.kept.end()
        blind = walk.scan.blind
        self._rest.note({} if blind else walk.scan.times, walk.seen, walk.begun)
        says = "; ".join(f"{os.fsdecode(f)}: {why}" for f, why in blind[:3])
        trouble = ("folder_unreadable", says) if blind else None
        return Walked(True, untold, trouble, walk.begun)


class _Walk:
    """One walk that goes on."""

    def __init__(
        self, inbox: Inbox, below: bytes, backlog: Backlog, kept: Kept, now: float
    ) -> None:
        self.below, self.begun, self.seen = below, now, 0
        self.scan = Scan(inbox.path, inbox.ignore)
        self._inbox, self._backlog, self._survey = inbox, backlog, Survey(backlog)
        self._files = kept.others(self.scan, below, backlog)

    def see(self, most: int) -> int:
        """See the next files, at most so many; return how many they were."""
        names = list(itertools.islice(self._files, most))
        for name in names:
            if name is not None:
                self._survey.see(name)
        self.seen += len(names)
        return len(names)

    def admit(self) -> int:
        """Make candidates of those for which there is room; return how many nobody told of."""
        chosen, clock = self._survey.chosen(), time.time()
        for name in chosen:
            try:
                status = claiming.inbox_path(self._inbox, name).lstat()
            except FileNotFoundError:
                continue  # gone meanwhile
            except OSError as error:  # in a folder that may be listed and not entered
                self.scan.blind.append((name, error.strerror or str(error)))
                continue
            self._backlog.add(name, status.st_size, min(status.st_ctime, clock))
            self._backlog.look_at(name, self.begun)
        return self._survey.end(chosen, whole=not self.below)


class Kept:
    """What was taken and stays in the inbox, so that not each walk asks for the marker of each.

    A marker that somebody removes by hand is missed after the next start.
    """

    def __init__(self, inbox: Inbox, spool: Spool) -> None:
        """Begin with asking."""
        self._inbox, self._spool = inbox, spool
        self._marks: dict[int, int] = {}  # by hash of its name, what the file was
        self._met: dict[int, int] = {}  # since the last whole walk

    def others(self, scan: Scan, below: bytes, backlog: Backlog) -> Iterator[bytes | None]:
        """Give the files of a scan, None for each that was taken."""
        if self._inbox.originals != "keep":
            return scan.names(below)
        return (
            None if name not in backlog.candidates and self._taken(name, found) else name
            for name, found in scan.files(below)
        )

    def end(self) -> None:
        """Forget what the last whole walk did not meet."""
        self._marks, self._met = self._met, {}

    def forget(self) -> None:
        """Ask for all markers again: some were removed."""
        self._marks, self._met = {}, {}

    def _taken(self, name: bytes, found: Fingerprint) -> bool:
        key = hash(name)
        # All of the fingerprint in one number, since a hundred thousand files may be kept.
        mark = (found.inode << 128) + (found.mtime_ns << 64) + found.size
        known = self._marks.get(key) == mark
        if known or claiming.kept_marker(self._spool, self._inbox, name, found).exists():
            self._met[key] = mark
            return True
        return False
