"""Machines that misbehave: small disks, mounts that come and go, filesystems that hang."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from needs import needs
from service import Service

from watcherd import broker

if TYPE_CHECKING:
    from collections.abc import Iterator

SMALL = 48 << 20
"""Bytes of a small disk."""


def mount(path: Path, *options: str) -> None:
    """Mount a small disk over a folder; skip the test where that is not allowed."""
    needs("root", "mount")
    given = ",".join((f"size={SMALL}", *options))
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", given, "watcherd-test", path],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        pytest.skip(f"this machine allows no mounts: {done.stderr.strip()}")


def unmount(path: Path) -> None:
    """Unmount whatever lies over a folder, also what is in use."""
    subprocess.run(["umount", "--lazy", path], check=True)


def remount(path: Path, mode: str) -> None:
    """Make a mount read-only, `ro`, or writable again, `rw`."""
    subprocess.run(["mount", "-o", f"remount,{mode}", path], check=True)


@contextmanager
def disk(path: Path) -> Iterator[Path]:
    """Have a small disk over a folder, gone at the end."""
    path.mkdir(parents=True, exist_ok=True)
    mount(path)
    try:
        yield path
    finally:
        while path.is_mount():
            unmount(path)


@contextmanager
def bound(backing: Path, path: Path) -> Iterator[None]:
    """Have another folder over a folder, which may be of one filesystem with it."""
    needs("root", "mount")
    backing.mkdir(exist_ok=True)
    done = subprocess.run(["mount", "--bind", backing, path], capture_output=True, check=False)
    if done.returncode:
        pytest.skip(f"this machine allows no mounts: {done.stderr.decode().strip()}")
    try:
        yield
    finally:
        unmount(path)


def fill(folder: Path, leave: int = 0) -> Path:
    """Fill the disk of a folder up to so many free bytes; return the file that does it."""
    filler = folder / ".filler"
    size = os.statvfs(folder)
    with filler.open("wb") as file, suppress(OSError):
        os.posix_fallocate(file.fileno(), 0, max(size.f_bavail * size.f_frsize - leave, 1))
    return filler


class Broker:
    """A Redis of the test's own, so that nobody starts it again when it is gone."""

    def __init__(self) -> None:
        self.folder = tempfile.TemporaryDirectory(prefix="wd-")
        self.socket = Path(self.folder.name) / "redis.sock"
        self.child: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Its address, for the configuration."""
        return f"redis+socket://{self.socket}?virtual_host=0"

    def start(self) -> None:
        """Start it, empty, and wait for its socket."""
        binary = broker.server_binary()
        assert binary is not None
        self.child = subprocess.Popen(
            [binary, "--port", "0", "--unixsocket", self.socket, "--save", ""],
            stdout=subprocess.DEVNULL,
        )
        wait_for(self.socket.exists)

    def kill(self) -> None:
        """Kill it, with all that it holds."""
        assert self.child is not None
        self.child.kill()
        self.child.wait()
        self.socket.unlink(missing_ok=True)

    def signal(self, number: int) -> None:
        """Send it a signal: SIGSTOP makes it hang."""
        assert self.child is not None
        self.child.send_signal(number)


def wait_for(condition, seconds: float = 20.0) -> None:
    """Wait until a condition holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.01)


@contextmanager
def own_broker() -> Iterator[Broker]:
    """Have a broker that the service did not start."""
    needs("redis-server")
    one = Broker()
    one.start()
    try:
        yield one
    finally:
        one.signal(signal.SIGCONT)
        one.kill()
        one.folder.cleanup()


class Restrained(Service):
    """A service without root's right to read and write everything."""

    def watcherd(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start a command of ours that is held to the permission bits of files."""
        plain = subprocess.Popen

        def held(command, **keys):
            rights = "-dac_override,-dac_read_search"
            return plain(["setpriv", f"--bounding-set={rights}", "--", *command], **keys)

        subprocess.Popen = held
        try:
            return super().watcherd(*arguments)
        finally:
            subprocess.Popen = plain


def trouble(service: Service, name: str = "scans") -> str:
    """Return what the ledger's row of an inbox says is the matter, "" if nothing is."""
    row = service.ledger.inboxes().get(name)
    return (row.trouble or "") if row else ""


def hold_worker(service: Service) -> list[int]:
    """Stop the worker and its pool in their tracks; return the processes to be continued."""
    worker = service.part("worker")
    held = [worker, *service.children(worker)]
    for pid in held:
        os.kill(pid, signal.SIGSTOP)
    return held


def go_on(held: list[int]) -> None:
    """Continue processes that were stopped."""
    for pid in held:
        os.kill(pid, signal.SIGCONT)
