"""The health of an inbox's watch: noticed, told, and healed by a new watch and a rescan."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from watcherd.errors import EnvironmentFault
from watcherd.observer import Hint, InboxWatch

if TYPE_CHECKING:
    from collections.abc import Callable

    from watcherd.config import Inbox
    from watcherd.log import Logger


_FIRST_PAUSE, _LAST_PAUSE = 1.0, 600.0


class Hearing:
    """Hears of an inbox's files where its filesystem tells of them."""

    def __init__(self, inbox: Inbox, mode: str, hint: Callable[[Hint], None], log: Logger) -> None:
        """Prepare; `mode` is `inotify`, or `scan` where events do not come."""
        self.mode = mode
        self.trouble: str | None = None
        self._watch = InboxWatch(inbox.path, hint)
        self._log = log
        self._listened = False
        self._again, self._pause = 0.0, _FIRST_PAUSE  # for folders that could not be watched

    @property
    def reliable(self) -> bool:
        """Whether hints can be expected; if not, scans must come more often."""
        return self.mode == "inotify" and self.trouble is None

    def tend(self) -> None:
        """Look after the watch, renewing one that does not hear; a rescan must follow."""
        if self.mode != "inotify":
            return
        if self._watch.take_overflow():
            self._log.warning("hints_lost", says="more came than could be heard; scanning")
        ill = self._watch.healthy() or self._hopeful()
        if ill is not None:
            try:
                self._watch.stop()
                self._watch.start()
            except EnvironmentFault as error:
                self._say(str(error))
                return
            if self._listened:
                self._log.warning("watch_renewed", says=ill)
            self._listened = True
        self._say(self._blind())

    def stop(self) -> None:
        """Stop listening."""
        self._watch.stop()

    def _hopeful(self) -> str | None:
        """Say so if another try at folders that could not be watched is due, ever more seldom.

        A limit may have been raised since, or a folder opened.
        """
        now = time.monotonic()
        if not self._watch.blind_spots():
            self._pause = _FIRST_PAUSE
            return None
        if now < self._again:
            return None
        self._again, self._pause = now + self._pause, min(2 * self._pause, _LAST_PAUSE)
        return "some folders were not watched"

    def _blind(self) -> str | None:
        blind = self._watch.blind_spots()
        if not blind:
            return None
        return (
            f"{len(blind)} folders are not watched, such as {os.fsdecode(blind[0])}; raise "
            "fs.inotify.max_user_watches, or let the daemon read them"
        )

    def _say(self, says: str | None) -> None:
        if says == self.trouble:
            return
        self.trouble = says
        if says:
            self._log.error("inbox_not_watched", says=f"{says}; scanning instead")
        else:
            self._log.info("inbox_watched")
