"""A real service in a folder of its own: started, watched, killed part by part, and cleared away.

Nothing is simulated: `watcherd up`, its Redis, workers and engines run as they do anywhere.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar

from needs import needs

from watcherd.config import VARIABLE
from watcherd.ledger import Job, Ledger
from watcherd.lifecycle import FINISHED, State

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType

T = TypeVar("T")

DEADLINE = 60.0
"""Seconds that a small document may take when nothing but waiting is done."""

_STOP = 25.0
PARTS = {
    "redis": "redis-server",
    "worker": "--name worker",
    "notifier": "--name notifier",
    "daemon": "watcherd run",
}
"""The children of `up`, by words of their command lines."""


@dataclass(frozen=True)
class Home:
    """The folders around one inbox."""

    name: str
    path: Path
    spool: Path

    @property
    def inbox(self) -> Path:
        """Where files are dropped."""
        return self.path / "inbox"

    @property
    def outbox(self) -> Path:
        """Where documents appear."""
        return self.path / "outbox"

    @property
    def archive(self) -> Path:
        """Originals after success."""
        return self.path / "archive"

    @property
    def failed(self) -> Path:
        """Originals after failure."""
        return self.path / "failed"

    def drop(self, name: str, data: bytes) -> bytes:
        """Write a file into the inbox as a program would; return its bytes."""
        path = self.inbox / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return data

    def found(self, folder: str) -> list[str]:
        """Return the names of all files below one of the folders."""
        root = self.path / folder
        return sorted(str(p.relative_to(root)) for p in root.rglob("*") if not p.is_dir())


def _table(heading: str, keys: Mapping[str, object]) -> str:
    rows = [f"{key} = {json.dumps(value)}" for key, value in keys.items()]
    return "\n".join([heading, *rows, ""])


class Service:
    """A service with one inbox, `scans`, or those in `inboxes`; use it in a `with` statement."""

    def __init__(
        self,
        inboxes: Mapping[str, Mapping[str, object]] | None = None,
        *,
        notify: Mapping[str, Mapping[str, object]] | None = None,
        limits: Mapping[str, object] | None = None,
        **main: object,
    ) -> None:
        """Write the configuration; nothing is started."""
        needs("redis-server", "tesseract")
        # Not in pytest's folder: the path of a unix socket has at most 107 bytes.
        self.root = Path(tempfile.mkdtemp(prefix="wd-"))
        self.homes: dict[str, Home] = {}
        self.up: subprocess.Popen[bytes] | None = None
        self._others: list[subprocess.Popen[bytes]] = []
        self._ledger: Ledger | None = None
        main = {"state_dir": str(self.root / "state"), "log": "json", "log_level": "debug", **main}
        text = [_table("[watcherd]", main), _table("[limits]", limits or {})]
        for name, keys in (inboxes or {"scans": {}}).items():
            path = self.root / name
            spool = Path(str(keys.get("spool", path / ".watcherd")))
            home = self.homes[name] = Home(name, path, spool)
            for folder in (home.inbox, home.outbox):
                folder.mkdir(parents=True)
            folders = {"name": name, "path": str(home.inbox), "outbox": str(home.outbox)}
            text.append(_table("[[inbox]]", {**folders, **keys}))
        text += [_table(f"[notify.{name}]", keys) for name, keys in (notify or {}).items()]
        self.config = self.root / "c.toml"
        self.config.write_text("\n".join(text), "utf-8")
        self._log = self.root / "log"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        left = self.close()
        if error is None:
            assert not left, f"the service left processes behind: {left}"

    @property
    def scans(self) -> Home:
        """The only inbox."""
        (home,) = self.homes.values()
        return home

    def watcherd(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start a command of ours, in a process group of its own; it is ended at the end."""
        with self._log.open("ab") as log:
            child = subprocess.Popen(
                [sys.executable, "-m", "watcherd", "-c", str(self.config), *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.root,
                env=os.environ | {VARIABLE: str(self.config)},
                start_new_session=True,
            )
        self._others.append(child)
        return child

    def start(self) -> None:
        """Start everything and wait until the daemon looks."""
        begun = len(self.log("daemon_started"))
        self.up = self.watcherd("up")
        self.until(lambda: len(self.log("daemon_started")) > begun, "the daemon has started")

    def stop(self) -> int:
        """Stop everything as a service manager does; return the exit code."""
        assert self.up is not None
        self.up.send_signal(signal.SIGTERM)
        return self.up.wait(_STOP)

    def close(self) -> list[str]:
        """End and remove all that is left; return the processes that outlived the service."""
        try:
            for child in self._others:
                if child.poll() is None:
                    child.send_signal(signal.SIGTERM)
                with suppress(subprocess.TimeoutExpired):
                    child.wait(_STOP)
            end = time.monotonic() + 3.0  # what the kernel ends with its parent takes a moment
            while self.processes() and time.monotonic() < end:
                time.sleep(0.02)
            left = self.processes()
            for pid in left:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            for child in self._others:
                child.wait(_STOP)
        finally:
            if self._ledger is not None:
                self._ledger.close()
            for home in self.homes.values():
                shutil.rmtree(home.spool, ignore_errors=True)
            shutil.rmtree(self.root, ignore_errors=True)
        return [f"{pid} {command}" for pid, (_, command) in left.items()]

    # Its processes

    def processes(self) -> dict[int, tuple[int, str]]:
        """Return parent and command line of every process of this service, and of no other."""
        mark = f"{VARIABLE}={self.config}".encode()
        found = {}
        for folder in Path("/proc").iterdir():
            if not folder.name.isdecimal():
                continue
            with suppress(OSError):
                state, parent = (folder / "stat").read_text().rpartition(") ")[2].split()[:2]
                command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                # Redis writes its title over its environment; our folder is part of that title.
                ours = mark in (folder / "environ").read_bytes().split(b"\0")
                if (ours or f"{self.root}/state/" in command) and state not in "ZX":
                    found[int(folder.name)] = (int(parent), command)
        return found

    def part(self, name: str) -> int:
        """Return the process id of a child of `up`, waiting until there is one."""
        assert self.up is not None
        up = self.up.pid

        def look() -> int | None:
            for pid, (parent, command) in self.processes().items():
                if parent == up and PARTS[name] in command:
                    return pid
            return None

        return self.until(look, f"there is a {name}")

    def children(self, pid: int) -> list[int]:
        """Return the processes that a part has started: a worker's pool."""
        return [p for p, (parent, _) in self.processes().items() if parent == pid]

    def kill(self, name: str) -> int:
        """Kill a part with SIGKILL; return the process id that it had."""
        pid = self.part(name)
        os.kill(pid, signal.SIGKILL)
        return pid

    # What it shows

    def log(self, event: str | None = None, **keys: object) -> list[dict[str, Any]]:
        """Return the log's lines, those of an event and with these keys."""
        lines = []
        if self._log.exists():
            for row in self._log.read_text("utf-8", "replace").splitlines():
                with suppress(ValueError):
                    lines.append(json.loads(row))
        wanted = keys if event is None else {"event": event, **keys}
        return [line for line in lines if wanted.items() <= line.items()]

    @property
    def ledger(self) -> Ledger:
        """The service's ledger, as a command opens it."""
        if self._ledger is None:
            self._ledger = Ledger(self.root / "state" / "ledger.db")
        return self._ledger

    def jobs(self, source: str, home: Home | None = None) -> list[Job]:
        """Return the jobs that a file of this name became, the newest first."""
        return self.ledger.by_source((home or self.scans).name, os.fsencode(source))

    def until(self, condition: Callable[[], T | None], what: str, seconds: float = DEADLINE) -> T:
        """Wait until a condition gives something true, and return that."""
        end = time.monotonic() + seconds
        while not (found := condition()):
            if time.monotonic() > end:
                rows = self._log.read_text("utf-8", "replace").splitlines()[-25:]
                raise AssertionError(f"not within {seconds:g} s: {what}; log:\n" + "\n".join(rows))
            time.sleep(0.02)
        return found

    def finished(self, source: str, home: Home | None = None, seconds: float = DEADLINE) -> Job:
        """Wait until the newest job of this name has ended, and return it."""

        def look() -> Job | None:
            return next((j for j in self.jobs(source, home)[:1] if j.state in FINISHED), None)

        return self.until(look, f"{source} has ended", seconds)

    def done(
        self, source: str, data: bytes, home: Home | None = None, seconds: float = DEADLINE
    ) -> Path:
        """Wait for a file's one good outcome, see that it is the only one, and return its PDF.

        One job, completed once, one PDF, the original's bytes in the archive and nowhere else.
        """
        home = home or self.scans
        job = self.finished(source, home, seconds)
        assert job.state is State.DONE, (job.code, job.reason)
        assert [j.job for j in self.jobs(source, home)] == [job.job]
        assert [s.after for s in self.ledger.history(job.job)].count(State.DONE) == 1
        stem = source.rpartition(".")[0]
        mine = [n for n in home.found("outbox") if n.startswith((f"{stem}.", f"{stem}-"))]
        assert mine == [f"{stem}.pdf"]
        assert job.outputs == (str(home.outbox / f"{stem}.pdf"),)
        assert (home.archive / source).read_bytes() == data
        assert not os.path.lexists(home.inbox / source)
        assert source not in home.found("failed")
        assert not (home.spool / "work" / job.job).exists()
        return home.outbox / f"{stem}.pdf"
