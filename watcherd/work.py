"""The claimed jobs of one inbox: looked at on disk, sealed, adopted, filed.

Lives on the thread of the inbox's lane. What a job needs next is `reconcile`'s decision; this
module carries out the daemon's part of it and shows the rest in `view`.
"""

from __future__ import annotations

import os
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from watcherd import (
    claiming,
    endmark,
    files,
    filing,
    kinship,
    lease,
    naming,
    notices,
    reconcile,
    settle,
)
from watcherd.jobdir import JobDir
from watcherd.jobfiles import Claim, Outcome, Seal
from watcherd.kinship import Kin
from watcherd.reconcile import Stand
from watcherd.settle import Settled, SettlePolicy, Sighting, Watched

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from watcherd.config import Inbox
    from watcherd.filing import Filed
    from watcherd.model import Fingerprint, JobFacts
    from watcherd.spool import Spool

_BRISK, _SLOW = 0.05, 1.0
"""Seconds between two looks at jobs in work: brisk while things change, slow when they do not."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """A job is claimed and sealed: it is ready, or was found so."""

    claim: Claim
    seal: Seal


@dataclass(frozen=True, slots=True)
class Ended:
    """A job's outcome is filed."""

    filed: Filed


@dataclass(frozen=True, slots=True)
class Gone:
    """A job that the ledger believes in work is nowhere in the spool."""

    job: str


@dataclass(frozen=True, slots=True)
class Recorded:
    """The finished jobs of which the spool has a record, some perhaps of other inboxes."""

    jobs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Looked:
    """Something in `view` has changed."""


News: TypeAlias = Sealed | Ended | Gone | Recorded | Looked


