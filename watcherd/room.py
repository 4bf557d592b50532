"""What the work of an inbox needs of the machine: space on the disk, an outbox to be written.

Each fault is told once, and once when it is over. Meanwhile nothing is tried that cannot succeed,
so that no document pays for it.
"""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from watcherd import files

if TYPE_CHECKING:
    from pathlib import Path

    from watcherd.config import Inbox
    from watcherd.log import Logger

_LEAST = 1 << 20
"""Bytes without which not even a small document can be finished."""


class Room:
    """The room that one inbox has. Looks at its folders, so it lives on its lane's thread."""

    def __init__(self, inbox: Inbox, spool: Path, min_free: int, log: Logger) -> None:
        """Begin with the best; `spool` is where claimed files lie."""
        self.claims = True  # whether files may be claimed
        self.works = True  # whether stages can succeed
        self.trouble: str | None = None
        self._outbox, self._spool, self._log = inbox.outbox, spool, log
        self._min_free = max(min_free, _LEAST)
        self._problem: str | None = None

    def look(self) -> bool:
        """Look again; return whether something has changed."""
        free = shutil.disk_usage(self._spool).free
        changed = self._note_space(free) | self._note_outbox(self._unusable())
        self.works = self._problem is None and free >= _LEAST
        self.trouble = self._problem
        if not self.claims:
            self.trouble = f"less than {self._min_free} bytes are free in {self._spool}"
        return changed

    def _note_space(self, free: int) -> bool:
        enough = free >= self._min_free
        if enough == self.claims:
            return False
        self.claims = enough
        say = self._log.info if enough else self._log.error
        say("disk_has_room" if enough else "disk_nearly_full", folder=str(self._spool), free=free)
        return True

    def _note_outbox(self, problem: str | None) -> bool:
        if problem == self._problem:
            return False
        self._problem = problem
        if problem:
            self._log.error("outbox_unusable", says=problem)
        else:
            self._log.info("outbox_usable")
        return True

    def _unusable(self) -> str | None:
        """Return why nothing can be published now, None if nothing is known against it."""
        outbox = self._outbox
        if not outbox.is_dir():
            return f"the outbox {outbox} does not exist; is it mounted?"
        if not os.access(outbox, os.W_OK | os.X_OK):
            return f"the outbox {outbox} cannot be written"
        apart = not files.same_device(outbox, self._spool)
        if apart and shutil.disk_usage(outbox).free < _LEAST:
            return f"the disk of the outbox {outbox} is full"
        return None
