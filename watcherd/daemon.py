"""The daemon: wiring and loop. Whatever is decided is decided elsewhere.

Lanes look after the folders, workers after the documents, the clerk after the ledger, traffic
after the broker. This thread brings them together; it touches no inbox.
"""

from __future__ import annotations

import os
import queue
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from watcherd import files, locks, log, notices, places, systemd
from watcherd.clerk import Clerk, say
from watcherd.errors import EnvironmentFault, Newer, Occupied
from watcherd.flights import Ready
from watcherd.lane import Lane
from watcherd.ledger import Ledger
from watcherd.orders import Report, Restored, Snapshot, Trace
from watcherd.spool import Spool
from watcherd.traffic import Traffic
from watcherd.work import Ended, Gone, Looked, Recorded, Sealed

if TYPE_CHECKING:
    from pathlib import Path

    from watcherd.config import Config, Inbox
    from watcherd.reconcile import Fate

_TICK = 0.5  # seconds between two looks for requests
_REPORTS = 250
"""Reports that are entered before the daemon does what else is due: some 0.1 s of ended jobs."""

_BEAT = 2.0
_OPEN_PAUSE = 5.0
_PRUNE_PAUSE = 3600.0
_JOIN = 5.0


@dataclass(frozen=True, slots=True)
class Opened:
    """A lane is ready to start."""

    lane: Lane
    because: str  # of its spool's place


@dataclass(frozen=True, slots=True)
class Unopened:
    """An inbox cannot be opened now."""

    inbox: Inbox
    fault: EnvironmentFault | OSError


_Said: TypeAlias = "tuple[Lane, Report] | Opened | Unopened | None"


