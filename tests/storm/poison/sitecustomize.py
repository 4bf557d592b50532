"""Two kinds of pages that kill whoever decodes them, known by their size alone.

For the storm, which puts this folder on PYTHONPATH; the product knows nothing of it.
"""

from __future__ import annotations

import importlib.util
import os
import signal
import sys
from importlib.abc import Loader, MetaPathFinder
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType

ARMED = "WATCHERD_TEST_POISON"
MODULE = "tasks.imaging"
KILLS_ITSELF, KILLS_ITS_WORKER = (613, 211), (617, 223)  # pixels


def strike(size: tuple[int, int]) -> None:
    """Die by SIGKILL if a page of this size does that; as out of memory, the whole worker."""
    if size == KILLS_ITS_WORKER:
        with open(f"/proc/{os.getppid()}/cmdline", "rb") as file:  # noqa: PTH123 - before pathlib
            if b"\0worker\0" in file.read():
                os.kill(os.getppid(), signal.SIGKILL)
    if size in (KILLS_ITSELF, KILLS_ITS_WORKER):
        os.kill(os.getpid(), signal.SIGKILL)


class _Loader(Loader):
    def __init__(self, real: Loader) -> None:
        self._real = real

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._real.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        self._real.exec_module(module)
        made: Any = module.PageImage
        real = made.__init__

        def init(self: Any, *args: Any, **kwargs: Any) -> None:
            real(self, *args, **kwargs)
            strike(self.pixels)

        made.__init__ = init


class _Finder(MetaPathFinder):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        del path, target
        if fullname != MODULE:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(fullname)
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader)
        return spec


if os.environ.get(ARMED):
    sys.meta_path.insert(0, _Finder())
