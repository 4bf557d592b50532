"""Documents come in while the storm rages: by a rename, or written slowly under their names."""

from __future__ import annotations

import errno
import queue
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from storm.documents import Document
    from storm.ground import Ground

_pause = threading.Event().wait
_PIECES, _BETWEEN, _DISK_FULL = 5, 0.3, 0.2
_HANDS = 3


class Drops:
    """A few hands that drop what they are given."""

    def __init__(self, ground: Ground) -> None:
        """Start the hands."""
        self._ground = ground
        self._given: queue.Queue[Document | None] = queue.Queue()
        self._lock = threading.Lock()
        self.dropped = 0
        self.trouble: list[str] = []
        self._hands = [threading.Thread(target=self._work, daemon=True) for _ in range(_HANDS)]
        for hand in self._hands:
            hand.start()

    def give(self, documents: list[Document]) -> None:
        """Have these dropped soon."""
        for document in documents:
            self._given.put(document)

    def finish(self, seconds: float) -> None:
        """Wait until everything is dropped."""
        for _ in self._hands:
            self._given.put(None)
        for hand in self._hands:
            hand.join(seconds)

    def _work(self) -> None:
        while (document := self._given.get()) is not None:
            data = document.data()
            inbox = self._ground.places[document.inbox].inbox
            try:
                if document.slow:
                    _write_slowly(inbox / document.name, data)
                else:
                    _move_in(inbox / document.name, data)
            except OSError as error:
                self.trouble.append(f"{document.name} could not be dropped: {error}")
            with self._lock:
                self.dropped += 1


def _move_in(path: Path, data: bytes) -> None:
    """Write under a name that is ignored, then rename; a full disk is waited for."""
    part = path.with_name(f"{path.name}.part")
    while True:
        try:
            part.write_bytes(data)
            part.rename(path)
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
            part.unlink(missing_ok=True)
            _pause(_DISK_FULL)
        else:
            return


def _write_slowly(path: Path, data: bytes) -> None:
    """Write in pieces with the file open all the time; a full disk is waited for."""
    left = memoryview(data)
    piece = len(data) // _PIECES + 1
    with _opened(path) as file:
        while left:
            try:
                left = left[file.write(left[:piece]) :]
                _pause(_BETWEEN)
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise
                _pause(_DISK_FULL)


def _opened(path: Path):
    while True:
        try:
            return path.open("xb", buffering=0)
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
            _pause(_DISK_FULL)
