"""The processes of the service: started again some moments after they die, as systemd would."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

from storm.poison.sitecustomize import ARMED
from watcherd.broker import server_binary
from watcherd.config import VARIABLE

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

    from storm.ground import Ground

POISON = Path(__file__).parent / "poison"
PATH = os.pathsep.join([str(POISON), str(Path(__file__).parents[2])])
"""Of modules: the poison's, then the product as it stands beside these tests."""

WORKERS = ("worker-1", "worker-2")
_STOP = 30.0
_LOOK = 0.05


@dataclass
class Part:
    """One process that is kept alive."""

    name: str
    command: Sequence[str]
    child: subprocess.Popen[bytes] | None = None
    due: float = 0.0
    starts: int = 0


class Crew:
    """The parts, and the thread that keeps them alive; use it in a `with` statement."""

    def __init__(self, ground: Ground, random: Random) -> None:
        """Prepare; nothing is started."""
        self._ground, self._random = ground, random
        me = [sys.executable, "-m", "watcherd", "-c", str(ground.config)]
        redis = [
            server_binary() or "redis-server", "--port", "0", "--unixsocket", str(ground.socket),
            "--save", "", "--appendonly", "no", "--dir", str(ground.root), "--loglevel", "warning",
        ]  # fmt: skip
        workers = [Part(w, [*me, "worker", "--name", w, "--concurrency", "1"]) for w in WORKERS]
        parts = [Part("redis", redis), *workers, Part("daemon", [*me, "run"])]
        self.parts = {part.name: part for part in parts}
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._keeper = threading.Thread(target=self._keep, daemon=True)

    def __enter__(self) -> Self:
        self._keeper.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._keeper.join()
        for name in ("daemon", *WORKERS, "redis"):
            self._end(self.parts[name])

    def log(self, name: str) -> Path:
        """Return where a part's output goes."""
        return self._ground.root / f"{name}.log"

    def _keep(self) -> None:
        while not self._over.wait(_LOOK):
            for part in self.parts.values():
                self._tend(part, time.monotonic())

    def _tend(self, part: Part, now: float) -> None:
        with self._lock:
            if part.child is not None and part.child.poll() is not None:
                part.child, part.due = None, now + self._random.uniform(0.1, 1.5)
            if part.child is None and now >= part.due:
                with self.log(part.name).open("ab") as log:
                    part.child = subprocess.Popen(
                        part.command,
                        stdin=subprocess.DEVNULL,
                        stdout=log,
                        stderr=log,
                        cwd=self._ground.root,
                        env=os.environ
                        | {VARIABLE: str(self._ground.config), "PYTHONPATH": PATH, ARMED: "1"},
                        start_new_session=True,
                    )
                part.starts += 1

    def pid(self, name: str) -> int | None:
        """Return the process id of a part, None while it is down."""
        child = self.parts[name].child
        return child.pid if child is not None and child.poll() is None else None

    def pool(self, name: str) -> list[int]:
        """Return the processes that a worker has started."""
        pid = self.pid(name)
        try:
            return [int(p) for p in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
        except OSError:
            return []

    def _end(self, part: Part) -> None:
        child = part.child
        if child is None:
            return
        for number in (signal.SIGCONT, signal.SIGTERM, signal.SIGQUIT, signal.SIGKILL):
            with suppress(ProcessLookupError):
                child.send_signal(number)
            if number is not signal.SIGCONT:
                with suppress(subprocess.TimeoutExpired):
                    child.wait(_STOP / 3)
                    break


class Hold:
    """Processes that are stopped, until `release`; safe against reused process ids."""

    def __init__(self, pids: Sequence[int]) -> None:
        """Stop them."""
        self._held: list[int] = []
        for pid in pids:
            with suppress(ProcessLookupError):
                fd = os.pidfd_open(pid)
                self._held.append(fd)
                signal.pidfd_send_signal(fd, signal.SIGSTOP)

    def release(self) -> None:
        """Let them go on."""
        for fd in self._held:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(fd, signal.SIGCONT)
            os.close(fd)
        self._held.clear()
