"""A whole storm: drops and faults together, then the quiet, then the verdict and the figures."""

from __future__ import annotations

import json
import random
import sqlite3
import threading
import time
from collections import Counter
from contextlib import closing, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from storm import documents
from storm.checker import Verdict, check
from storm.crew import WORKERS, Crew
from storm.drops import Drops
from storm.faults import Faults, deck
from storm.ground import Ground
from storm.poison.sitecustomize import KILLS_ITS_WORKER, KILLS_ITSELF
from storm.sight import DAEMON_ROWS, WORKER_ROWS, look
from watcherd.jobdir import JobDir

if TYPE_CHECKING:
    from collections.abc import Callable

QUIET = 60.0
"""Seconds after the last fault by which everything must be done."""

_PATIENCE = 180.0  # to tell what is late from what is lost
_SAMPLE = 0.25
_LOOK = 0.1
_pause = threading.Event().wait


@dataclass(frozen=True)
class Plan:
    """How much of everything."""

    seed: int = 1
    count: int = 2000  # small documents and full pages
    faults: int = 200
    fulls: int = 40
    book: int = 60  # pages
    lease: float = 3.0
    attempts: int = 3
    longest: float = 16.0  # seconds that a process stays stopped: beyond every timeout
    gap: float = 2.5  # longest pause between two faults, seconds
    ahead: int = 60  # documents dropped and not done, at most


@dataclass
class Report:
    """What a storm showed."""

    plan: Plan
    verdict: Verdict
    quiet: float | None  # seconds after the last fault; None: not reached
    seconds: float
    faults: Faults
    starts: dict[str, int]
    stages: Counter[str]
    events: Counter[str]
    lost: int  # attempts that were left open
    most: int  # attempts of one stage or page of an innocent document
    notes: list[str] = field(default_factory=list)

    @property
    def good(self) -> bool:
        """Whether the promise was held."""
        return self.verdict.good and self.quiet is not None and self.quiet <= QUIET

    @property
    def _again(self) -> int:
        return self.stages.total() - len(self.stages)

    def lines(self) -> list[str]:
        """Return the figures in words."""
        faults, quiet = self.faults, "never" if self.quiet is None else f"{self.quiet:.1f} s"
        reached = [f"{row} {faults.rows[row]}" for row in (*DAEMON_ROWS, *WORKER_ROWS)]
        return [
            f"seed {self.plan.seed}: {faults.kinds.total()} faults in {self.seconds:.0f} s",
            f"faults that came while a stage ran: {faults.hits}",
            *self.verdict.lines(),
            f"quiet {quiet} after the last fault",
            "faults: " + ", ".join(f"{k} {n}" for k, n in sorted(faults.kinds.items())),
            "starts: " + ", ".join(f"{k} {n}" for k, n in self.starts.items()),
            f"stages finished: {self.stages.total()}, again {self._again}",
            f"submitted again after silence: {self.events['lease_expired']}",
            f"submitted again after an error: {self.events['retry_scheduled']}",
            f"attempts left open {self.lost}; most of one innocent page {self.most}",
            "kills that met jobs at: " + ", ".join(reached),
            *self.notes,
        ]


