"""The intake of one inbox: what is seen becomes a candidate, what settles is claimed.

Touches the inbox, so it lives on the thread of its inbox's lane. It decides nothing itself:
`match` says what is left alone, `settle` when a file may be taken, `claiming` how.
"""

from __future__ import annotations

import errno
import heapq
import itertools
import math
import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from watcherd import claiming, endmark, lease, settle
from watcherd.ledger import Waiting
from watcherd.match import ignored_path
from watcherd.observer import Hint, HintKind
from watcherd.scan import Scan
from watcherd.settle import Settled, SettlePolicy, Sighting, Watched

if TYPE_CHECKING:
    from collections.abc import Callable

    from watcherd.config import Inbox
    from watcherd.jobdir import JobDir
    from watcherd.log import Logger
    from watcherd.model import Fingerprint, Options
    from watcherd.spool import Spool

SHOWN = 200
"""Waiting files that a snapshot names; the rest is counted."""

_STUCK = ("unreadable", "not-claimable", "still-open", "still-growing")
_FULL = (errno.ENOSPC, errno.EDQUOT)
_RETRY_SECONDS = 15.0
_SECOND_LOOK = 1.0
_SLACK = 64


@dataclass(slots=True)
class Candidate:
    """A file that is seen and not claimed."""

    size: int
    since: float  # wall clock, for display
    close_seen: bool | None = None
    watched: Watched | None = None
    due: float = math.inf  # monotonic, of its next look
    why: str = "seen"
    says: str = "it was seen and will be looked at"


