"""Jobs that somebody meddled with, or whose folders do not answer, end all the same, or say why."""

from __future__ import annotations

import shutil

import pytest
from desks import SCAN, outcome
from test_work import Seat

from watcherd.reconcile import missing
from watcherd.work import Ended, Gone


@pytest.fixture
def seat(desk) -> Seat:
    return Seat(desk)


def test_what_is_to_be_filed_is_not_work_any_more(seat):
    """A job whose original cannot be filed now asks nothing of the workers meanwhile."""
    job = seat.desk.built()
    seat.start().look()
    assert missing(job.job, seat.work.view[job.job][1])
    job.conclude(outcome("done"))
    shutil.rmtree(seat.desk.inbox.archive)
    seat.look()
    assert seat.work.fault is not None
    assert not missing(job.job, seat.work.view[job.job][1])
    seat.desk.inbox.archive.mkdir()
    seat.look()
    assert [ended.filed.outcome.kind for ended in seat.heard(Ended)] == ["done"]
    assert seat.work.fault is None


@pytest.mark.parametrize("gone", [("source",), ("source", "sealed.json")])
def test_a_job_that_lost_its_original_fails_as_lost(seat, gone):
    """Whatever else somebody removed with it, the job ends, and says what happened."""
    job = seat.desk.sealed()
    seat.start().look()
    for name in gone:
        (job.path / name).unlink()
    seat.look().look()
    (ended,) = seat.heard(Ended)
    assert (ended.filed.outcome.kind, ended.filed.outcome.code) == ("failed", "lost")
    assert len(seat.work) == 0


def test_a_directory_that_is_removed_while_it_waits_for_its_seal_is_told(seat):
    """The ledger hears of a job whose directory somebody emptied before it was sealed."""
    job = seat.desk.sealed()
    seat.start().look()
    (job.path / "sealed.json").unlink()
    seat.look()
    (job.path / "source").unlink()
    seat.look()
    assert [news.job for news in seat.heard(Gone)] == [job.job]


def test_a_damaged_record_of_a_known_job_is_written_again(seat):
    """What the daemon knows of a job in work repairs its record."""
    job = seat.desk.sealed()
    claim = job.claim()
    seat.start().look()
    (job.path / "job.json").write_text("{")
    seat.start()
    assert job.claim() == claim


def test_a_damaged_record_of_an_unknown_job_is_told(seat):
    """Nobody can tell whose it is; its original stays, and the trouble says where."""
    job = seat.desk.sealed()
    (job.path / "job.json").write_text("{")
    seat.start()
    assert "job.json is damaged" in str(seat.work.fault)
    assert job.source.read_bytes() == SCAN
