"""The real functions in one process, stopped where the timing of a real service would not."""

from __future__ import annotations

import itertools
import os
import time
from pathlib import Path

import drive
import pytest
from desks import RESULTS, Desk, copies, names, outcome
from papers import scan, text_of

from watcherd import files, filing, publish, reconcile
from watcherd.work import Work


def _next(work: Work) -> reconcile.Message:
    ((name, (_, facts)),) = work.view.items()
    (message,) = reconcile.missing(name, facts)
    return message


def test_what_is_written_after_the_seal_is_read_anew(fast):
    """Bytes that come after the seal and before publishing are noticed: the new ones count."""
    desk = Desk(fast)
    desk.drop(b"a.png", scan("The first words"))
    settings, inbox, spool = drive.open_inbox(desk.config.source)
    work = Work(inbox, spool, (), lambda _news: None)
    job = desk.claim(b"a.png")
    work.take([job], 0.0)
    drive.run_stage(reconcile.Message("page", job.job, 1))  # nothing is planned: it is stale
    drive.plan_and_read(job.job)
    assert job.landed() == {1}
    data = scan("Other words came late")
    job.source.write_bytes(data)
    work.look(1.0)
    assert _next(work).task == "pdf"
    drive.run_stage(_next(work))
    assert names(desk.inbox.outbox) == []
    drive.drive(settings.source)
    assert names(desk.inbox.outbox) == ["a.pdf"]
    assert "Other words" in text_of(desk.inbox.outbox / "a.pdf")
    assert (desk.inbox.archive / "a.png").read_bytes() == data


def test_the_outcome_is_durable_before_the_original_leaves(fast, monkeypatch):
    """An outcome whose writer was killed before its fsync is made durable by whoever files."""
    desk = Desk(fast, originals="delete")
    job = desk.sealed()
    (job.path / "outcome.json").write_bytes(files.to_json(outcome("done").to_json()))
    told: list[tuple[Path, bool]] = []
    real = os.fsync

    def watched(fd):
        told.append((Path(f"/proc/self/fd/{fd}").readlink(), job.source.exists()))
        real(fd)

    monkeypatch.setattr(os, "fsync", watched)
    filing.file_away(desk.spool, job, desk.inbox)
    assert told[0] == (job.path, True)
    assert not list(Path(desk.spool.work).iterdir())


def test_equal_bytes_that_came_late_are_foreign(fast):
    """A foreign file that took a recorded name is nobody's but its owner's, whatever it holds."""
    desk = Desk(fast)
    job = desk.built()
    outbox = publish.Outbox(desk.inbox.outbox, desk.inbox.mode)
    hashes = {name: files.sha256(job.built / name) for name in ("doc.txt", "doc.pdf")}
    job.intend(publish._free(outbox, b"a", hashes, 1))
    (desk.inbox.outbox / "a.txt").write_bytes(RESULTS["doc.txt"])
    publish.publish(job, outbox, b"a")
    assert names(desk.inbox.outbox) == ["a-2.pdf", "a-2.txt", "a.txt"]


@pytest.mark.parametrize("years", [-20, 40])
def test_a_clock_that_jumps(fast, monkeypatch, years):
    """A wall clock that is set back or forth between any two looks at it changes no outcome."""
    desk = Desk(fast)
    data = desk.drop(b"a.png", scan("Whatever the time")).read_bytes()
    broken = desk.drop(b"b.png", b"no picture").read_bytes()
    real, looks = time.time, itertools.count()

    def jumping():
        return real() + (next(looks) % 2) * years * 365 * 86400

    monkeypatch.setattr(time, "time", jumping)
    ended = drive.drive(desk.config.source)
    assert next(looks) > 5
    assert sorted(news.filed.outcome.kind for news in ended) == ["done", "failed"]
    assert names(desk.inbox.outbox) == ["a.pdf"]
    assert copies(data, fast) == [desk.inbox.archive / "a.png"]
    assert copies(broken, fast) == [desk.inbox.failed / "b.png"]
