"""Premises: a configuration, its folders and its ledger in a temporary place, and the command."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from needs import needs

from watcherd import broker, config
from watcherd.errors import EnvironmentFault
from watcherd.ledger import Ledger
from watcherd.lifecycle import State

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from watcherd.config import Config

ROOT = Path(__file__).parent.parent
SECONDS = 60.0

CONFIGURATION = """
[watcherd]
state_dir = "state"
[[inbox]]
name = "scanner"
path = "inbox"
outbox = "outbox"
"""


@dataclass(frozen=True)
class Said:
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What it printed, as JSON."""
        return json.loads(self.out)


def environment(**more: str) -> dict[str, str]:
    """Return an environment in which no configuration is found unless it is named."""
    kept = {k: v for k, v in os.environ.items() if k not in ("WATCHERD_CONFIG", "NO_COLOR")}
    return kept | {"XDG_CONFIG_HOME": "/nonexistent", "COLUMNS": "120", "TERM": "xterm"} | more


def watcherd(*words: object, cwd: Path | None = None, **more: str) -> Said:
    """Run the command in a pipe."""
    done = subprocess.run(
        [sys.executable, "-m", "watcherd", *map(os.fspath, map(_word, words))],
        cwd=cwd, env=environment(PYTHONPATH=str(ROOT), **more), stdin=subprocess.DEVNULL,
        capture_output=True, timeout=SECONDS, check=False,
    )  # fmt: skip
    return Said(done.returncode, done.stdout.decode(), done.stderr.decode())


def on_terminal(*words: object, typed: str = "", cwd: Path | None = None, **more: str) -> Said:
    """Run the command on a terminal; its two outputs come as one, lines ending as on Unix."""
    master, slave = pty.openpty()
    child = subprocess.Popen(
        [sys.executable, "-m", "watcherd", *map(os.fspath, map(_word, words))],
        cwd=cwd, env=environment(PYTHONPATH=str(ROOT), **more),
        stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
    )  # fmt: skip
    os.close(slave)
    os.write(master, typed.encode())
    shown = b""
    try:
        while piece := os.read(master, 65536):
            shown += piece
    except OSError:  # EIO: the last one with the terminal open has gone
        pass
    os.close(master)
    return Said(child.wait(SECONDS), shown.decode().replace("\r\n", "\n"), "")


def _word(word: object) -> str | bytes:
    return word if isinstance(word, bytes) else str(word)


def wait_for(condition: Callable[[], Any]) -> Any:
    """Return the first true value of a condition; fail after a while."""
    until = time.monotonic() + SECONDS
    pause = threading.Event()
    while time.monotonic() < until:
        if found := condition():
            return found
        pause.wait(0.02)
    raise AssertionError("it did not come true in time")


class Premises:
    """A configuration at `root/watcherd.toml` with the inbox `scanner`."""

    def __init__(self, root: Path, text: str = CONFIGURATION) -> None:
        self.root, self.file = root, root / "watcherd.toml"
        self.inbox, self.outbox = root / "inbox", root / "outbox"
        self.archive, self.failed = root / "archive", root / "failed"
        for folder in (self.inbox, self.outbox, self.archive, self.failed):
            folder.mkdir()
        self.configure(text)
        self._number = 0
        self._ledger: Ledger | None = None

    def configure(self, text: str) -> None:
        """Write another configuration."""
        self.file.write_text(text, "utf-8")

    @property
    def config(self) -> Config:
        """The configuration, read."""
        return config.load(self.file)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._ledger is not None:
            self._ledger.close()

    @property
    def ledger(self) -> Ledger:
        """The ledger, made if need be; closed with the premises."""
        if self._ledger is None:
            self._ledger = Ledger(self.root / "state" / "ledger.db")
        return self._ledger

    def run(self, *words: object, **more: str) -> Said:
        """Run the command in a pipe, in the root of these premises."""
        return watcherd("--config", self.file, *words, cwd=self.root, **more)

    def look(self, *words: object, **more: str) -> Said:
        """Run the command on a terminal, in the root of these premises."""
        return on_terminal("--config", self.file, *words, cwd=self.root, **more)

    def job(
        self, source: bytes = b"scan.pdf", state: State = State.READY, **changes: Any
    ) -> str:  # fmt: skip
        """Enter a job into the ledger, as the daemon would; return its id."""
        self._number += 1
        job = f"abcd-0000000{self._number:02d}{chr(96 + self._number)}xyz{self._number % 10}"
        inbox = changes.pop("inbox", "scanner")
        sha256 = changes.pop("sha256", f"{self._number:064x}")
        created = changes.pop("created", time.time() - 100 + self._number)
        self.ledger.add(job, inbox, source, 1000, sha256, created)
        self.ledger.reach(job, state, **changes)
        return job

    def beat(self, trouble: str | None = None) -> None:
        """Enter a daemon that lives: this very program."""
        self.ledger.beat(os.getpid(), time.time() - 60, trouble)


@contextmanager
def daemon(premises: Premises) -> Iterator[None]:
    """Run broker and daemon without workers: files are claimed, filed, and queued, no more."""
    needs("redis-server")
    settings = premises.config
    broker.socket_path(settings).parent.mkdir(parents=True, exist_ok=True)
    watched = [sys.executable, "-m", "watcherd", "--config", str(premises.file), "run"]
    with _program(premises, broker.server_command(settings)):
        wait_for(lambda: _answers(settings))
        with _program(premises, watched):
            wait_for(lambda: premises.run("status", "--json").json["daemon"]["running"])
            yield


def _answers(settings: Config) -> bool:
    try:
        broker.Window(settings).ping()
    except EnvironmentFault:
        return False
    return True


@contextmanager
def _program(premises: Premises, command: list[str]) -> Iterator[None]:
    with (premises.root / "programs.log").open("ab") as log:
        child = subprocess.Popen(
            command, env=environment(PYTHONPATH=str(ROOT)), stdin=subprocess.DEVNULL,
            stdout=log, stderr=log,
        )  # fmt: skip
    try:
        yield
    finally:
        child.terminate()
        assert child.wait(SECONDS) == 0, (premises.root / "programs.log").read_text()
