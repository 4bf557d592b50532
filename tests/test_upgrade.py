"""An upgrade with jobs in flight goes on with them; what a later version wrote is left alone."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from papers import text_of
from service import Home, Service

from watcherd import files
from watcherd.jobdir import JobDir
from watcherd.lifecycle import State
from watcherd.model import SCHEMA

DATA = Path(__file__).parent / "data"
STAGES = ("claimed", "sealed", "read", "built", "intended")


def _install(home: Home, schema: int) -> None:
    """Put a spool of that version where the service has its own, as if it had stopped there."""
    shutil.copytree(DATA / f"spool-{schema}", home.spool)
    for folder in ("work", "notices", "parked", "records", "kept"):
        (home.spool / folder).mkdir(exist_ok=True)
    for job in map(JobDir, (home.spool / "work").iterdir()):
        if (seal := job.read_seal()) is not None:  # a copy of a file does not keep its time
            os.utime(job.source, ns=(seal.mtime_ns, seal.mtime_ns))


@pytest.mark.parametrize("schema", range(1, SCHEMA + 1))
def test_jobs_of_an_earlier_version_are_finished(schema):
    """Jobs at every stage of their life, in a spool of that version, come to their one end."""
    service = Service({"scans": {"settle": 0.5}}, lease=3)
    home = service.scans
    _install(home, schema)
    originals = {
        job.claim().source.decode(): job.source.read_bytes()
        for job in map(JobDir, (home.spool / "work").iterdir())
    }
    assert set(originals) == {f"{stage}.png" for stage in (*STAGES, "ended")}
    with service:
        for stage in STAGES:
            pdf = service.done(f"{stage}.png", originals[f"{stage}.png"])
            assert stage in text_of(pdf)
        assert service.finished("ended.png").state is State.CANCELLED
        assert (home.failed / "ended.png").read_bytes() == originals["ended.png"]
        assert "ended.pdf" not in home.found("outbox")
        assert service.finished("failed.png").state is State.FAILED
        assert not service.log("original_changed")  # what had landed was used


def _run(service: Service) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "watcherd", "-c", service.config, "run"],
        capture_output=True, text=True, timeout=30, check=False, cwd=service.root,
    )  # fmt: skip


@pytest.mark.parametrize("newer", ["spool", "ledger"])
def test_what_a_later_version_wrote_is_refused(newer):
    """A spool or a ledger of a later version ends the daemon with 4, and is left as it is."""
    service = Service()
    try:
        if newer == "spool":
            path = service.scans.spool / "spool.json"
            path.parent.mkdir()
            path.write_bytes(files.to_json({"schema": SCHEMA + 1, "name": "late"}))
        else:
            path = service.root / "state" / "ledger.db"
            path.parent.mkdir()
            with sqlite3.connect(path) as db:
                db.execute("PRAGMA user_version = 99")
            db.close()
        before = path.read_bytes()
        done = _run(service)
        assert done.returncode == 4
        assert (
            f"the {newer} {path.parent if newer == 'spool' else path} was written by a newer"
            in (done.stderr)
        )
        assert "install that version again" in done.stderr
        assert path.read_bytes() == before
    finally:
        service.close()
