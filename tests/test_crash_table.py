"""Every row of the crash table: the real process is killed at that very place, then recovers.

Rows and order are those of README.md, “What if it dies here?”. The fault points are compiled in
by `faults/sitecustomize.py`, for these tests alone.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest
from makers import sheet
from needs import needs
from service import Service

from watcherd.lifecycle import State

FAULTS = Path(__file__).parent / "faults"


@dataclass(frozen=True)
class Row:
    """One place to die at, and what the document is then."""

    place: str
    pages: int = 1
    inbox: tuple[tuple[str, object], ...] = ()
    elsewhere: str = ""  # which folder lies on another filesystem


ROWS = {
    "job.json": Row("watcherd.jobdir:JobDir.write_claim:after:1"),
    "claim rename": Row("watcherd.claiming:_rename:after:1"),
    "copy, before the unlink": Row("watcherd.claiming:release:before:1", elsewhere="spool"),
    "half a copy": Row("watcherd.claiming:_copy:before:1", elsewhere="spool"),
    "seal": Row("watcherd.jobdir:JobDir.seal:after:1"),
    "plan landed": Row("watcherd.jobdir:JobDir.write_plan:after:1", pages=3),
    "try file": Row("watcherd.jobdir:JobDir.begin_try:after:1"),
    "half a result": Row("watcherd.jobdir:JobDir.land:before:1"),
    "result landed": Row("watcherd.jobdir:JobDir.land:after:1"),
    "page landed": Row("watcherd.jobdir:JobDir.land:after:2", pages=3),
    "publish recorded": Row("watcherd.jobdir:JobDir.intend:after:1"),
    "some of the set linked": Row("watcherd.publish:_place_one:after:1"),
    "some of the set copied": Row("watcherd.publish:_place_one:after:1", elsewhere="outbox"),
    "all of the set copied": Row("watcherd.publish:_place:after:1", elsewhere="outbox"),
    "notice written": Row("watcherd.notices:write:after:1"),
    "done, not notified": Row("watcherd.jobdir:JobDir.conclude:after:1"),
    "original about to be filed": Row("watcherd.filing:_slot:after:1"),
    "original filed": Row("watcherd.filing:_file_original:after:1"),
    "original copied, not yet removed": Row(
        "watcherd.filing:_move_copy:before:1", elsewhere="archive"
    ),
    "directory moved aside": Row("watcherd.filing:settle_record:before:1"),
    "record stored": Row("watcherd.filing:file_away:after:1"),
}


def _scan(pages: int) -> bytes:
    """Return a scan of so many pages."""
    images = [sheet((f"Page number {n}", "of a document")).image for n in range(1, pages + 1)]
    out = io.BytesIO()
    if pages == 1:
        images[0].save(out, "PNG", dpi=(200, 200))
    else:
        images[0].save(out, "TIFF", save_all=True, append_images=images[1:], dpi=(200, 200))
    return out.getvalue()


def _copies(data: bytes, *roots: Path) -> list[str]:
    """Return every file below the roots that holds the original's bytes."""
    wanted = hashlib.sha256(data).digest()
    files = {p.resolve() for root in roots for p in root.rglob("*") if p.is_file()}
    return sorted(str(p) for p in files if hashlib.sha256(p.read_bytes()).digest() == wanted)


@pytest.fixture
def arm(monkeypatch, tmp_path):
    """Give a function that arms a fault point; it returns the file that says it was reached."""

    def armed(place: str) -> Path:
        fired = tmp_path / "fired"
        monkeypatch.setenv("PYTHONPATH", str(FAULTS))
        monkeypatch.setenv("WATCHERD_TEST_FAULT", place)
        monkeypatch.setenv("WATCHERD_TEST_FAULT_FIRED", str(fired))
        return fired

    return armed


@pytest.mark.parametrize("name", ROWS)
def test_a_document_survives_a_kill(name, arm, shm):
    """Killed at this place, the document still has one outcome, and its original one place."""
    row = ROWS[name]
    fired = arm(row.place)
    keys: dict[str, object] = {"formats": ["pdf", "txt"], "settle": 0.5, "notify": ["hook"]}
    if row.elsewhere:
        keys[row.elsewhere] = str(shm(row.elsewhere))
    told = fired.with_name("told")
    hook = {"command": ["sh", "-c", f"cat >> {told}; echo >> {told}"]}
    with Service({"scans": keys}, notify={"hook": hook}, lease=3) as service:
        home = service.scans
        suffix = "png" if row.pages == 1 else "tiff"
        data = home.drop(f"a.{suffix}", _scan(row.pages))
        job = service.finished(f"a.{suffix}", seconds=60)
        assert job.state is State.DONE, (job.code, job.reason)
        assert fired.exists(), "the fault point was never reached"
        outbox = Path(str(keys.get("outbox", home.outbox)))
        archive = Path(str(keys.get("archive", home.archive)))
        assert sorted(os.listdir(outbox)) == ["a.pdf", "a.txt"]
        assert (outbox / "a.txt").read_text("utf-8").count("Page number") == row.pages
        assert _copies(data, service.root, *shm.made) == [str((archive / f"a.{suffix}").resolve())]
        assert len(service.jobs(f"a.{suffix}")) == 1
        spools = [p for p in (home.spool, service.root / "state" / "spool") if p.exists()]
        service.until(
            lambda: not [j for p in spools for j in (p / "work").iterdir()], "the spool is empty"
        )
        service.until(lambda: told.exists() and told.read_text().endswith("\n"), "it was told")
        keys_told = {json.loads(line)["idempotency_key"] for line in told.read_text().splitlines()}
        assert keys_told == {f"{job.job}.success"}


@pytest.mark.parametrize(
    "place",
    ["watcherd.filing:_fetch_original:after:1", "watcherd.filing:restore:after:1"],
    ids=["original half way back", "back in work"],
)
def test_a_retry_survives_a_kill(place, arm):
    """Killed in the middle of a retry, the job is retried, and has one outcome again."""
    fired = arm(place)
    with Service({"scans": {"settle": 0.5}}, lease=3) as service:
        home = service.scans
        data = home.drop("a.png", _scan(1)[:2000])
        first = service.finished("a.png")
        assert first.state is State.FAILED
        service.ledger.ask("retry", first.job)
        service.until(fired.exists, "the fault point was reached")

        def again() -> bool:
            events = [step.event.value for step in service.ledger.history(first.job)]
            return events.count("gave_up") == 2

        service.until(again, "it has failed again", 60)
        assert home.found("failed") == ["a.png", "a.png.error.json"]
        service.until(
            lambda: _copies(data, service.root) == [str((home.failed / "a.png").resolve())],
            "the original is in one place",
        )


class Elsewhere:
    """Folders on another filesystem than the rest."""

    def __init__(self) -> None:
        needs("a second filesystem")
        self.made: list[Path] = []

    def __call__(self, name: str) -> Path:
        """Return a new folder."""
        self.made.append(Path(tempfile.mkdtemp(prefix="wd-", dir="/dev/shm")))
        return self.made[-1] / name if name == "spool" else self.made[-1]


@pytest.fixture
def shm():
    """Give folders on another filesystem, removed at the end."""
    elsewhere = Elsewhere()
    yield elsewhere
    for path in elsewhere.made:
        shutil.rmtree(path)
