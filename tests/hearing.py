"""An ear at a real inbox: hints are waited for, scripts run where a machine's limits are ours."""

from __future__ import annotations

import contextlib
import os
import queue
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from watcherd.observer import Hint, HintKind, InboxWatch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parent.parent
DEADLINE = 20.0  # seconds


class Ear:
    """An inbox, its watch, and the hints that came."""

    def __init__(self, inbox: Path) -> None:
        self.inbox = inbox
        self.hints: queue.Queue[Hint] = queue.Queue()
        self.watch = InboxWatch(inbox, self.hints.put)

    def until(self, path: Path | bytes, kind: HintKind) -> list[Hint]:
        """Wait for this hint and return all that came before it."""
        wanted = Hint(os.fsencode(path), kind)
        heard = []
        end = time.monotonic() + DEADLINE
        while True:
            try:
                hint = self.hints.get(timeout=max(0.0, end - time.monotonic()))
            except queue.Empty:
                pytest.fail(f"no {wanted}, but {heard}")
            if hint == wanted:
                return heard
            heard.append(hint)


def wait_for(condition: Callable[[], object]) -> None:
    """Wait until a condition holds."""
    end = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.01)


@contextlib.contextmanager
def listening(inbox: Path) -> Iterator[Ear]:
    ear = Ear(inbox)
    ear.watch.start()
    try:
        yield ear
    finally:
        ear.watch.stop()


def in_namespace(script: str, *arguments: object, flags: tuple[str, ...] = ()) -> str:
    """Run a script as root of its own user namespace and return what it printed."""
    command = ["unshare", "--user", "--map-root-user", *flags]
    if subprocess.run([*command, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this machine allows no user namespaces")
    command += [sys.executable, "-c", script, *map(str, arguments)]
    result = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert result.returncode == 0, result.stderr
    return result.stdout
