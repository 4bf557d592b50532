"""The clerk: keeps the ledger by what the lanes report, and answers what people ask."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from watcherd import publish
from watcherd.errors import IllegalEvent, WatcherdError
from watcherd.flights import events
from watcherd.jobfiles import Outcome
from watcherd.lifecycle import FINISHED, Event, State
from watcherd.orders import Conclude, Retry, Trace

if TYPE_CHECKING:
    from watcherd.config import Config
    from watcherd.filing import Filed
    from watcherd.flights import Ready
    from watcherd.jobfiles import Claim, Seal
    from watcherd.lane import Lane
    from watcherd.ledger import Job, Ledger, Request, Transition
    from watcherd.log import Logger
    from watcherd.orders import Restored, Snapshot
    from watcherd.reconcile import Fate

_GOALS = {"done": State.DONE, "failed": State.FAILED, "cancelled": State.CANCELLED,
          "skipped": State.SKIPPED}  # fmt: skip


class Clerk:
    """The one who writes job rows."""

    def __init__(self, config: Config, ledger: Ledger, log: Logger) -> None:
        """Begin with what the ledger holds."""
        self.config, self.ledger, self._log = config, ledger, log
        self._shown: dict[str, tuple[object, ...]] = {}
        self._ordered: set[int] = set()
        self._snapshots: dict[str, Snapshot] = {}
        self._silent: set[str] = set()
        self.failed = 0  # documents that failed since the start

    # What lanes report

    def sealed(self, lane: Lane, claim: Claim, seal: Seal) -> bool:
        """Enter a job that is ready; return True if it was new to the ledger."""
        known = self.ledger.knows(claim.job)
        self.ledger.add(
            claim.job, claim.inbox, claim.source, seal.size, seal.sha256, float(claim.at)
        )
        row = self.ledger.get(claim.job)
        if row.inbox != claim.inbox:  # it was renamed
            self.ledger.move(claim.job, inbox=claim.inbox)
        state = row.state
        if state in (State.FAILED, State.CANCELLED):
            self.ledger.move(claim.job, Event.REQUEUED, code=None, reason=None, filed=None)
        if not known and lane.inbox.duplicates == "skip":
            first = self.ledger.same(claim.inbox, seal.sha256, claim.job)
            if first is not None:
                lane.order(Conclude(claim.job, _duplicate(first.job)))
        return not known

    def ended(self, lane: Lane, filed: Filed) -> None:
        """Enter the outcome of a job whose original is filed."""
        claim, outcome = filed.claim, filed.outcome
        outbox = publish.Outbox(lane.inbox.outbox, lane.inbox.mode)
        self._shown.pop(claim.job, None)
        self.ledger.add(
            claim.job,
            claim.inbox,
            claim.source,
            claim.fingerprint.size,
            filed.sha256,
            float(claim.at),
        )
        total = self.ledger.get(claim.job).total
        self.failed += outcome.kind == "failed"
        try:
            self.ledger.reach(
                claim.job,
                _GOALS[outcome.kind],
                detail={"page": outcome.page} if outcome.page else None,
                outputs=[str(outbox.path / os.fsdecode(o)) for o in outcome.outputs],
                filed=str(filed.path) if filed.path else None,
                stage=outcome.stage,
                code=outcome.code,
                reason=outcome.reason,
                attempts=outcome.attempts,
                notes=outcome.notes,
                confidence=outcome.confidence,
                review=int(outcome.review),
                **({"current": total} if outcome.kind == "done" and total else {}),
            )
        except IllegalEvent as error:  # a ledger from a backup that is ahead of the spool
            self._log.error("ledger_disagrees", job=claim.job, says=str(error))

    def gone(self, job: str) -> None:
        """Enter that a job's directory is nowhere: somebody has removed it from the spool."""
        if self.ledger.knows(job) and self.ledger.get(job).state not in FINISHED:
            reason = "its directory is gone from the spool, and its original with it"
            self.ledger.reach(job, State.FAILED, code="lost", reason=reason)

    def recorded(self, lane: Lane, jobs: tuple[str, ...]) -> None:
        """Have finished jobs looked up that a ledger from a backup, or a new one, lacks."""
        for job in self.ledger.unknown(jobs):
            lane.order(Trace(job))

    def restored(self, report: Restored) -> None:
        """Answer a request for a retry."""
        self._ordered.discard(report.request)
        self.ledger.answer(
            report.request, report.problem or "it is ready again", ok=report.problem is None
        )

    def snapshot(self, lane: Lane, report: Snapshot) -> None:
        """Show what waits in an inbox."""
        self._snapshots[lane.inbox.name] = report
        self.ledger.set_waiting(
            lane.inbox.name, report.rows, report.count, report.watch, report.trouble
        )

    def mind(self, lane: Lane, now: float) -> None:
        """Tell that a lane hangs, and when it goes on: it cannot say so itself."""
        name, last = lane.inbox.name, self._snapshots.get(lane.inbox.name)
        silent = lane.silent(now)
        if last is None or silent == (name in self._silent):
            return
        if silent:
            self._silent.add(name)
            says = f"{lane.inbox.path} does not answer; its filesystem hangs, or is very slow"
            self._log.error("inbox_hangs", inbox=name, says=says)
            self.ledger.set_waiting(name, last.rows, last.count, last.watch, says)
        else:
            self._silent.discard(name)
            self._log.info("inbox_answers", inbox=name)
            self.snapshot(lane, last)

    # Progress

    def progress(self, job: Ready, state: State, ended: Fate | None) -> None:
        """Bring a job's row up to what its directory and its flights show."""
        facts = job.facts
        current, total = len(facts.landed), facts.pages
        stage = "pdf" if total is not None and current == total else "ocr"
        worst = max(
            (
                sum(t.ended for t in facts.tries if t.key == key)
                for key in {t.key for t in facts.tries}
            ),
            default=0,
        )
        shown = (state, stage, current, total, worst)
        if self._shown.get(job.job) == shown:
            return
        row = self.ledger.get(job.job)
        if row.state in FINISHED:
            return
        steps = events(row.state, state, ended)
        if not steps and row.state is State.RUNNING and current > row.current:
            steps = (Event.PROGRESSED,)
        self._shown[job.job] = shown
        self.ledger.move(job.job, *steps, stage=stage, current=current, total=total, attempts=worst)

    # What people ask

    def requests(self, lanes: dict[str, Lane]) -> None:
        """Take up what is asked and not yet answered."""
        for request in self.ledger.open_requests():
            if request.id not in self._ordered:
                try:
                    self._take_up(request, lanes)
                except WatcherdError as error:
                    self.ledger.answer(request.id, str(error), ok=False)

    def _take_up(self, request: Request, lanes: dict[str, Lane]) -> None:
        if request.verb in ("pause", "resume"):
            self.config.inbox(request.target)
            paused = request.verb == "pause"
            self.ledger.pause(request.target, paused=paused)
            if lane := lanes.get(request.target):
                lane.paused = paused
                lane.wake()
            self._log.info(f"inbox_{request.verb}d", inbox=request.target)
            self.ledger.answer(request.id, f"{request.target} is {request.verb}d", ok=True)
            return
        job = self.ledger.get(request.target)
        lane = lanes.get(job.inbox)
        if lane is None:
            self.config.inbox(job.inbox)  # raises where there is none: that is the answer
            # It is not open yet; the request waits for it.
        elif request.verb == "cancel":
            self._cancel(request, job.state, lane)
        elif job.state in (State.FAILED, State.CANCELLED):
            self._ordered.add(request.id)
            lane.order(Retry(job.job, request.id))
        else:
            self.ledger.answer(
                request.id, f"it is {job.state}, so there is nothing to retry", ok=False
            )

    def _cancel(self, request: Request, state: State, lane: Lane) -> None:
        seen = lane.work.view.get(request.target)
        outcome = seen[1].outcome if seen else None
        if state in FINISHED or outcome:
            says = f"it is {outcome or state} already"
            if outcome:
                says += "; its original is still to be filed, see `watcherd status`"
            self.ledger.answer(request.id, says, ok=False)
            return
        lane.order(
            Conclude(
                request.target,
                Outcome(
                    "cancelled",
                    int(time.time()),
                    code="cancelled",
                    reason="a person cancelled it; `watcherd retry` takes it up again",
                ),
            )
        )
        self.ledger.answer(request.id, "it is being cancelled", ok=True)


def _duplicate(first: str) -> Outcome:
    return Outcome(
        "skipped",
        int(time.time()),
        code="duplicate",
        reason=f"the same bytes are job {first} already",
    )


def say(log: Logger, job: Job, step: Transition) -> None:
    """Write the log line of a job's step; it derives from the row."""
    line = log.bind(job=job.job, inbox=job.inbox)
    facts = {
        k: v
        for k, v in (
            ("stage", job.stage),
            ("page", job.current or None),
            ("pages", job.total),
            ("code", job.code),
        )
        if v is not None
    }
    name = f"job_{step.event}"
    if step.after == "failed":
        line.error(name, source=job.source, reason=job.reason, **facts)
    elif step.after in ("done", "skipped", "cancelled"):
        line.info(
            name,
            source=job.source,
            outputs=list(job.outputs),
            seconds=round(time.time() - job.created, 2),
            **facts,
        )
    else:
        line.debug(name, **facts)
