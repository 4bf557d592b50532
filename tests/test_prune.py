"""What is old leaves the spool; an original leaves the archive only where the inbox says so."""

from __future__ import annotations

import pytest
from desks import SCAN

from watcherd import filing, log, prune
from watcherd.jobfiles import born

DAY = 86400.0


def gone(pruned, *of) -> int:
    """Return how many entries were removed."""
    return sum(pruned(*of))


def filed(desk, name=b"a.pdf"):
    """Return a finished job's id and where its original is."""
    job = desk.ended("done", name)
    return job.job, filing.file_away(desk.spool, job, desk.inbox).path


def test_old_records_are_removed_and_young_ones_kept(desk):
    """A record goes when it is older than its days, not before."""
    job, _ = filed(desk)
    records = desk.spool.records
    assert gone(prune.prune_jobs, records, 30, born(job) + 30 * DAY) == 0
    assert (records / job).is_dir()
    assert gone(prune.prune_jobs, records, 30, born(job) + 31 * DAY) == 1
    assert not (records / job).exists()


def test_a_directory_with_an_original_is_never_removed(desk):
    """However old, a parked job that holds its original again is kept."""
    job = desk.ended("failed", b"a.pdf")
    filing.file_away(desk.spool, job, desk.inbox)
    parked = desk.spool.parked / job.job
    (parked / "source").write_bytes(SCAN)
    assert gone(prune.prune_jobs, desk.spool.parked, 0, born(job.job) + 999 * DAY) == 0
    assert (parked / "source").read_bytes() == SCAN


def test_the_archive_is_kept_for_ever_by_default(desk):
    """Without a policy no original leaves the archive."""
    job, path = filed(desk)
    assert gone(prune.prune_archive, desk.spool, desk.inbox, born(job) + 9999 * DAY) == 0
    assert path.read_bytes() == SCAN


def test_originals_leave_the_archive_by_age(desks):
    """With a policy they go when they are older than its days, not before."""
    desk = desks(archive_days=90)
    job, path = filed(desk)
    assert gone(prune.prune_archive, desk.spool, desk.inbox, born(job) + 90 * DAY) == 0
    assert path.exists()
    assert gone(prune.prune_archive, desk.spool, desk.inbox, born(job) + 91 * DAY) == 1
    assert not path.exists()


@pytest.mark.parametrize("change", ["other bytes", "a link"])
def test_what_is_not_the_original_stays_in_the_archive(desks, change):
    """A file that was changed, or took the original's place, is left alone."""
    desk = desks(archive_days=1)
    job, path = filed(desk)
    path.unlink()
    if change == "a link":
        path.symlink_to(desk.root / "config.toml")
    else:
        path.write_bytes(SCAN[::-1])
    assert gone(prune.prune_archive, desk.spool, desk.inbox, born(job) + 9 * DAY) == 0
    assert path.is_symlink() or path.read_bytes() == SCAN[::-1]


def test_records_last_as_long_as_the_archive_needs_them(desks):
    """A record is not pruned before the original that is found by it."""
    assert desks(archive_days=365).config.record_days == 365
    assert desks(archive_days=0).config.record_days == 30


def test_markers_of_files_that_are_gone_are_removed(desks):
    """A kept original's marker stays while the file is there, and goes with it."""
    desk = desks(originals="keep")
    path = desk.drop(b"a.pdf")
    job = desk.claim(b"a.pdf")
    job.seal()
    assert gone(prune.prune_markers, desk.spool, desk.inbox) == 0
    assert len(list(desk.spool.kept.iterdir())) == 1
    path.unlink()
    assert gone(prune.prune_markers, desk.spool, desk.inbox) == 1
    assert not list(desk.spool.kept.iterdir())


class Told:
    """What a pruner tells of."""

    def __init__(self, desk) -> None:
        self.unkept = 0
        self.pruner = prune.Pruner(desk.config, desk.inbox, desk.spool, log.get(), self._note)

    def _note(self) -> None:
        self.unkept += 1


def test_pruning_goes_on_little_by_little(desks, monkeypatch):
    """A step looks at a bounded number of entries; when all are seen an hour passes."""
    monkeypatch.setattr(prune, "_SLICE", 4)
    desk = desks(main_keep_records_days=1)
    for number in range(10):
        made = desk.spool.records / f"{desk.spool.name}-000000000{number:05}"  # of 1970
        made.mkdir()
    told, left = Told(desk), []
    for step in range(3):
        assert told.pruner.next_due == 0.0
        told.pruner.step(float(step))
        left.append(len(list(desk.spool.records.iterdir())))
    assert left == [6, 2, 0]
    assert told.pruner.next_due == 2.0 + 3600.0
    told.pruner.step(3601.0)
    assert told.pruner.next_due == 3602.0


def test_what_is_no_longer_marked_is_told(desks):
    """Who remembers the markers of kept originals hears that some were removed."""
    desk = desks(originals="keep")
    path = desk.drop(b"a.pdf")
    desk.claim(b"a.pdf").seal()
    told = Told(desk)
    told.pruner.step(0.0)
    assert told.unkept == 0
    path.unlink()
    told.pruner.step(told.pruner.next_due)
    assert told.unkept == 1
