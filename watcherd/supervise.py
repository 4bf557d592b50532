"""`watcherd up`: the parts of the service as children of one command, as systemd would run them.

A child that ends is started again, after a pause that grows. All of them die with this program,
however it ends (PR_SET_PDEATHSIG of prctl(2)).
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from watcherd import broker, locks, log
from watcherd.errors import EnvironmentFault

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType

    from watcherd.config import Config

_PR_SET_PDEATHSIG = 1
_PAUSES = (0.2, 1.0, 2.0, 5.0, 10.0, 30.0)
_STEADY = 60.0  # seconds after which a child counts as healthy again
_WARM = 8.0  # seconds for the page in hand before a worker is told to give it back
_COLD = 5.0
_libc = ctypes.CDLL(None)


@dataclass(slots=True)
class Part:
    """One child."""

    name: str
    command: Sequence[str]
    vital: bool = False  # its end ends everything
    child: subprocess.Popen[bytes] | None = None
    starts: int = 0
    started: float = 0.0
    due: float = 0.0
    ended: int | None = field(default=None)


def parts(config: Config, *, until_idle: bool) -> list[Part]:
    """Return what makes up the service here, in the order of starting."""
    me = [sys.executable, "-m", "watcherd"]
    redis = [Part("redis", broker.server_command(config))] if config.broker == "embedded" else []
    daemon = [*me, "run", *(["--until-idle"] if until_idle else [])]
    return [
        *redis,
        Part("worker", [*me, "worker", "--queues", "ocr,pdf", "--name", "worker"]),
        # Apart, so that a mail server that hangs keeps no page waiting.
        Part("notifier", [*me, "worker", "--queues", "notify", "--name", "notifier",
                          "--concurrency", "1"]),
        Part("daemon", daemon, vital=until_idle),
    ]  # fmt: skip


class Supervisor:
    """Keeps the parts alive until told to stop."""

    def __init__(self, config: Config, *, until_idle: bool = False) -> None:
        """Prepare; nothing is started. Raises `EnvironmentFault` where a part is not installed."""
        self._config = config
        self._parts = parts(config, until_idle=until_idle)
        self._log = log.get()
        self._stopping = False
        self._held = -1  # the lock, for as long as this process lives

    def run(self) -> int:
        """Run until a signal, or the end of a vital part; return the exit code."""
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, self._stop)
        broker_dir = broker.socket_path(self._config).parent
        broker_dir.parent.mkdir(mode=0o770, parents=True, exist_ok=True)  # less the umask
        broker_dir.mkdir(mode=0o700, exist_ok=True)
        # A second one's Redis would take the socket and the files of this one's.
        says = f"`watcherd up` runs with {broker_dir.parent} already; stop it first"
        self._held = locks.hold(broker_dir.parent / "up.lock", says)
        try:
            while not self._stopping:
                for part in self._parts:
                    self._tend(part, time.monotonic())
                    if part.vital and part.ended is not None:
                        return part.ended
                time.sleep(0.1)
        finally:
            self._end()
        return 0

    def _stop(self, _signal: int, _frame: FrameType | None) -> None:
        self._stopping = True

    def _tend(self, part: Part, now: float) -> None:
        if part.child is None:
            if now >= part.due:
                self._start(part, now)
            return
        code = part.child.poll()
        if code is None:
            return
        part.child = None
        part.ended = code
        part.starts = 1 if now - part.started > _STEADY else part.starts
        part.due = now + _PAUSES[min(part.starts, len(_PAUSES)) - 1]
        if not part.vital:
            self._log.warning("part_ended", part=part.name, code=code)

    def _start(self, part: Part, now: float) -> None:
        parent = os.getpid()

        def die_with_parent() -> None:
            _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != parent:
                os._exit(1)

        part.child = subprocess.Popen(
            part.command,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=die_with_parent,  # noqa: PLW1509 - this program has one thread
        )
        part.starts, part.started = part.starts + 1, now
        self._log.debug("part_started", part=part.name, pid=part.child.pid)
        if part.name == "redis":
            self._await_broker(part)

    def _await_broker(self, part: Part) -> None:
        window = broker.Window(self._config)
        until = time.monotonic() + 10.0
        while time.monotonic() < until and part.child and part.child.poll() is None:
            try:
                window.ping()
            except EnvironmentFault:
                time.sleep(0.02)
            else:
                return

    def _end(self) -> None:
        """Stop the parts: first those that use the broker, all at once, then the broker."""
        last = [part for part in self._parts if part.name == "redis"]
        _stop_all([part for part in self._parts if part not in last])
        _stop_all(last)


def _stop_all(parts: Sequence[Part]) -> None:
    """Stop children: warm, then cold (a worker gives its page back), then by force."""
    children = [part.child for part in parts if part.child is not None]
    for number, patience in ((signal.SIGTERM, _WARM), (signal.SIGQUIT, _COLD), (signal.SIGKILL, 5)):
        for child in children:
            if child.poll() is None:
                child.send_signal(number)
        until = time.monotonic() + patience
        for child in children:
            with suppress(subprocess.TimeoutExpired):
                child.wait(max(until - time.monotonic(), 0.01))
