"""The daemon alone: with a broker that takes its messages, and no worker that takes them there."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.bench import until
from watcherd import broker, config

if TYPE_CHECKING:
    from collections.abc import Iterator

    from watcherd.config import Config

SCAN = b"%PDF-1.4 what a scanner made\n%%EOF\n"


@dataclass(frozen=True)
class Alone:
    """A daemon at work."""

    pid: int
    begun: float  # of time.perf_counter
    log: Path
    window: broker.Window

    def messages(self) -> int:
        """Return how many messages wait at the broker."""
        return self.window.waiting("ocr")

    def said(self, event: str) -> list[dict[str, Any]]:
        """Return the lines of the log with this event."""
        lines = map(json.loads, self.log.read_text().splitlines())
        return [line for line in lines if line["event"] == event]

    def peak(self) -> float:
        """Return the most memory that was resident so far, in MiB."""
        return _status(self.pid, "VmHWM") / 1024


def configured(root: Path, settings: str = "", inbox: str = "") -> Config:
    """Write a configuration with one inbox, and make its folder."""
    (root / "inbox").mkdir(exist_ok=True)
    (root / "c.toml").write_text(
        f'[watcherd]\nstate_dir = "s"\nlog = "json"\nlog_level = "debug"\n{settings}\n'
        f'[[inbox]]\nname = "bench"\npath = "inbox"\noutbox = "outbox"\n{inbox}\n'
    )
    return config.load(root / "c.toml")


@contextmanager
def alone(root: Path) -> Iterator[Alone]:
    """Run broker and daemon with the configuration in `root`."""
    of = config.load(root / "c.toml")
    broker.socket_path(of).parent.mkdir(parents=True, exist_ok=True)
    window = broker.Window(of)
    with (root / "log").open("wb") as log:
        server = subprocess.Popen(broker.server_command(of))
        try:
            until(lambda: _answers(window))
            begun = time.perf_counter()
            command = [sys.executable, "-m", "watcherd", "-c", str(of.source), "run"]
            daemon = subprocess.Popen(command, stderr=log)
            try:
                yield Alone(daemon.pid, begun, root / "log", window)
            finally:
                daemon.terminate()
                daemon.wait(30)
        finally:
            server.terminate()
            server.wait(30)


def _answers(window: broker.Window) -> bool:
    try:
        window.ping()
    except broker.EnvironmentFault:
        return False
    return True


def _status(pid: int, key: str) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{key}:"):
            return int(line.split()[1])
    return 0