class Storm:
    """One storm."""

    def __init__(self, plan: Plan, say: Callable[[str], None]) -> None:
        """Prepare the ground and the documents; nothing is started."""
        self.plan, self._say = plan, say
        self._random = random.Random(plan.seed)  # noqa: S311 - to be repeated, not to be secret
        self.ground = Ground(plan.lease, plan.attempts)
        poisons = (KILLS_ITSELF, KILLS_ITS_WORKER)
        self._documents = documents.plan(plan.count, plan.fulls, plan.book, poisons, self._random)
        self._lost: set[str] = set()
        self._most = 0
        self._over = threading.Event()

    def run(self) -> Report:
        """Let it rage; return what it showed. The ground is left for `ground.clear`."""
        begun = time.monotonic()
        sampler = threading.Thread(target=self._sample, daemon=True)
        with Crew(self.ground, random.Random(self.plan.seed)) as crew:  # noqa: S311 - as above
            faults = Faults(self.ground, crew, self._random, self.plan.longest)
            drops = Drops(self.ground)
            sampler.start()
            self._rage(faults, drops)
            seconds = time.monotonic() - begun
            quiet = self._quiet(faults)
            self._over.set()
            sampler.join()
        verdict = check(self.ground, self._documents)
        verdict.wrong += drops.trouble
        starts = {name: part.starts for name, part in crew.parts.items()}
        notes = [] if self.ground.mounted else ["no disk was filled: mounting is not allowed here"]
        return Report(
            self.plan, verdict, quiet, seconds, faults, starts, self._stages(crew), self._events(),
            len(self._lost), self._most, notes,
        )  # fmt: skip

    def _rage(self, faults: Faults, drops: Drops) -> None:
        without = frozenset() if self.ground.mounted else frozenset({"disk full"})
        kinds = deck(self.plan.faults, self._random, without=without)
        parts = documents.batches(self._documents, len(kinds))
        for n, (kind, part) in enumerate(zip(kinds, parts, strict=True), 1):
            self._wait(faults, self._random.uniform(0.1, self.plan.gap))
            self._await_room(faults, drops)
            drops.give(part)
            faults.strike(kind)
            done = self._done()
            self._say(f"{n}/{len(kinds)} {kind}; {done} of {drops.dropped} dropped are done")
        while faults.lasting:
            self._wait(faults, _LOOK)
        drops.finish(QUIET)

    def _wait(self, faults: Faults, seconds: float) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            _pause(min(_LOOK, seconds))
            faults.tend()

    def _await_room(self, faults: Faults, drops: Drops) -> None:
        """Wait, not for ever, until not too much is in work: else the end would be far away."""
        until = time.monotonic() + QUIET / 2
        while drops.dropped - self._done() > self.plan.ahead and time.monotonic() < until:
            self._wait(faults, _LOOK)

    def _done(self) -> int:
        """Return how many originals are filed."""
        return sum(
            not path.name.endswith((".json", ".part"))
            for place in self.ground.places.values()
            for folder in (place.archive, place.failed)
            for path in folder.iterdir()
        )

    def _quiet(self, faults: Faults) -> float | None:
        until = faults.last + _PATIENCE
        while time.monotonic() < until:
            in_work = any(any((spool / "work").iterdir()) for spool in self.ground.spools)
            if not in_work and self._done() >= len(self._documents):
                return time.monotonic() - faults.last
            _pause(_LOOK)
        return None

    # Figures

    def _sample(self) -> None:
        """Watch the attempts of all jobs: they are gone when a job is done."""
        while not self._over.wait(_SAMPLE):
            sight = look(self.ground)
            self._lost |= sight.stale
            for key, count in sight.tries.items():
                if count > self._most and not self._is_poison(key.partition(" ")[0]):
                    self._most = count

    def _is_poison(self, job: str) -> bool:
        for spool in self.ground.spools:
            if (claim := JobDir(spool / "work" / job).claim()) is not None:
                return claim.source.startswith(b"poison")
        return True  # gone meanwhile: not known

    def _stages(self, crew: Crew) -> Counter[str]:
        """Count the finished stages by what they were of."""
        found: Counter[str] = Counter()
        for worker in WORKERS:
            for row in crew.log(worker).read_text("utf-8", "replace").splitlines():
                with suppress(ValueError):
                    line = json.loads(row)
                    if line.get("event") == "stage_finished":
                        found[f"{line['job']} {line['stage']} {line.get('page')}"] += 1
        return found

    def _events(self) -> Counter[str]:
        with closing(sqlite3.connect(self.ground.state / "ledger.db")) as ledger:
            rows = ledger.execute("SELECT event, count(*) FROM transition GROUP BY event")
            return Counter(dict(rows))
