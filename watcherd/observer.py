"""The door to inotify: hints that something in an inbox may be worth a look.

A hint is never a fact, and may be missing: watchers overflow, die and miss folders. So an
`InboxWatch` tells what it can know about its own health, and rescans make up for the rest.
Written against watchdog 7.1; its reader is extended where it keeps failures to itself.
"""

from __future__ import annotations

import contextlib
import errno
import os
import warnings
from dataclasses import dataclass
from enum import StrEnum
from threading import Thread
from typing import TYPE_CHECKING, Final

from watchdog.events import (
    DirCreatedEvent,
    DirMovedEvent,
    FileClosedEvent,
    FileCreatedEvent,
    FileMovedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers.api import BaseObserver
from watchdog.observers.inotify import InotifyFullEmitter
from watchdog.observers.inotify_c import InotifyConstants, InotifyFD, Mask

from watcherd.errors import EnvironmentFault

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from watchdog.observers.inotify_c import (
        CallbackId,
        InotifyEvent,
        WatchCallback,
        WatchDescriptor,
    )


class HintKind(StrEnum):
    """What was heard of a path."""

    CREATED = "created"  # a file, perhaps still empty
    CLOSED = "closed"  # a file that had been open for writing
    MOVED = "moved"  # a file, renamed to this path from within or from outside
    DIRECTORY = "directory"  # a folder whose content may have come unheard: scan it


@dataclass(frozen=True, slots=True)
class Hint:
    """Something to look at: an absolute path below the inbox, as the inbox was named."""

    path: bytes
    kind: HintKind


_KINDS: Final[dict[type[FileSystemEvent], HintKind]] = {
    FileCreatedEvent: HintKind.CREATED,
    FileClosedEvent: HintKind.CLOSED,
    FileMovedEvent: HintKind.MOVED,
    DirCreatedEvent: HintKind.DIRECTORY,
    DirMovedEvent: HintKind.DIRECTORY,
}
"""All that is listened for: our own opening and reading of files is not."""

_LIMITS: Final = {
    errno.ENOSPC: "the limit of watched folders is reached; raise fs.inotify.max_user_watches",
    errno.EMFILE: "the limit of inotify instances or of open files is reached; raise "
    "fs.inotify.max_user_instances, or LimitNOFILE of the service",
}

_JOIN: Final = 5.0  # seconds; the threads end at once unless a callback does not return


class InboxWatch:
    """Hears of files that come into a folder or below it, by inotify.

    `on_hint` is called in a thread of the watch and must return quickly. If it raises, the hint
    counts as lost, as after an overflow.
    """

    def __init__(self, root: Path, on_hint: Callable[[Hint], None]) -> None:
        self.root = root
        self._on_hint = on_hint
        self._lost = False
        self._real = b""
        self._identity = (0, 0)
        self._observer: BaseObserver | None = None
        self._inotify: _Inotify | None = None

    def start(self) -> None:
        """Begin to listen: what comes after this has returned is heard of. May be done again.

        Raises EnvironmentFault, with what to do about it, when the folder cannot be watched.
        """
        # For freshly made trees watchdog warns of each folder that it watches twice, which is
        # harmless, but adds up to megabytes.
        warnings.filterwarnings("ignore", "Callback with id .* already exists", RuntimeWarning)
        real = os.path.realpath(self.root)  # inotify would watch a symbolic link itself
        self._real = os.fsencode(real)
        try:
            self._identity = _identity(self.root)
            os.close(os.open(real, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))
            self._inotify = _Inotify(self._note_loss)
            self._inotify.start()
            self._observer = BaseObserver(_Emitter, inotify_fd=self._inotify)
            handler = _Handler(self._pass_on)
            self._observer.schedule(handler, real, recursive=True, event_filter=list(_KINDS))
            self._observer.start()
        except OSError as error:
            self.stop()
            raise EnvironmentFault(f"{self.root} cannot be watched: {_advice(error)}") from error

    def stop(self) -> None:
        """Stop listening; may be called twice, or without a start."""
        observer, self._observer = self._observer, None
        inotify, self._inotify = self._inotify, None
        # watchdog's bookkeeping of moved folders can raise KeyError while it clears up.
        if observer is not None:
            with contextlib.suppress(KeyError):
                observer.stop()
            if observer.is_alive():
                observer.join(_JOIN)
        if inotify is not None:
            with contextlib.suppress(KeyError):
                inotify.stop()
            inotify.join(_JOIN)

    def healthy(self) -> str | None:
        """Return None while hints can be relied on to come, else why not: start a new watch.

        Looks at the disk, so that it can hang where the filesystem does.
        """
        if self._observer is None or self._inotify is None:
            return "it is not being watched"
        try:
            identity = _identity(self.root)
        except OSError as error:
            return f"{self.root} is gone: {error.strerror}"
        if self._inotify.unmounted:
            return f"the filesystem of {self.root} was unmounted"
        if identity != self._identity:
            return f"{self.root} is not the folder that is being watched any more"
        threads = [self._inotify, self._observer, *self._observer.emitters]
        if self._real in self._inotify.blind or not all(map(Thread.is_alive, threads)):
            return f"the watch of {self.root} has ended"
        return "hints were lost" if self._lost else None

    def take_overflow(self) -> bool:
        """Return whether hints were lost since the last call: a rescan is due."""
        lost, self._lost = self._lost, False
        return lost

    def blind_spots(self) -> tuple[bytes, ...]:
        """Return the folders that could not be watched, for want of watches or permission.

        Files in them are found by rescans only. A new watch would not help; raising the limit
        fs.inotify.max_user_watches, or permissions, would.
        """
        blind = self._inotify.blind if self._inotify is not None else ()
        return tuple(sorted(path for path in tuple(blind) if os.path.isdir(path)))  # noqa: PTH112 - bytes

    def _note_loss(self) -> None:
        self._lost = True
        with contextlib.suppress(Exception):  # it is already known that hints are lost
            self._on_hint(Hint(os.fsencode(self.root), HintKind.DIRECTORY))

    def _pass_on(self, path: bytes, kind: HintKind) -> None:
        try:
            below = os.path.relpath(path, self._real)
            self._on_hint(Hint(os.path.join(os.fsencode(self.root), below), kind))  # noqa: PTH118 - bytes
        except Exception:  # otherwise watchdog's dispatcher ends, silently
            self._lost = True


class _Handler(FileSystemEventHandler):
    """Turns watchdog's events into hints."""

    def __init__(self, pass_on: Callable[[bytes, HintKind], None]) -> None:
        self._pass_on = pass_on

    def dispatch(self, event: FileSystemEvent) -> None:
        # Synthetic: what lies in a folder that was moved in. Nobody is creating it, and the hint
        # for the folder is enough.
        kind = _KINDS.get(type(event))
        if kind is not None and not event.is_synthetic:
            self._pass_on(os.fsencode(event.dest_path or event.src_path), kind)


class _Emitter(InotifyFullEmitter):
    """watchdog's emitter, without waiting for the second half of renames.

    An unpaired “moved from”, such as each of our claims causes, holds up all that comes after
    it for half a second; where a file came from is of no interest.
    """

    def get_event_mask_from_filter(self) -> Mask:
        return Mask(super().get_event_mask_from_filter() & ~InotifyConstants.IN_MOVED_FROM)


class _Inotify(InotifyFD):
    """watchdog's reader of an inotify instance, that also tells what goes wrong."""

    def __init__(self, on_loss: Callable[[], None]) -> None:
        super().__init__()
        self.blind: set[bytes] = set()
        self.unmounted = False
        self._on_loss = on_loss

    def add_callback(
        self, path: bytes, mask: Mask, callback: WatchCallback, id_: CallbackId
    ) -> WatchDescriptor:
        try:
            descriptor = super().add_callback(path, mask, callback, id_)
            if descriptor == -1:  # watchdog takes EACCES for success
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        except OSError as error:  # the caller drops it, except for the root
            if error.errno in {errno.ENOSPC, errno.EACCES}:
                self.blind.add(path)
            raise
        self.blind.discard(path)
        return descriptor

    def handle_event(self, event: InotifyEvent) -> None:
        try:
            super().handle_event(event)
        except Exception:  # its bookkeeping of moved folders errs; the thread must go on
            self._on_loss()
            return
        if event.mask & InotifyConstants.IN_UNMOUNT:
            self.unmounted = True
        if event.is_queue_overflow:  # after the watches were renewed, so that a rescan sees all
            self._on_loss()


def _identity(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_dev, status.st_ino


def _advice(error: OSError) -> str:
    return _LIMITS.get(error.errno or 0) or error.strerror or str(error)
