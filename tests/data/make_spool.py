"""Makes `spool-<schema>` beside this file: jobs of today's version at every stage of their life.

To be run once for each version of the schema, before that version is left behind:
`PYTHONPATH=tests python tests/data/make_spool.py`.
"""

from __future__ import annotations

import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

import drive
from celery.exceptions import Ignore
from desks import Desk
from papers import scan

from tasks import pdf, stage
from watcherd import publish
from watcherd.jobfiles import Outcome
from watcherd.model import SCHEMA
from watcherd.work import Work


def make(into: Path) -> None:
    """Make the spool."""
    with tempfile.TemporaryDirectory() as folder:
        desk = Desk(Path(folder))
        for name in ("failed", "claimed", "sealed", "read", "built", "intended", "ended"):
            data = b"\x89PNG\r\n\x1a\n cut" if name == "failed" else scan(f"It was {name}")
            desk.drop(f"{name}.png".encode(), data)
            if name == "failed":
                drive.drive(desk.config.source)
            else:
                advance(desk, name)
        shutil.rmtree(into, ignore_errors=True)
        shutil.copytree(desk.spool.root, into)
        for filed in into.glob("*/*/filed.json"):
            filed.write_text(filed.read_text("utf-8").replace(folder, "/srv/scans"), "utf-8")


def advance(desk: Desk, name: str) -> None:
    """Claim a file and bring its job to the stage of that name."""
    drive.open_inbox(desk.config.source)
    job = desk.claim(f"{name}.png".encode())
    steps = ("claimed", "sealed", "read", "built", "intended", "ended").index(name)
    if steps >= 1:
        Work(desk.inbox, desk.spool, (), lambda _news: None).take([job], 0.0)
    if steps >= 2:
        with suppress(Ignore):
            drive.plan_and_read(job.job)
    bench = stage._bench(job.job)
    if steps >= 3 and bench is not None:
        pdf._build(bench)
    if steps == 4:
        outbox = publish.Outbox(desk.inbox.outbox, desk.inbox.mode)
        hashes = publish._results(job, outbox)
        job.intend(publish._free(outbox, name.encode(), hashes, 1))
    if steps == 5:
        job.conclude(Outcome("cancelled", 1_800_000_000, code="cancelled", reason="A person did."))


if __name__ == "__main__":
    make(Path(__file__).parent / f"spool-{SCHEMA}")