class Work:
    """The jobs of one inbox that are claimed and not filed."""

    def __init__(
        self,
        inbox: Inbox,
        spool: Spool,
        told: tuple[str, ...],
        tell: Callable[[News], None],
        kin: Kin | None = None,
    ) -> None:
        """Begin with none; `adopt` finds them. `told` are the targets that hear of failures."""
        self.kin = kin or Kin(frozenset({inbox.name}), sole=False)
        self.inbox, self.spool, self._told, self._tell = inbox, spool, told, tell
        self.view: dict[str, tuple[Claim, JobFacts]] = {}  # replaced whole: others read it
        self._sealing: dict[str, Watched | None] = {}
        self.next_look = 0.0  # seconds, monotonic
        self._faults: dict[str, OSError | None] = {}  # of the last look, the last adoption
        self._changed_at = 0.0

    def __len__(self) -> int:
        """Return the number of jobs claimed and not filed."""
        return len(self.view) + len(self._sealing)

    @property
    def fault(self) -> OSError | None:
        """Why some job could not be dealt with, None if there is none."""
        return next((fault for fault in self._faults.values() if fault is not None), None)

    # Coming in

    def adopt(self, now: float) -> None:
        """Find this inbox's jobs by what is on disk, whatever the ledger knows of them."""
        faults: list[OSError] = []
        for name in os.listdir(self.spool.work):
            ended = JobDir(self.spool.work / name)
            if name.endswith(".ended") and kinship.claimant(ended) == self.inbox.name:
                with _noted(faults):
                    filing.settle_record(self.spool, ended, self.inbox)
                    self.trace(name.removesuffix(".ended"))
        for parked in self.spool.jobs(self.spool.parked):
            ours = parked.fingerprint() is not None and kinship.claimant(parked) == self.inbox.name
            if ours:
                with _noted(faults):  # a retry was interrupted
                    filing.restore(self.spool, parked.job, self.inbox)
        for job in self.spool.jobs():
            with _noted(faults):
                self._adopt_one(job, now)
        self._faults["adopt"] = faults[0] if faults else None

    def _adopt_one(self, job: JobDir, now: float) -> None:
        if job.job in self.view:
            if job.claim() is None and job.path.is_dir():  # damaged, but we know what it said
                job.write_claim(self.view[job.job][0])
        elif job.job not in self._sealing and kinship.owned(job, self.inbox, self.kin):
            self._sealing[job.job] = None  # what is sealed already passes through
            self.next_look = now

    def holds(self, relative: bytes, found: Fingerprint) -> bool:
        """Tell whether this very file was copied into a job, and only its unlinking is missing."""
        claims = (self.spool.job(name).claim() for name in self._sealing)
        return any(
            c is not None and c.copied and (c.source, c.fingerprint) == (relative, found)
            for c in claims
        )

    def trace(self, name: str) -> None:
        """Find out what became of a job that the ledger believes in work.

        The daemon may have been killed between the filing and its row, or the ledger may come
        from a backup.
        """
        job = self.spool.job(name)
        if job.path.is_dir() or job.path.with_name(f"{name}.ended").is_dir():
            return  # it is in work, or is being filed
        filed = filing.recorded(self.spool, name)
        if filed is None:
            self._tell(Gone(name))
        elif filed.claim.inbox == self.inbox.name:
            self._tell(Ended(filed))

    def recall(self) -> None:
        """Tell which jobs have ended: the ledger may come from a backup."""
        places = (self.spool.records, self.spool.parked)
        self._tell(Recorded(tuple(job.job for p in places for job in self.spool.jobs(p))))

    def take(self, jobs: list[JobDir], now: float) -> None:
        """Take over jobs that were claimed just now."""
        faults: list[OSError] = []
        for job in jobs:
            self._sealing[job.job] = None
        for job in jobs:
            with _noted(faults):
                self._seal(job, now)
        if faults:
            self._faults["look"] = faults[0]

    # Looking

    def look(self, now: float) -> None:
        """Look at every job on disk and do the daemon's part of what it needs.

        A job that cannot be dealt with holds up no other; `fault` says afterwards that there
        is one.
        """
        faults: list[OSError] = []
        for name in list(self._sealing):
            with _noted(faults):
                self._seal(self.spool.job(name), now)
        view = dict(self.view)
        for name, (claim, _) in self.view.items():
            with _noted(faults):
                facts = self.spool.job(name).facts()
                if facts is not None:
                    view[name] = (claim, facts)  # also if what follows cannot be done now
                if not self._advance(name, claim, facts):
                    del view[name]
        if view != self.view:
            self._changed_at = now
            self.view = view
            self._tell(Looked())
        self.next_look = now + min(max(_BRISK, (now - self._changed_at) / 20), _SLOW)
        self._faults["look"] = faults[0] if faults else None

    def _advance(self, name: str, claim: Claim, facts: JobFacts | None) -> bool:
        """Do what a job calls for; return whether it stays in this view."""
        job = self.spool.job(name)
        if facts is None:
            self.trace(name)
            return False
        stand = reconcile.stand(facts)
        if stand in (Stand.LOST, Stand.DROP):  # it was sealed once, so it is not merely unclaimed
            job.conclude(_lost(claim))  # it is filed at the next look
        elif stand is Stand.FILE:
            self._file(job, claim)
            return False
        elif stand is Stand.SEAL:
            self._sealing[name] = None  # it was written to after its seal
            return False
        return True

    def _file(self, job: JobDir, claim: Claim) -> None:
        outcome = job.outcome()
        if job.claim() is None:
            job.write_claim(claim)  # damaged, but we know what it said
        if outcome is not None and outcome.kind == "failed":
            notices.write(self.spool, self._failure(job.job, claim, outcome))
        self._tell(Ended(filing.file_away(self.spool, job, self.inbox)))

    def _failure(self, job: str, claim: Claim, outcome: Outcome) -> notices.Notice:
        return notices.Notice(
            notices.failure_id(job, outcome.at),
            self.inbox.name,
            naming.display(claim.source),
            "failure",
            self._told,
            int(time.time()),
            code=outcome.code,
            reason=outcome.reason,
        )

    def _show(self, name: str, claim: Claim, facts: JobFacts) -> None:
        self.view = {**self.view, name: (claim, facts)}

    def _seal(self, job: JobDir, now: float) -> None:
        """Seal a claimed file once its last writer has left it."""
        facts, claim = job.facts(), job.claim()
        if facts is None or claim is None or reconcile.stand(facts) is Stand.DROP:
            if not os.path.lexists(job.source):
                files.remove_tree(job.path)  # the claim never happened; the file is in its inbox
                self.trace(job.job)
            del self._sealing[job.job]
            return
        seal = job.read_seal() or (job.seal() if self._left(job, claim, now) else None)
        if seal is None:
            self.next_look = min(self.next_look, now + settle.FIRST_PAUSE)
            return
        claiming.release(self.spool, self.inbox, claim)
        del self._sealing[job.job]
        self._show(job.job, claim, job.facts() or facts)
        self._changed_at = self.next_look = now
        self._tell(Sealed(claim, seal))

    def _left(self, job: JobDir, claim: Claim, now: float) -> bool:
        """Tell whether nobody writes into the claimed file: a writer may have kept it open."""
        if claim.copied:
            return True  # the copy is ours alone, and was compared with its settled source
        peek = lease.peek(job.source)
        if peek.writer is not settle.Writer.OPEN and peek.fingerprint == claim.fingerprint:
            return True  # as it settled
        ending = endmark.ending(peek.head, peek.tail, peek.fingerprint.size)
        seen = Sighting(now, peek.fingerprint, peek.writer, ending)
        policy = SettlePolicy.auto(network=False)
        watched, verdict = settle.look(self._sealing[job.job], seen, policy)
        self._sealing[job.job] = watched
        return isinstance(verdict, Settled)


def _lost(claim: Claim) -> Outcome:
    return Outcome(
        "failed",
        int(time.time()),
        code="lost",
        reason=f"somebody removed the original of job {claim.job} from the spool while it was in "
        "work; drop the document again",
    )


@contextmanager
def _noted(faults: list[OSError]) -> Iterator[None]:
    try:
        yield
    except OSError as fault:
        faults.append(fault)
