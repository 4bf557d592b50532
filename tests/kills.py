"""Real kills: a forked process dies, without any clean-up, just before its n-th step on disk."""

from __future__ import annotations

import os
import signal
import traceback
import warnings
from typing import TYPE_CHECKING, Any

from watcherd import files

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_STEPS = ("rename", "replace", "link", "unlink", "mkdir", "rmdir", "fsync", "utime")
_KILLED = 9
_LONGEST = 60


class _Libc:
    """The C library, with counted renames."""

    def __init__(self, real: Any, count: Callable[[], None]) -> None:
        self._real, self._count = real, count

    def renameat2(self, *arguments: Any) -> Any:
        self._count()
        return self._real.renameat2(*arguments)


def _arm(last: int) -> None:
    """Have this process die before its step number `last`."""
    steps = 0

    def count() -> None:
        nonlocal steps
        steps += 1
        if steps == last:
            os._exit(_KILLED)

    def counted(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **keys: Any) -> Any:
            count()
            return real(*arguments, **keys)

        return call

    for name in _STEPS:
        setattr(os, name, counted(getattr(os, name)))
    files._libc = _Libc(files._libc, count)  # type: ignore[assignment]


def fork(act: Callable[[], object], before: Callable[[], object] = lambda: None) -> int:
    """Run `act` in a forked process and return its number."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of forking beside threads
        pid = os.fork()
    if pid == 0:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(_LONGEST)  # nobody is left behind
        try:
            before()
            act()
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    return pid


def status(pid: int) -> int:
    """Wait for a forked process to end and return its exit status."""
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def kills(act: Callable[[], object], step: int) -> bool:
    """Run `act` in a process that dies before that step; False if it ended before it came to it."""
    ended = status(fork(act, lambda: _arm(step)))
    assert ended in (0, _KILLED), "it failed before it was killed"
    return ended == _KILLED


def every_kill(
    prepare: Callable[[], tuple[Any, Callable[[], object]]],
) -> Iterator[tuple[int, Any]]:
    """Give, for every step of an act, a fresh place at which the act was killed before it.

    `prepare` returns the place and the act. Fails if the act has no steps at all.
    """
    step = 1
    while True:
        place, act = prepare()
        if not kills(act, step):
            break
        yield step, place
        step += 1
    assert step > 1, "nothing was ever done on disk"
