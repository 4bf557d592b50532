"""Fault points, compiled in by the tests alone: a process kills itself at a named place.

A test puts this folder on PYTHONPATH and names the place in WATCHERD_TEST_FAULT, as
`module:function:before|after:nth`; the product knows nothing of it. The first process that gets
there dies by SIGKILL, and with it its parent if that is a worker; the file named in
WATCHERD_TEST_FAULT_FIRED then exists, so that nobody dies of it again.
"""

from __future__ import annotations

import functools
import importlib.util
import os
import signal
import sys
from importlib.abc import Loader, MetaPathFinder
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType

PLACE = os.environ.get("WATCHERD_TEST_FAULT", "")
FIRED = os.environ.get("WATCHERD_TEST_FAULT_FIRED", "")


def die() -> None:
    """Die by SIGKILL, taking a worker's main process along; only the first caller does."""
    try:
        os.close(os.open(FIRED, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
    except FileExistsError:
        return
    with open(f"/proc/{os.getppid()}/cmdline", "rb") as file:  # noqa: PTH123 - before pathlib
        parent = file.read()
    if b"worker" in parent and b"up" not in parent.split(b"\0"):
        os.kill(os.getppid(), signal.SIGKILL)
    os.kill(os.getpid(), signal.SIGKILL)


def armed(function: Callable[..., Any], when: str, nth: int) -> Callable[..., Any]:
    """Return the function with the fault before or after its nth call in this process."""
    calls = 0

    @functools.wraps(function)
    def faulty(*args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        calls += 1
        if when == "before" and calls == nth:
            die()
        result = function(*args, **kwargs)
        if when == "after" and calls == nth:
            die()
        return result

    return faulty


class _Loader(Loader):
    def __init__(self, real: Loader, names: Sequence[str], when: str, nth: int) -> None:
        self._real, self._names, self._when, self._nth = real, names, when, nth

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._real.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        self._real.exec_module(module)
        owner: Any = module
        for name in self._names[:-1]:
            owner = getattr(owner, name)
        last = self._names[-1]
        setattr(owner, last, armed(getattr(owner, last), self._when, self._nth))


class _Finder(MetaPathFinder):
    def __init__(self, module: str, function: str, when: str, nth: str) -> None:
        self._module, self._names = module, function.split(".")
        self._when, self._nth = when, int(nth)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        del path, target
        if fullname != self._module:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(fullname)
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader, self._names, self._when, self._nth)
        return spec


if PLACE:
    sys.meta_path.insert(0, _Finder(*PLACE.split(":")))
