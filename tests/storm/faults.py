"""The faults: what they do, and the moment that each of them waits for."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from storm.crew import WORKERS, Hold
from storm.sight import DAEMON_ROWS, WORKER_ROWS, look

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from storm.crew import Crew
    from storm.ground import Ground
    from storm.sight import Sight

KINDS = {
    "kill -9 daemon": 3, "kill -9 worker": 3, "kill -9 pool child": 3, "kill -9 Redis": 2,
    "FLUSHALL": 2, "stop daemon": 1, "stop worker": 1, "stop pool child": 1, "stop Redis": 1,
    "SIGTERM daemon": 1, "SIGTERM worker": 1, "disk full": 1,
}  # fmt: skip
"""Every kind of fault, and how often it comes."""

_MOMENT = 2.5  # seconds that a fault waits for the moment it wants
_STILL = 0.2  # longer than most attempts take
_UP = 20.0
_REDIS_SECONDS = 2.0
_pause = threading.Event().wait


def deck(count: int, random: Random, *, without: frozenset[str]) -> list[str]:
    """Return that many kinds in random order, every kind at least once if there is room."""
    kinds = [kind for kind in KINDS if kind not in without]
    weights = [KINDS[kind] for kind in kinds]
    drawn = kinds[:count] + random.choices(kinds, weights, k=max(count - len(kinds), 0))
    random.shuffle(drawn)
    return drawn


class Faults:
    """Strikes, and counts what was hit."""

    def __init__(self, ground: Ground, crew: Crew, random: Random, longest: float) -> None:
        """Prepare; what is stopped stays so for up to `longest` seconds."""
        self._ground, self._crew, self._random, self._longest = ground, crew, random, longest
        self._held: list[tuple[float, Callable[[], None]]] = []
        self.kinds: Counter[str] = Counter()
        self.rows: Counter[str] = Counter()
        self.hits = 0  # that came while a stage ran
        self.last = time.monotonic()  # when the last fault was over

    def strike(self, kind: str) -> None:
        """Let a fault happen."""
        what, _, victim = kind.rpartition(" ")
        what, victim = (kind, "") if kind in ("FLUSHALL", "disk full") else (what, victim)
        if kind.endswith("pool child"):
            what, victim = kind.removesuffix(" pool child"), "child"
        pids = self._pids(victim)
        before, hold = self._moment(victim, pids if what.startswith("kill") else [])
        if what == "FLUSHALL":
            self._flush()
        elif what == "disk full":
            self._ground.fill()
            self._later(self._ground.free)
        elif what == "stop":
            hold = self._stopped_at_work(pids) if pids[1:] or victim == "child" else Hold(pids)
            self._later(hold.release)
        else:
            number = signal.SIGTERM if what == "SIGTERM" else signal.SIGKILL
            with suppress(ProcessLookupError):
                os.kill(pids[0], number)
            self._count(victim, number)
            hold.release()
        self.kinds[kind] += 1
        self.hits += before.running > 0
        self.last = time.monotonic()

    def tend(self, *, all_of_them: bool = False) -> None:
        """End the faults whose time is over, or all."""
        now = time.monotonic()
        for held in list(self._held):
            if all_of_them or held[0] <= now:
                self._held.remove(held)
                held[1]()
                self.last = time.monotonic()

    @property
    def lasting(self) -> bool:
        """Whether some fault is not over."""
        return bool(self._held)

    def _later(self, end: Callable[[], None]) -> None:
        seconds = self._random.uniform(0.75 * self._longest, self._longest)
        self._held.append((time.monotonic() + seconds, end))

    def _pids(self, victim: str) -> list[int]:
        """Return the processes of a victim; waits until it is up."""
        if not victim:
            return []
        worker = self._random.choice(WORKERS)
        name = {"worker": worker, "child": worker, "Redis": "redis"}.get(victim, victim)
        until = time.monotonic() + _UP
        while time.monotonic() < until:
            self.tend()
            pid, pool = self._crew.pid(name), self._crew.pool(name)
            if pid is not None and (victim in ("daemon", "Redis") or pool):
                return {"child": pool[:1], "worker": [pid, *pool]}.get(victim, [pid])
            _pause(0.01)
        raise AssertionError(f"{name} does not come up; see {self._crew.log(name)}")

    def _moment(self, victim: str, pids: list[int]) -> tuple[Sight, Hold]:
        """Wait for a moment at which jobs stand where this fault wants to meet them.

        The processes `pids` are stopped to have it; what then turns out to be over is let go.
        """
        rows = {"daemon": DAEMON_ROWS, "worker": WORKER_ROWS, "child": WORKER_ROWS}
        wanted = self._random.choice(rows.get(victim, ("try file",)))
        until = time.monotonic() + _MOMENT
        while True:
            sight = look(self._ground)
            if time.monotonic() > until:
                return sight, Hold(())
            if wanted in sight.rows:
                hold = Hold(pids)
                if wanted in look(self._ground).rows:
                    return sight, hold
                hold.release()
            _pause(0.001)

    def _stopped_at_work(self, pids: list[int]) -> Hold:
        """Stop a worker in the middle of an attempt, as far as can be seen: one stands still."""
        until = time.monotonic() + _MOMENT
        while True:
            hold = Hold(pids)
            before = look(self._ground).open
            _pause(_STILL)
            if before & look(self._ground).open or time.monotonic() > until:
                return hold
            hold.release()
            _pause(0.01)

    def _count(self, victim: str, number: int) -> None:
        """Count at which rows of the crash table the victim's jobs are left."""
        mine = {"daemon": DAEMON_ROWS, "worker": WORKER_ROWS, "child": WORKER_ROWS}
        if number == signal.SIGKILL:
            self.rows.update(look(self._ground).rows.intersection(mine.get(victim, ())))

    def _flush(self) -> None:
        until = time.monotonic() + _UP
        while True:
            client = redis.Redis(
                unix_socket_path=str(self._ground.socket),
                socket_timeout=_REDIS_SECONDS,
                retry=Retry(NoBackoff(), 0),
            )
            try:
                client.flushall()
            except redis.RedisError:
                assert time.monotonic() < until, "Redis does not come up"
                self.tend()
                _pause(0.05)
            else:
                return
            finally:
                client.close()