class Intake:
    """The candidates of one inbox."""

    def __init__(
        self,
        inbox: Inbox,
        spool: Spool,
        options: Options,
        policy: SettlePolicy,
        log: Logger,
        *,
        ask_writer: bool,
    ) -> None:
        """Begin with no candidates; `ask_writer` is false where leases say nothing."""
        self.inbox, self.spool, self.options = inbox, spool, options
        self._policy, self._log, self._ask_writer = policy, log, ask_writer
        self.candidates: dict[bytes, Candidate] = {}
        self._due: list[tuple[float, int, bytes]] = []
        self._order = 0
        self._scans: dict[bytes, tuple[float, float]] = {}  # of a folder, the next and the last
        self.trouble: str | None = None
        self.changed = True  # since the last snapshot
        self.taken: Callable[[bytes, Fingerprint], bool] = lambda _name, _found: False
        self._fault: OSError | None = None
        self._held: tuple[str, str] | None = None

    # What is seen

    def hint(self, hint: Hint, now: float) -> None:
        """Note that there may be something at a path; whether there is, `tick` will see."""
        relative = os.path.relpath(hint.path, os.fsencode(self.inbox.path))
        if relative == b".":
            self._scans[b""] = (now, now)
            return
        if relative.startswith(b"../") or ignored_path(relative, self.inbox.ignore):
            return
        if hint.kind is HintKind.DIRECTORY:
            # Files may appear in it before the watch on it does: look now, and once more.
            first, _ = self._scans.get(relative, (now, now))
            self._scans[relative] = (min(first, now), now + _SECOND_LOOK)
            return
        candidate = self.candidates.get(relative) or self._add(relative, 0)
        if hint.kind is HintKind.CREATED:
            candidate.close_seen = False
        elif candidate.close_seen is False or hint.kind is HintKind.CLOSED:
            candidate.close_seen = True
        self._look_at(relative, now)

    def rescan(self, now: float) -> int:
        """Walk the inbox; return how many files were found that no hint had told of."""
        return self._walk(b"", now)

    def _walk(self, below: bytes, now: float) -> int:
        scan = Scan(self.inbox.path, self.inbox.ignore)
        fresh, seen = 0, set[bytes]()
        try:
            for relative, found in scan.files(below):
                seen.add(relative)
                if relative not in self.candidates and not self._kept(relative, found):
                    self._add(relative, found.size)
                    self._look_at(relative, now)
                    fresh += 1
        except OSError as error:
            self._trouble(f"{self.inbox.path}: {error.strerror}", "inbox_unreadable", now)
            return 0
        if not below:
            self._scans = {f: (a, b) for f, (a, b) in self._scans.items() if b > now}
            for gone in self.candidates.keys() - seen:
                self._forget(gone)
            blind = "; ".join(f"{os.fsdecode(f)}: {why}" for f, why in scan.blind[:3])
            self._trouble(blind or None, "folder_unreadable", now)
        return fresh

    def _add(self, relative: bytes, size: int) -> Candidate:
        candidate = self.candidates[relative] = Candidate(size, time.time())
        self.changed = True
        return candidate

    def _forget(self, relative: bytes) -> None:
        self.candidates.pop(relative, None)
        self.changed = True

    def _look_at(self, relative: bytes, when: float) -> None:
        candidate = self.candidates[relative]
        if candidate.due <= when:
            return
        candidate.due = when
        if len(self._due) > 2 * len(self.candidates) + _SLACK:  # of what is gone or came earlier
            self._due = [d for d in self._due if self._dated(d[2]) == d[0]]
            heapq.heapify(self._due)
        self._order += 1
        heapq.heappush(self._due, (when, self._order, relative))

    def _dated(self, relative: bytes) -> float | None:
        candidate = self.candidates.get(relative)
        return candidate.due if candidate else None

    def _kept(self, relative: bytes, found: Fingerprint) -> bool:
        if self.inbox.originals != "keep":
            return False
        return claiming.kept_marker(self.spool, self.inbox, relative, found).exists()

    # What is taken

    def next_due(self) -> float | None:
        """Return when the next look is due, None if nothing waits for one."""
        times = [self._due[0][0]] if self._due else []
        return min(times + [when for when, _ in self._scans.values()], default=None)

    def tick(self, now: float, room: int) -> list[JobDir]:
        """Look at what is due and claim what has settled, at most `room` files; return the jobs."""
        for below, (first, last) in list(self._scans.items()):
            if first <= now:
                del self._scans[below]
                if last > now:
                    self._scans[below] = (last, last)
                self._walk(below, now)
        claimed: list[JobDir] = []
        self._fault = None
        while self._due and self._due[0][0] <= now and len(claimed) < room and not self._fault:
            when, _, relative = heapq.heappop(self._due)
            if self._dated(relative) != when:
                continue  # claimed or gone, or to be looked at another time
            self.candidates[relative].due = math.inf
            if (job := self._look(relative, now)) is not None:
                claimed.append(job)
        return claimed

    def complain(self) -> None:
        """Raise the fault of the machine that ended the last `tick`, if one did."""
        if self._fault is not None:
            raise self._fault

    def _look(self, relative: bytes, now: float) -> JobDir | None:
        candidate = self.candidates[relative]
        path = claiming.inbox_path(self.inbox, relative)
        try:
            peek = lease.peek(path, ask_writer=self._ask_writer)
        except OSError as error:
            self._cannot_look(relative, candidate, error, now)
            return None
        ending = endmark.ending(peek.head, peek.tail, peek.fingerprint.size)
        seen = Sighting(now, peek.fingerprint, peek.writer, ending, candidate.close_seen)
        candidate.size = peek.fingerprint.size
        candidate.watched, verdict = settle.look(candidate.watched, seen, self._policy)
        if isinstance(verdict, Settled):
            return self._claim(relative, candidate, verdict, now)
        self._say(relative, candidate, verdict.why, verdict.sentence)
        self._look_at(relative, verdict.again)
        return None

    def _claim(
        self, relative: bytes, candidate: Candidate, settled: Settled, now: float
    ) -> JobDir | None:
        if self._kept(relative, settled.fingerprint):
            self._forget(relative)
            return None
        if self.taken(relative, settled.fingerprint):
            self._look_at(relative, now + _RETRY_SECONDS)  # its copy is a job; it will go
            return None
        try:
            found = settled.fingerprint
            job = claiming.claim(self.spool, self.inbox, relative, found, self.options)
        except claiming.Changed:
            self._look_at(relative, now + settle.FIRST_PAUSE)
            return None
        except OSError as error:
            if error.errno in _FULL:
                self._fault = error
                self._look_at(relative, now)
                return None
            says = (
                f"it cannot be taken: {error.strerror} ({error.filename}); "
                "the daemon needs to write in its folder and in the spool"
            )
            self._say(relative, candidate, "not-claimable", says)
            self._look_at(relative, now + _RETRY_SECONDS)
            return None
        self._forget(relative)
        self._log.info("file_claimed", job=job.job, source=relative, because=settled.because)
        return job

    def _cannot_look(
        self, relative: bytes, candidate: Candidate, error: OSError, now: float
    ) -> None:
        # EINVAL, ELOOP, ENXIO: not a regular file after all.
        gone = (errno.ENOENT, errno.ENOTDIR, errno.EINVAL, errno.ELOOP, errno.ENXIO)
        if error.errno in gone:
            self._forget(relative)
            return
        says = f"it cannot be read: {error.strerror}; let the daemon's user read it"
        self._say(relative, candidate, "unreadable", says)
        self._look_at(relative, now + _RETRY_SECONDS)

    # What is said

    def _say(self, relative: bytes, candidate: Candidate, why: str, says: str) -> None:
        if candidate.why == why:
            return
        candidate.why, candidate.says = why, says
        self.changed = True
        (self._log.warning if why in _STUCK else self._log.debug)(
            "file_waits", source=relative, why=why, says=says
        )

    def _trouble(self, text: str | None, event: str, now: float) -> None:
        if text == self.trouble:
            return
        self.trouble, self.changed = text, True
        if text:
            self._log.error(event, says=text)
        else:
            self._log.info("inbox_recovered")
            for relative, candidate in self.candidates.items():
                if candidate.why in _STUCK:
                    self._look_at(relative, now)

    @property
    def restless(self) -> bool:
        """Whether some candidate will come to something without a person's help."""
        return any(c.why not in _STUCK for c in self.candidates.values())

    def hold(self, *, paused: bool, in_work: int, ahead: int) -> None:
        """Note what keeps every file from being taken, whatever the file itself waits for."""
        held = None
        if paused:
            held = "paused", f"the inbox is paused; `watcherd resume {self.inbox.name}` ends that"
        elif in_work >= ahead:
            says = f"it waits for its turn: {in_work} documents of this inbox are in work"
            held = "no-place", says
        self.changed, self._held = self.changed or held != self._held, held

    def snapshot(self) -> list[Waiting]:
        """Return the first of the candidates, as the ledger shows them."""
        self.changed = False
        rows: list[Waiting] = []
        for relative, one in itertools.islice(self.candidates.items(), SHOWN):
            held = None if one.why in _STUCK else self._held
            why, says = held or (one.why, one.says)
            rows.append(Waiting(self.inbox.name, relative, one.size, one.since, why, says))
        return rows
