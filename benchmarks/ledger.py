"""A ledger that remembers a million finished jobs, against an empty one.

The commands are started as a person would, in turns between the two, so that both see the same
machine; so are the files that two daemons take.
"""

from __future__ import annotations

import json
import random
import sqlite3
import statistics
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from benchmarks.alone import SCAN, Alone, alone, configured
from benchmarks.bench import folder, until
from watcherd.ledger import Ledger

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_JOBS = 1_000_000
_DAYS = 1000
_TIMES = 11
_LIMIT = 1.5
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_JOB = "abcd-000000000first"

_COMMANDS = (
    *(
        (*words, *json)
        for words in (("status",), ("jobs",), ("show", _JOB))
        for json in ((), ("--json",))
    ),
    ("jobs", "--state", "skipped"),
    ("show", "first"),
    ("show", _JOB[:-1]),
    *(
        ("explain", name)
        for name in (
            "0.pdf",
            "unheard-of.pdf",
            "/srv/outbox/0.pdf",
            "/srv/archive/1.pdf",
            "/nowhere",
        )
    ),
)


def main() -> None:
    """Print, for each command and for a dispatch, how many times as long it takes."""
    with folder() as empty, folder() as full:
        for root, jobs in ((empty, 1), (full, _JOBS)):
            configured(root, "ahead = 1000\nin_flight = 1000")
            began = time.perf_counter()
            _fill(root / "s" / "ledger.db", jobs)
        took = time.perf_counter() - began
        size = (full / "s" / "ledger.db").stat().st_size / _JOBS
        print(f"{_JOBS} jobs of {size:.0f} bytes, entered in {took:.0f} s")
        for words in _COMMANDS:
            pairs = [(_seconds(empty, words), _seconds(full, words)) for _ in range(_TIMES)]
            _tell(" ".join(words), pairs)
        with alone(empty) as one, alone(full) as other:
            pairs = [_dispatches((empty, one), (full, other), n) for n in range(2 * _TIMES)]
        _tell("close to dispatch", pairs[2:])


def _seconds(root: Path, words: tuple[str, ...]) -> float:
    command = [sys.executable, "-m", "watcherd", "-c", str(root / "c.toml"), *words]
    start = time.perf_counter()
    done = subprocess.run(command, capture_output=True, check=False, cwd=root)
    assert done.returncode in (0, 1), done.stderr
    return time.perf_counter() - start


def _dispatches(
    few: tuple[Path, Alone], many: tuple[Path, Alone], number: int
) -> tuple[float, float]:
    """Return both times; whoever is second finds a disk that was written to a moment ago."""
    if number % 2:
        return _dispatch(*few, number), _dispatch(*many, number)
    last = _dispatch(*many, number)
    return _dispatch(*few, number), last


def _dispatch(root: Path, daemon: Alone, number: int) -> float:
    """Return the time from a file's coming until its message waits at the broker."""
    until(lambda: len(daemon.said("inbox_scanned")) > 0)
    before = daemon.messages()
    (root / "new.pdf").write_bytes(SCAN)
    (root / "new.pdf").rename(root / "inbox" / f"new-{number}.pdf")
    start = time.perf_counter()
    return until(lambda: daemon.messages() > before) - start


def _tell(what: str, pairs: list[tuple[float, float]]) -> None:
    few, many = (statistics.median(column) for column in zip(*pairs, strict=True))
    times = many / few
    print(
        f"{what:40} {few * 1000:3.0f} ms, with a million jobs {many * 1000:3.0f} ms: {times:.2f} "
        f"times as long, {times / _LIMIT:.2f} of its limit",
        flush=True,
    )


def _fill(file: Path, jobs: int) -> None:
    """Enter finished jobs, each with three steps, faster than the daemon would."""
    Ledger(file).close()
    db = sqlite3.connect(file, isolation_level=None)
    db.execute("PRAGMA synchronous = OFF")
    db.execute("PRAGMA cache_size = -262144")
    db.execute("BEGIN")
    for job, number, at in _jobs(jobs):
        good = bool(number % 50)
        end, place = ("done", "archive") if good else ("failed", "failed")
        db.execute(
            "INSERT INTO job (job, inbox, source, size, sha256, state, outputs, filed, code, "
            "reason, created, updated, finished) "
            "VALUES (?1, 'bench', ?2, 9, ?3, ?4, ?5, ?6, ?7, ?7, ?8, ?8, ?8)",
            (
                job,
                b"%d.pdf" % number,
                f"{number:064x}",
                end,
                json.dumps([f"/srv/outbox/{number}.pdf"] if good else []),
                f"/srv/{place}/{number}.pdf".encode(),
                None if good else "corrupt",
                at,
            ),
        )
        steps = (("dispatched", "ready", "queued"), ("started", "queued", "running"))
        last = ("completed" if good else "gave_up", "running", end)
        db.executemany(
            "INSERT INTO transition (job, at, event, before, after) VALUES (?, ?, ?, ?, ?)",
            [(job, at, *step) for step in (*steps, last)],
        )
    db.execute("COMMIT")
    db.close()


def _jobs(jobs: int) -> Iterator[tuple[str, int, float]]:
    """Give ids, numbers and times of jobs that came in equal steps over some years."""
    chance, now = random.Random(1), time.time()  # noqa: S311 - nothing here is secret
    for number in range(jobs):
        at = now - _DAYS * 86400.0 * (jobs - number) / jobs
        token = _base36(chance.getrandbits(25), 5)
        job = f"abcd-{_base36(int(at * 1000), 9)}{token}" if number else _JOB
        yield job, number, at


def _base36(number: int, width: int) -> str:
    digits = ""
    for _ in range(width):
        number, digit = divmod(number, 36)
        digits = _DIGITS[digit] + digits
    return digits


if __name__ == "__main__":
    main()
