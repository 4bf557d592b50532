"""Child programs that do one thing at a time, each replaced when it dies.

A page that kills its child takes no other page with it, as would be in a pool that is shared.
"""

from __future__ import annotations

import multiprocessing
import os
import queue
import signal
import threading
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar, cast

from watcherd.errors import Overrun, Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from multiprocessing.connection import Connection

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Pool:
    """Children that do one thing at a time each; to be shared by threads."""

    hands: Sequence[_Hand]
    free: queue.SimpleQueue[_Hand]
    cord: Connection  # children end when it is cut: by us, or by our end

    def abandon(self) -> None:
        """End the children at once, whatever they do."""
        self.cord.close()

    def run(self, what: Callable[..., T], *values: Any) -> T:
        """Have the next free child do something; raise `Refusal` if that cannot be."""
        hand = self.free.get()
        try:
            return hand.run(what, *values)
        finally:
            self.free.put(hand)


class _Hand:
    """One child, started when it is needed, and again after it died."""

    def __init__(self, cord: Connection) -> None:
        self._cord = cord
        self._child: ProcessPoolExecutor | None = None

    def run(self, what: Callable[..., T], *values: Any) -> T:
        if self._child is None:
            spawn = multiprocessing.get_context("spawn")
            self._child = ProcessPoolExecutor(1, spawn, _begin, (self._cord,))
        try:
            done, refused = self._child.submit(_said, what, *values).result()
        except BrokenProcessPool:
            self.end()
            raise Refusal("crashed", "It outran its time, or killed its program.") from None
        if refused is not None:
            raise refused.error()
        return cast("T", done)

    def end(self, *, wait: bool = False) -> None:
        """Let the child go."""
        if self._child is not None:
            self._child.shutdown(wait=wait, cancel_futures=True)
            self._child = None


@contextmanager
def pool_of(count: int) -> Iterator[Pool]:
    """Give a pool of so many children; they end with it."""
    far, near = multiprocessing.Pipe(duplex=False)
    hands = [_Hand(far) for _ in range(count)]
    free: queue.SimpleQueue[_Hand] = queue.SimpleQueue()
    for hand in hands:
        free.put(hand)
    try:
        yield Pool(hands, free, near)
    finally:
        for hand in hands:
            hand.end(wait=True)  # one that is cut off while it is told to go prints a traceback
        near.close()
        far.close()


@dataclass(frozen=True, slots=True)
class _Refused:
    """Why a child did not do it; an exception with fields of its own does not travel."""

    code: str
    reason: str
    page: int | None

    def error(self) -> Refusal:
        """Return it as the error that it was."""
        return Refusal(self.code, self.reason, page=self.page)


def _said(what: Callable[..., T], *values: Any) -> tuple[T | None, _Refused | None]:
    """Do something in a child; return its result, or why it was refused."""
    try:
        return what(*values), None
    except Refusal as refusal:
        return None, _Refused(refusal.code, refusal.reason, refusal.page)
    except Overrun as overrun:
        return None, _Refused(overrun.code, overrun.reason, None)
    except MemoryError:
        reason = "it needs more memory than limits.page_memory allows"
        return None, _Refused("too-large", reason, None)


def _begin(cord: Connection) -> None:
    """Set a child up: it ends when the cord is cut, and when a person presses Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.environ["OMP_THREAD_LIMIT"] = "1"
    threading.Thread(target=_hold, args=(cord,), daemon=True).start()


def _hold(cord: Connection) -> None:
    # PR_SET_PDEATHSIG would go by the thread that started us, which ends with its document.
    cord.poll(None)
    os._exit(1)
