"""Traffic with the broker: submits what `flights` chooses, and asks what waits there.

While the broker is away nothing is decided and nothing is lost; it is tried again, patiently.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from watcherd.broker import Window
from watcherd.dispatch import Dispatcher
from watcherd.errors import EnvironmentFault
from watcherd.flights import Flights, Grounded, Ready

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from watcherd.config import Config
    from watcherd.lifecycle import State
    from watcherd.log import Logger
    from watcherd.model import Message

_PAUSES = (0.5, 1.0, 2.0, 5.0, 10.0)
_NOTICE_PAUSE, _LONGEST_NOTICE_PAUSE = 25.0, 3600.0
"""Seconds before a notice is submitted again, doubled each time; the workers' own back-off, which
is on disk, grows faster."""

NOTICES_WAITING = 50
"""Messages in the notify queue above which none is added: nobody may be taking them."""

_FULL_PAUSE = 5.0


@dataclass(slots=True)
class _Telling:
    at: float  # of the last submission, monotonic
    pause: float  # until the next


class Traffic:
    """The daemon's dealings with the broker. Times are seconds, monotonic."""

    def __init__(self, config: Config, log: Logger) -> None:
        """Begin with nothing in flight."""
        self.window = config.in_flight or 2 * (os.cpu_count() or 1) + 2
        self.trouble: str | None = None
        self._log = log
        self._flights = Flights(config.lease, config.attempts)
        self._dispatcher, self._broker = Dispatcher(config), Window(config)
        self._again, self._fails = 0.0, 0
        self._notices: dict[str, _Telling] = {}
        self._notices_again = 0.0

    @property
    def flying(self) -> int:
        """The number of messages in flight."""
        return len(self._flights)

    def know(self, job: str) -> None:
        """Note that nothing of this job was submitted before."""
        self._flights.know(job)

    def state(self, job: Ready) -> State:
        """Return what the ledger should say of a job in work."""
        return self._flights.state(job)

    def tick(self, jobs: Mapping[str, Ready], now: float) -> list[Grounded]:
        """Bring the flights up to date and submit what there is room for.

        Returns the flights that ended without results.
        """
        queued: set[Message] | None = None
        doubtful = self._flights.unknown(jobs) or self._flights.silent(now)
        if now >= self._again and (doubtful or self.trouble):  # it may be back: nobody else asks
            queued = self._ask(now)
        if queued is not None:
            self._flights.meet(jobs, queued, now)
        grounded = self._flights.watch(jobs, queued, now)
        if now >= self._again:
            for message in self._flights.choose(jobs, self.window, now):
                if not self._submit(message, jobs[message.job], now):
                    break
        return grounded

    def _ask(self, now: float) -> set[Message] | None:
        try:
            queued = self._broker.queued()
        except EnvironmentFault as fault:
            self._away(fault, now)
            return None
        self._back()
        return queued

    def _submit(self, message: Message, job: Ready, now: float) -> bool:
        try:
            self._dispatcher.submit(message)
        except EnvironmentFault as fault:
            self._away(fault, now)
            return False
        self._back()
        self._flights.launch(message, job.facts, now)
        return True

    def tell(self, notices: Iterable[str], now: float) -> None:
        """Submit the telling of notices: each not too often, and few while nobody takes them."""
        due = [n for n in notices if n not in self._notices or self._rested(n, now)]
        if not due or now < max(self._again, self._notices_again):
            return
        try:
            room = NOTICES_WAITING - self._broker.waiting("notify")
            for notice in due[: max(room, 0)]:
                self._dispatcher.submit_notice(notice)
                before = self._notices.get(notice)
                pause = min(before.pause * 2, _LONGEST_NOTICE_PAUSE) if before else _NOTICE_PAUSE
                self._notices[notice] = _Telling(now, pause)
        except EnvironmentFault as fault:
            self._away(fault, now)
            return
        self._back()
        if room < len(due):
            self._notices_again = now + _FULL_PAUSE
        # One that was not due for so long has been told, or waits for its next try.
        self._notices = {n: t for n, t in self._notices.items() if now - t.at < 2 * t.pause}

    def _rested(self, notice: str, now: float) -> bool:
        telling = self._notices[notice]
        return now - telling.at >= telling.pause

    def _away(self, fault: EnvironmentFault, now: float) -> None:
        self._again = now + _PAUSES[min(self._fails, len(_PAUSES) - 1)]
        self._fails += 1
        if self.trouble is None:
            self.trouble = str(fault)
            self._log.error("broker_lost", says=str(fault))

    def _back(self) -> None:
        self._fails = 0
        if self.trouble is not None:
            self.trouble = None
            self._log.info("broker_found")
