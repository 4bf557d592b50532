"""A lane: one inbox's thread, the only one that touches its folders and its jobs' directories.

A mount that hangs in the kernel stops its own lane; the daemon and the other lanes go on. The
daemon gives orders and reads `work.view`; the lane answers with reports.
"""

from __future__ import annotations

import math
import queue
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from watcherd import filing, notices
from watcherd.errors import EnvironmentFault, WatcherdError
from watcherd.hearing import Hearing
from watcherd.intake import Intake
from watcherd.kinship import kin
from watcherd.mounts import filesystem_of, watch_mode
from watcherd.observer import Hint
from watcherd.orders import Conclude, Order, Report, Restored, Retry, Snapshot, Trace
from watcherd.prune import Pruner
from watcherd.room import Room
from watcherd.settle import SettlePolicy
from watcherd.work import Work

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from watcherd.config import Config, Inbox
    from watcherd.log import Logger
    from watcherd.rounds import Walked
    from watcherd.spool import Spool

_SCAN_SECONDS = 5.0
"""Between two scans where no events come."""

_ORDERS = 250
"""Hints and orders that are taken before the lane does what else is due: some 10 ms."""

_SILENCE = 15.0
"""Seconds at one step, such as the sealing of a large file, that are nothing to speak of."""

_FAULT_SECONDS = 5.0
_SNAPSHOT_SECONDS = 0.5
_NOTICE_SECONDS = 5.0


