"""A gate: the intake of a desk's inbox, on a clock that the test moves."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from watcherd import log
from watcherd.intake import Intake
from watcherd.observer import Hint, HintKind
from watcherd.settle import SettlePolicy

if TYPE_CHECKING:
    from desks import Desk


class Gate:
    """The intake of a desk's inbox, on a clock of its own."""

    def __init__(self, desk: Desk, *, ask_writer: bool = True) -> None:
        self.desk, self.now = desk, 0.0
        options = desk.config.options(desk.inbox)
        policy = SettlePolicy.auto(network=False)
        self.intake = Intake(
            desk.inbox, desk.spool, options, policy, log.get(), ask_writer=ask_writer
        )

    def hint(self, name: bytes, kind: HintKind = HintKind.CLOSED) -> None:
        """Tell that there may be something."""
        self.intake.hint(Hint(os.fsencode(self.desk.inbox.path) + b"/" + name, kind), self.now)

    def rescan(self) -> int:
        """Walk the whole inbox, without a claim; return how many files were not told of."""
        self.intake.rescan(self.now)
        while (walked := self.intake.take_walked()) is None:
            assert self.intake.tick(self.now, 0) == []
        return walked.untold

    def tick(self, seconds: float = 0.0, room: int = 99) -> list[bytes]:
        """Let time pass, look at what is due, and return what was claimed."""
        self.now += seconds
        return [job.claim().source for job in self.intake.tick(self.now, room)]

    def wait(self, seconds: float) -> list[bytes]:
        """Look whenever asked to for so long, and return what was claimed."""
        end, found = self.now + seconds, list[bytes]()
        while (due := self.intake.next_due()) is not None and due <= end:
            self.now = max(self.now, due)
            found += self.tick()
        self.now = end
        return found

    def why(self, name: bytes) -> str:
        """Return what a candidate waits for."""
        return self.intake.backlog.candidates[name].why