class Daemon:
    """The one process that claims, files, and keeps the ledger."""

    def __init__(self, config: Config) -> None:
        """Open the ledger; raise `EnvironmentFault` if it cannot be used, or is in use."""
        self.config = config
        self._log = log.get()
        files.make_root(config.state_dir, mode=0o750)
        says = f"another watcherd daemon works with {config.state_dir}; stop it first"
        self._held = locks.hold(config.state_dir / "daemon.lock", says)
        self._ledger = Ledger(config.state_dir / "ledger.db", told=partial(say, self._log))
        self._clerk = Clerk(config, self._ledger, self._log)
        self._traffic = Traffic(config, self._log)
        self._lanes: dict[str, Lane] = {}
        self._spools: dict[Path, Spool] = {}
        self._troubles: dict[str, str] = {}
        self._bell: queue.SimpleQueue[_Said] = queue.SimpleQueue()
        self._opening: dict[str, threading.Thread] = {}
        self._spool_locks: dict[Path, threading.Lock] = {}
        self._started = time.time()
        self._beat_due = self._open_due = self._prune_due = 0.0
        self._mark = -1
        self._stopping = False

    @property
    def failed(self) -> int:
        """The number of documents that failed since the start."""
        return self._clerk.failed

    @property
    def unopened(self) -> tuple[str, ...]:
        """The names of inboxes that could not be opened so far."""
        return tuple(self._troubles)

    def stop(self) -> None:
        """Ask the loop to end; may be called from a signal handler."""
        self._stopping = True
        self._bell.put(None)

    def run(self, *, until_idle: bool = False) -> None:
        """Work until told to stop, or until nothing is left to be done."""
        try:
            self._open_lanes(time.monotonic())
            systemd.notify("READY=1")
            self._log.info(
                "daemon_started", inboxes=len(self.config.inboxes), window=self._traffic.window
            )
            while not self._stopping and not (until_idle and self._idle()):
                self._step(time.monotonic())
                self._listen()
        finally:
            systemd.notify("STOPPING=1")
            for lane in self._lanes.values():
                lane.stop()
            end = time.monotonic() + _JOIN  # one that hangs in the kernel is left behind
            for lane in self._lanes.values():
                lane.join(timeout=max(end - time.monotonic(), 0.0))
            self._log.info("daemon_stopped")
            self._ledger.close()

    # Lanes

    def _open_lanes(self, now: float) -> None:
        """Open the inboxes that are not open yet: a mount may come late.

        On a thread of its own each: a mount that hangs must not hold up the others.
        """
        if now < self._open_due:
            return
        self._open_due = now + _OPEN_PAUSE
        for inbox in self.config.inboxes:
            before = self._opening.get(inbox.name)
            if inbox.name in self._lanes:
                continue
            if before is not None and before.is_alive():
                self._not_opened(inbox, f"{inbox.path} does not answer; its filesystem hangs")
            else:
                opening = threading.Thread(target=self._open, args=(inbox,), daemon=True)
                self._opening[inbox.name] = opening
                opening.start()

    def _open(self, inbox: Inbox) -> None:
        """Prepare an inbox's lane; runs on a thread of its own."""
        try:
            served = any(name == inbox.name for name, _ in self._ledger.counts())
            places.make_folders(inbox, served=served)
            choice = places.choose(self.config, inbox)
            with self._spool_locks.setdefault(choice.path, threading.Lock()):
                spool = self._spools.get(choice.path)
                if spool is None:
                    spool = Spool.make(choice.path)
                    spool.lock()
                    self._spools[choice.path] = spool
            lane = Lane(self.config, inbox, spool, self._log.bind(inbox=inbox.name), self._report)
        except (EnvironmentFault, OSError) as fault:
            self._bell.put(Unopened(inbox, fault))
        else:
            self._bell.put(Opened(lane, choice.why))

    def _opened(self, opened: Opened) -> None:
        lane, name = opened.lane, opened.lane.inbox.name
        self._lanes[name] = lane
        self._troubles.pop(name, None)
        self._mark = -1  # requests may have waited for this
        row = self._ledger.inboxes().get(name)
        lane.paused = row is not None and row.paused
        for job in self._ledger.unfinished():
            if job.inbox == name:
                lane.order(Trace(job.job))
        self._log.info(
            "inbox_opened",
            inbox=name,
            folder=str(lane.inbox.path),
            watch=lane.watch,
            spool=str(lane.spool.root),
            because=opened.because,
        )
        lane.start()

    def _not_opened(self, inbox: Inbox, says: str) -> None:
        if self._troubles.get(inbox.name) != says:
            self._troubles[inbox.name] = says
            self._log.error("inbox_not_open", inbox=inbox.name, says=says)
            self._ledger.set_waiting(inbox.name, (), 0, inbox.watch, says)

    def _report(self, lane: Lane, report: Report) -> None:
        """Take a report; called on the lanes' threads."""
        self._bell.put((lane, report))

    # The loop

    def _listen(self) -> None:
        """Wait for reports and enter them, until there are none, or very many."""
        with suppress(queue.Empty):
            self._enter(self._bell.get(timeout=_TICK))
            for _ in range(_REPORTS):
                self._enter(self._bell.get_nowait())

    def _enter(self, said: _Said) -> None:
        match said:
            case Opened():
                self._opened(said)
            case Unopened(_, (Occupied() | Newer()) as fault):
                raise fault
            case Unopened(inbox, fault):
                self._not_opened(inbox, str(fault))
            case (lane, report):
                self._enter_report(lane, report)

    def _enter_report(self, lane: Lane, report: Report) -> None:
        match report:
            case Sealed(claim, seal):
                if self._clerk.sealed(lane, claim, seal):
                    self._traffic.know(claim.job)
            case Ended(filed):
                self._clerk.ended(lane, filed)
                if filed.outcome.kind == "failed" and lane.inbox.notify:
                    notice = notices.failure_id(filed.claim.job, filed.outcome.at)
                    self._traffic.tell([notice], time.monotonic())
            case Gone(job):
                self._clerk.gone(job)
            case Recorded(jobs):
                self._clerk.recorded(lane, jobs)
            case Restored():
                self._clerk.restored(report)
            case Snapshot():
                self._clerk.snapshot(lane, report)
            case Looked():
                pass  # `_step` reads the view

    def _step(self, now: float) -> None:
        for lane in self._lanes.values():
            if lane.failure is not None:
                raise RuntimeError(f"the lane of {lane.inbox.name} died") from lane.failure
            self._clerk.mind(lane, now)
        self._open_lanes(now)
        jobs = self._jobs(now)
        grounded = {g.message.job: g for g in self._traffic.tick(jobs, now)}
        for name, job in jobs.items():
            ended: Fate | None = grounded[name].fate if name in grounded else None
            self._clerk.progress(job, self._traffic.state(job), ended)
        if now >= self._beat_due:
            self._beat_due = now + _BEAT
            self._ledger.beat(os.getpid(), self._started, self._traffic.trouble)
            for lane in self._lanes.values():
                self._traffic.tell(lane.due_notices, now)
            systemd.notify("WATCHDOG=1")
        if now >= self._prune_due:
            # A few at a time, so that a long history does not hold up the loop.
            more = self._ledger.prune(time.time() - self.config.keep_history_days * 86400.0)
            self._prune_due = now + (_TICK if more else _PRUNE_PAUSE)
        mark = self._ledger.changes()
        if mark != self._mark:
            self._mark = mark
            self._clerk.requests(self._lanes)

    def _jobs(self, now: float) -> dict[str, Ready]:
        """Return the jobs in work that can get on, and of which the ledger knows."""
        return {
            name: Ready(name, lane.inbox.name, float(claim.at), facts)
            for lane in self._lanes.values()
            if lane.works(now)
            for name, (claim, facts) in lane.work.view.items()
            if self._ledger.knows(name)
        }

    def _idle(self) -> bool:
        """Tell whether nothing is left to be done, now."""
        seen = len(self._lanes) + len(self._troubles)
        if not self._bell.empty() or seen < len(self.config.inboxes):
            return False
        if not all(lane.idle for lane in self._lanes.values()):
            return False
        told = not any(
            notices.fresh(lane.spool, notice)
            for lane in self._lanes.values()
            for notice in notices.standing(lane.spool, lane.inbox.name)
        )
        return told and self._bell.empty()