class Lane(threading.Thread):
    """The thread of one inbox."""

    def __init__(
        self,
        config: Config,
        inbox: Inbox,
        spool: Spool,
        log: Logger,
        report: Callable[[Lane, Report], None],
    ) -> None:
        """Prepare; nothing is touched before `start`."""
        super().__init__(name=f"lane-{inbox.name}", daemon=True)
        self.config, self.inbox, self.spool = config, inbox, spool
        self.paused = False
        self.scanned = False  # the first scan is over
        self.failure: BaseException | None = None
        self.due_notices: tuple[str, ...] = ()
        self._busy_since: float | None = None  # monotonic; None while it waits
        self._log, self._report_to = log, report
        self._orders: queue.SimpleQueue[Order] = queue.SimpleQueue()
        mount = filesystem_of(inbox.path)
        self.watch = watch_mode(mount.fstype) if inbox.watch == "auto" else inbox.watch
        policy = (
            SettlePolicy.auto(network=mount.network)
            if inbox.settle is None
            else SettlePolicy.fixed(inbox.settle)
        )
        options = config.options(inbox)
        self._intake = Intake(inbox, spool, options, policy, log, ask_writer=not mount.network)
        told = config.targets_of(inbox, "failure")
        self.work = Work(inbox, spool, told, self._report, kin(config, inbox, spool.root))
        self._intake.taken = self.work.holds
        self._hearing = Hearing(inbox, self.watch, self._orders.put, log)
        self._pruner = Pruner(config, inbox, spool, log, self._intake.rounds.kept.forget)
        self._next_scan = self._next_space = self._next_snapshot = self._next_notices = 0.0
        self._full_scan = 0.0
        self._room = Room(inbox, spool.root, config.min_free, log)
        self._fault: str | None = None
        self._stopping = False

    # From the daemon's thread

    def order(self, order: Conclude | Retry | Trace) -> None:
        """Ask for something to be done on this lane's thread."""
        self._orders.put(order)

    def wake(self) -> None:
        """Have the lane look around at once."""
        self._orders.put(None)

    def stop(self) -> None:
        """Ask the thread to end after the step it is in."""
        self._stopping = True
        self.wake()

    def silent(self, now: float) -> bool:
        """Tell whether the lane has been at one step for so long that its filesystem may hang."""
        since = self._busy_since
        return since is not None and now - since > _SILENCE

    def works(self, now: float) -> bool:
        """Tell whether its jobs can get on: what the lane last saw is fresh, and nothing lacks."""
        return self._room.works and not self.silent(now)

    @property
    def idle(self) -> bool:
        """Whether nothing waits, nothing is in work, and nothing is to be told."""
        restless = self._intake.backlog.restless and not self.paused
        return self.scanned and not len(self.work) and not restless

    # The lane's own thread

    def run(self) -> None:
        """Live until told to stop; a fault of the environment pauses the work, no more."""
        wait = 0.0
        try:
            while not self._stopping:
                try:
                    self._listen(wait)
                    wait = self._step(time.monotonic())
                    self._set_fault(self.work.fault)
                except (OSError, EnvironmentFault) as error:
                    self._set_fault(error)
                    wait = _FAULT_SECONDS
        except BaseException as error:  # the daemon sees it and stops as a whole
            self.failure = error
            self._log.exception("lane_died")
        finally:
            self._hearing.stop()

    def _listen(self, wait: float) -> None:
        """Take hints and orders, until the time is up and there are none, or very many."""
        self._busy_since = None
        with suppress(queue.Empty):
            order = self._orders.get(timeout=max(wait, 0.001))
            self._busy_since = time.monotonic()
            self._take(order)
            for _ in range(_ORDERS):
                self._take(self._orders.get_nowait())

    def _take(self, order: Order) -> None:
        now = time.monotonic()
        match order:
            case Hint():
                self._intake.hint(order, now)
            case Conclude():
                job = self.spool.job(order.job)
                if job.path.is_dir():
                    job.conclude(order.outcome)
                self.work.next_look = now
            case Retry():
                self._report(Restored(order.job, order.request, self._restore(order.job)))
                self.work.adopt(now)
            case Trace():
                self.work.trace(order.job)
            case None:
                pass

    def _restore(self, job: str) -> str | None:
        try:
            filing.restore(self.spool, job, self.inbox)
        except WatcherdError as error:
            return str(error)
        except OSError as error:
            return f"{error.filename}: {error.strerror}"
        return None

    def _step(self, now: float) -> float:
        """Do what is due; return the seconds until something is due again."""
        self._busy_since = now
        if now >= self._next_scan:
            self._rescan(now)
        if now >= self.work.next_look and len(self.work):
            self.work.look(now)
        if now >= self._next_notices:
            self._tend_notices(now)
        jobs = self._intake.tick(now, self._places(now))
        if jobs:
            self.work.take(jobs, now)
        if (walked := self._intake.take_walked()) is not None:
            self._scanned(walked, now)
        elif self.scanned:
            self._pruner.step(now)
        self._intake.complain()
        self._intake.hold(paused=self.paused, in_work=len(self.work), ahead=self.config.ahead)
        if self._intake.backlog.changed and now >= self._next_snapshot:
            self._snapshot()
        return min(self._due(now)) - time.monotonic()

    def _due(self, now: float) -> Iterator[float]:
        """Give the times at which something is due."""
        yield self._next_scan
        yield self._next_notices
        if self.scanned:
            yield self._pruner.next_due
        if self._intake.backlog.changed:
            yield self._next_snapshot
        if len(self.work):
            yield self.work.next_look
        if (due := self._intake.rounds.next_due()) is not None:
            yield due
        if (due := self._intake.backlog.next_due()) is not None:
            # Without room nothing can be claimed before a job has ended, and that is looked for.
            yield due if self._places(now) > 0 else max(due, now + 1.0)

    def _rescan(self, now: float) -> None:
        """Begin to look at the whole inbox and at all jobs, unless there is no sign of change."""
        if now < self._full_scan and self.watch == "scan" and self._intake.rounds.at_rest():
            self._next_scan = min(now + _SCAN_SECONDS, self._full_scan)
            return
        self._hearing.tend()
        self.work.adopt(now)  # first: what is a job already must not be claimed again
        if not self.scanned:
            self.work.recall()
        self._intake.rescan(now)
        self._next_scan, self._full_scan = math.inf, now + self.config.rescan

    def _scanned(self, walked: Walked, now: float) -> None:
        """Note the end of a walk of the whole inbox."""
        events = self._hearing.reliable
        if walked.untold and events and self.scanned:
            self._log.info("files_found_by_rescan", files=walked.untold)
        seconds = round(time.monotonic() - walked.begun, 3)
        self._log.debug("inbox_scanned", files=len(self._intake.backlog), seconds=seconds)
        if self._next_scan == math.inf:  # else it was one between two rescans
            pause = self.config.rescan if events else min(self.config.rescan, _SCAN_SECONDS)
            self._next_scan = now + pause
        self.scanned = True
        self._snapshot()

    def _tend_notices(self, now: float) -> None:
        """Find what is to be told again, and lay aside what is over."""
        self._next_notices = now + _NOTICE_SECONDS
        due = []
        for notice in notices.standing(self.spool, self.inbox.name):
            if notices.untrue(self.spool, notice):
                notices.drop(self.spool, notice.id)
                continue
            if notices.due(self.spool, notice, time.time()):
                due.append(notice.id)
            job = self.spool.job(notice.id.partition(".")[0])
            if not notices.undelivered(self.spool, notice) and not job.path.is_dir():
                notices.store(self.spool, notice)
        self.due_notices = tuple(due)

    def _places(self, now: float) -> int:
        """Return how many more files may be claimed."""
        if now >= self._next_space:
            self._next_space = now + 1.0
            if self._room.look():
                self._intake.backlog.changed = True
        if self.paused or not self._room.claims:
            return 0
        return self.config.ahead - len(self.work)

    def _snapshot(self) -> None:
        trouble = self._room.trouble or self._intake.trouble or self._fault or self._hearing.trouble
        rows = self._intake.snapshot()
        self._next_snapshot = time.monotonic() + _SNAPSHOT_SECONDS
        self._report(Snapshot(rows, len(self._intake.backlog), self.watch, trouble))

    def _set_fault(self, error: OSError | EnvironmentFault | None) -> None:
        says = None if error is None else str(error)
        if isinstance(error, OSError):
            place = str(error.filename2 or error.filename or self.spool.root)
            # Names inside the spool change from try to try; the fault is the same.
            inside = place.startswith(f"{self.spool.root}/")
            says = f"{self.spool.root if inside else place}: {error.strerror}"
        if says == self._fault:
            return
        self._fault = says
        if says:
            self._log.error("lane_faulted", says=says)
        else:
            self._log.info("lane_recovered")
        self._snapshot()

    def _report(self, report: Report) -> None:
        self._report_to(self, report)
