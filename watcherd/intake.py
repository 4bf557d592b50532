"""The intake of one inbox: what is seen becomes a candidate, what settles is claimed.

Touches the inbox, so it lives on the thread of its inbox's lane. It decides nothing itself:
`match` says what is left alone, `settle` when a file may be taken, `claiming` how.
"""

from __future__ import annotations

import errno
import heapq
import os
import time
from typing import TYPE_CHECKING

from watcherd import claiming, endmark, lease, settle
from watcherd.backlog import STUCK, Backlog
from watcherd.ledger import Waiting
from watcherd.match import ignored_path
from watcherd.observer import Hint, HintKind
from watcherd.rounds import Rounds
from watcherd.settle import Settled, SettlePolicy, Sighting

if TYPE_CHECKING:
    from collections.abc import Callable

    from watcherd.backlog import Candidate
    from watcherd.config import Inbox
    from watcherd.jobdir import JobDir
    from watcherd.log import Logger
    from watcherd.model import Fingerprint, Options
    from watcherd.rounds import Walked
    from watcherd.spool import Spool

SHOWN = 200
"""Waiting files that a snapshot names; the rest is counted."""

_LOOKS = 250
"""Candidates that are looked at before the lane does what else is due: 20 ms on a local disk."""

_FULL = (errno.ENOSPC, errno.EDQUOT)
_RETRY_SECONDS = 15.0


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
        self.backlog = Backlog()
        self.rounds = Rounds(inbox, spool, self.backlog)
        self.trouble: str | None = None
        self.taken: Callable[[bytes, Fingerprint], bool] = lambda _name, _found: False
        self._walked: Walked | None = None
        self._fault: OSError | None = None
        self._held: tuple[str, str] | None = None

    # What is seen

    def hint(self, hint: Hint, now: float) -> None:
        """Note that there may be something at a path; whether there is, `tick` will see."""
        relative = os.path.relpath(hint.path, os.fsencode(self.inbox.path))
        if relative == b".":
            self.rescan(now)
            return
        if relative.startswith(b"../") or ignored_path(relative, self.inbox.ignore):
            return
        if hint.kind is HintKind.DIRECTORY:
            self.rounds.plan(relative, now)
            return
        created, closed = hint.kind is HintKind.CREATED, hint.kind is HintKind.CLOSED
        if self.backlog.hear(relative, time.time(), created=created, closed=closed) is not None:
            self.backlog.look_at(relative, now)

    def rescan(self, now: float) -> None:
        """Have the whole inbox walked; `tick` does it, and `take_walked` says when it is done."""
        self.rounds.plan(b"", now)

    def take_walked(self) -> Walked | None:
        """Return, once, what the last walk of the whole inbox has found since the last call."""
        walked, self._walked = self._walked, None
        return walked

    def _note_walk(self, walked: Walked, now: float) -> None:
        event, text = walked.trouble or ("", None)
        self._trouble(text, event, now)
        if walked.whole:
            self._walked = walked

    def _kept(self, relative: bytes, found: Fingerprint) -> bool:
        if self.inbox.originals != "keep":
            return False
        return claiming.kept_marker(self.spool, self.inbox, relative, found).exists()

    # What is taken

    def next_due(self) -> float | None:
        """Return when the next look or walk is due, None if nothing waits for one."""
        times = (self.rounds.next_due(), self.backlog.next_due())
        return min((when for when in times if when is not None), default=None)

    def tick(self, now: float, room: int) -> list[JobDir]:
        """Go on with the walks, look at what is due, claim what has settled; return the jobs.

        At most `room` files are claimed; without room none is looked at.
        """
        if (walked := self.rounds.step(now)) is not None:
            self._note_walk(walked, now)
        claimed: list[JobDir] = []
        self._fault = None
        for _ in range(_LOOKS):
            if len(claimed) >= room or self._fault:
                break
            if (relative := self.backlog.take_due(now)) is None:
                break
            if (job := self._look(relative, now)) is not None:
                claimed.append(job)
        return claimed

    def complain(self) -> None:
        """Raise the fault of the machine that ended the last `tick`, if one did."""
        if self._fault is not None:
            raise self._fault

    def _look(self, relative: bytes, now: float) -> JobDir | None:
        candidate = self.backlog.candidates[relative]
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
        self.backlog.look_at(relative, verdict.again)
        return None

    def _claim(
        self, relative: bytes, candidate: Candidate, settled: Settled, now: float
    ) -> JobDir | None:
        if self._kept(relative, settled.fingerprint):
            self.backlog.forget(relative)
            return None
        if self.taken(relative, settled.fingerprint):
            self.backlog.look_at(relative, now + _RETRY_SECONDS)  # its copy is a job; it will go
            return None
        try:
            found = settled.fingerprint
            job = claiming.claim(self.spool, self.inbox, relative, found, self.options)
        except claiming.Changed:
            self.backlog.look_at(relative, now + settle.FIRST_PAUSE)
            return None
        except OSError as error:
            if error.errno in _FULL:
                self._fault = error
                self.backlog.look_at(relative, now)
                return None
            says = (
                f"it cannot be taken: {error.strerror} ({error.filename}); "
                "the daemon needs to write in its folder and in the spool"
            )
            self._say(relative, candidate, "not-claimable", says)
            self.backlog.look_at(relative, now + _RETRY_SECONDS)
            return None
        self.backlog.forget(relative)
        self._log.info("file_claimed", job=job.job, source=relative, because=settled.because)
        return job

    def _cannot_look(
        self, relative: bytes, candidate: Candidate, error: OSError, now: float
    ) -> None:
        # EINVAL, ELOOP, ENXIO: not a regular file after all.
        gone = (errno.ENOENT, errno.ENOTDIR, errno.EINVAL, errno.ELOOP, errno.ENXIO)
        if error.errno in gone:
            self.backlog.forget(relative)
            return
        says = f"it cannot be read: {error.strerror}; let the daemon's user read it"
        self._say(relative, candidate, "unreadable", says)
        self.backlog.look_at(relative, now + _RETRY_SECONDS)

    # What is said

    def _say(self, relative: bytes, candidate: Candidate, why: str, says: str) -> None:
        if self.backlog.say(candidate, why, says):
            (self._log.warning if why in STUCK else self._log.debug)(
                "file_waits", source=relative, why=why, says=says
            )

    def _trouble(self, text: str | None, event: str, now: float) -> None:
        if text == self.trouble:
            return
        self.trouble, self.backlog.changed = text, True
        if text:
            self._log.error(event, says=text)
        else:
            self._log.info("inbox_recovered")
            for relative, candidate in self.backlog.candidates.items():
                if candidate.why in STUCK:
                    self.backlog.look_at(relative, now)

    def hold(self, *, paused: bool, in_work: int, ahead: int) -> None:
        """Note what keeps every file from being taken, whatever the file itself waits for."""
        held = None
        if paused:
            held = "paused", f"the inbox is paused; `watcherd resume {self.inbox.name}` ends that"
        elif in_work >= ahead:
            says = f"it waits for its turn: {in_work} documents of this inbox are in work"
            held = "no-place", says
        if held != self._held:
            self._held, self.backlog.changed = held, True

    def snapshot(self) -> list[Waiting]:
        """Return the candidates that have waited for the longest, as the ledger shows them."""
        self.backlog.changed = False
        rows: list[Waiting] = []
        candidates = self.backlog.candidates.items()
        for relative, one in heapq.nsmallest(SHOWN, candidates, key=lambda named: named[1].since):
            held = None if one.why in STUCK else self._held
            why, says = held or (one.why, one.says)
            rows.append(Waiting(self.inbox.name, relative, one.size, one.since, why, says))
        return rows
