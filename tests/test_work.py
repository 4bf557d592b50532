"""The jobs of an inbox: found by what is on disk, sealed, watched, filed, none left behind."""

from __future__ import annotations

import os

import pytest
from desks import SCAN, Desk, copies, names, outcome
from kills import every_kill

from watcherd import filing, notices
from watcherd.jobdir import JobDir
from watcherd.settle import LONGEST_PAUSE
from watcherd.work import Ended, Gone, Looked, Sealed, Work


class Seat:
    """A desk with somebody working at it, whose news are kept."""

    def __init__(self, desk: Desk, told: tuple[str, ...] = ()) -> None:
        self.desk, self.news, self.now = desk, [], 0.0
        self.work = Work(desk.inbox, desk.spool, told, self.news.append)

    def start(self) -> Seat:
        """Do what the daemon does when it starts."""
        self.work.adopt(self.now)
        return self.look()

    def look(self) -> Seat:
        """Look at all jobs."""
        self.now += LONGEST_PAUSE
        self.work.look(self.now)
        return self

    def heard(self, kind: type) -> list:
        """Return the news of one kind."""
        return [n for n in self.news if isinstance(n, kind)]


@pytest.fixture
def seat(desk) -> Seat:
    return Seat(desk)


def test_a_claimed_job_is_sealed_and_shown(seat):
    """A file that nobody writes any more is ready at once."""
    seat.desk.drop()
    job = seat.desk.claim()
    seat.work.take([job], 0.0)
    (sealed,) = seat.heard(Sealed)
    assert sealed.claim == job.claim()
    assert sealed.seal == job.read_seal()
    assert list(seat.work.view) == [job.job]
    assert len(seat.work) == 1


def test_a_writer_that_kept_the_file_open_is_waited_for(seat):
    """What is still written into the claimed file is part of the document that is sealed."""
    path = seat.desk.drop()
    with path.open("ab") as writer:
        job = seat.desk.claim()
        seat.work.take([job], 0.0)
        for _ in range(20):
            seat.look()
        assert job.read_seal() is None
        writer.write(b"the rest\n%%EOF\n")
    for _ in range(40):
        seat.look()
    assert job.read_seal().size == len(SCAN) + 15
    assert len(seat.heard(Sealed)) == 1


def test_jobs_are_found_after_a_restart(seat):
    """Whatever an earlier daemon left, sealed or not, is taken up; the ledger is not asked."""
    sealed, claimed = (
        seat.desk.sealed(b"a.pdf"),
        (seat.desk.drop(b"b.pdf"), seat.desk.claim(b"b.pdf"))[1],
    )
    seat.start()
    assert set(seat.work.view) == {sealed.job, claimed.job}
    seat.start()
    assert len(seat.heard(Sealed)) == 2


def test_a_claim_that_never_happened_is_dropped(seat):
    """A directory with job.json alone goes, and the file in the inbox is claimed anew."""
    path = seat.desk.drop()
    job = seat.desk.claim()
    job.source.rename(path)
    seat.start()
    assert not job.path.exists()
    assert len(seat.work) == 0
    assert path.exists()


@pytest.mark.parametrize("content", ["{}", "[", '{"inbox": "scans"}'])
def test_an_original_is_never_dropped(seat, content):
    """A job whose record was damaged keeps its original, whatever else becomes of it."""
    seat.desk.drop()
    job = seat.desk.claim()
    (job.path / "job.json").write_text(content)
    os.utime(job.path, (0, 0))
    seat.work.take([job], 0.0)
    seat.start()
    assert job.source.read_bytes() == SCAN


def test_jobs_of_another_inbox_are_left_alone(desk):
    """Two inboxes may share a spool; each lane has its own."""
    job = desk.sealed()
    path = job.path / "job.json"
    path.write_text(path.read_text().replace('"scans"', '"other"'))
    seat = Seat(desk).start()
    assert len(seat.work) == 0
    assert job.path.exists()


def test_a_half_made_directory_goes_when_it_is_old(seat):
    """Killed before job.json nothing was claimed; a lane that is at it now is not disturbed."""
    job = seat.desk.spool.new_job()
    seat.start()
    assert job.path.exists()
    os.utime(job.path, (0, 0))
    seat.start()
    assert not job.path.exists()


@pytest.mark.parametrize("kind", ["done", "failed", "cancelled", "skipped"])
def test_an_outcome_is_filed_and_told(seat, kind):
    """What a worker, or a person, has concluded is filed at the next look."""
    job = seat.desk.sealed()
    seat.start()
    job.conclude(outcome(kind))
    seat.look()
    (ended,) = seat.heard(Ended)
    assert ended.filed.outcome == outcome(kind)
    assert len(seat.work) == 0
    assert os.listdir(seat.desk.spool.work) == []


def test_a_failure_is_written_down_to_be_told(desks):
    """The notice is there before the job is filed, once for each failure, with its reason."""
    desk = desks(notify=["office"])
    seat = Seat(desk, ("office",))
    job = desk.ended("failed", b"\xff.pdf")
    seat.start()
    (notice,) = notices.standing(desk.spool, "scans")
    assert (notice.kind, notice.code, notice.targets) == ("failure", "corrupt", ("office",))
    assert notice.source == "\\xff.pdf"
    filing.restore(desk.spool, job.job, desk.inbox)
    desk.spool.job(job.job).conclude(outcome("cancelled"))
    seat.start()
    assert len(list(notices.standing(desk.spool, "scans"))) == 1


def test_a_lost_original_fails_with_that_reason(seat):
    """If somebody takes the original from the spool, the job ends, and says so."""
    job = seat.desk.sealed()
    seat.start()
    job.source.unlink()
    seat.look().look()
    (ended,) = seat.heard(Ended)
    assert ended.filed.outcome.code == "lost"


def test_a_job_that_vanishes_is_told(seat):
    """A directory that somebody has removed does not stay in the ledger for ever."""
    job = seat.desk.sealed()
    seat.start()
    job.path.rename(seat.desk.root / "moved")
    seat.look()
    assert seat.heard(Gone) == [Gone(job.job)]
    assert len(seat.work) == 0


def test_what_was_written_to_after_its_seal_is_sealed_anew(seat):
    """The stage that noticed takes the seal back; the daemon makes another."""
    job = seat.desk.sealed()
    seat.start()
    job.source.write_bytes(SCAN + b"%%EOF\n")
    job.unseal()
    for _ in range(10):
        seat.look()
    assert job.intact()
    assert len(seat.heard(Sealed)) == 2


def test_filing_is_finished_after_a_kill_and_told(desks):
    """Killed anywhere while filing, the next start finishes it, and the ledger hears of it."""

    def prepare():
        desk = desks()
        job = desk.ended("done")
        return (desk, job), lambda: filing.file_away(desk.spool, job, desk.inbox)

    for step, (desk, job) in every_kill(prepare):
        recorded = (desk.spool.records / job.job).is_dir()
        seat = Seat(desk).start().look()
        if recorded:  # the daemon asks for what its ledger believes in work
            seat.work.trace(job.job)
        assert {n.filed.claim.job for n in seat.heard(Ended)} == {job.job}, step
        assert names(desk.inbox.archive) == ["a.pdf"], step


def test_a_retry_is_finished_after_a_kill(desks):
    """Killed anywhere while bringing a job back, the next start has it in work again."""

    def prepare():
        desk = desks()
        job = desk.ended("failed")
        filing.file_away(desk.spool, job, desk.inbox)
        return (desk, job), lambda: filing.restore(desk.spool, job.job, desk.inbox)

    for step, (desk, job) in every_kill(prepare):
        parked = JobDir(desk.spool.parked / job.job)
        begun = parked.fingerprint() is not None or job.path.is_dir()
        seat = Seat(desk).start()
        assert (job.job in seat.work.view) == begun, step
        assert len(copies(SCAN, desk.root)) == 1, step


def test_a_job_that_cannot_be_filed_holds_up_no_other(seat):
    """Its fault is kept for the lane to tell; the others are filed, and it is, when it can be."""
    first, second = seat.desk.ended("done", b"a.pdf"), seat.desk.ended("failed", b"b.pdf")
    seat.desk.inbox.archive.rmdir()
    seat.start()
    assert isinstance(seat.work.fault, FileNotFoundError)
    assert set(seat.work.view) == {first.job}
    assert [e.filed.claim.job for e in seat.heard(Ended)] == [second.job]
    seat.desk.inbox.archive.mkdir()
    seat.look()
    assert seat.work.fault is None
    assert len(seat.work) == 0


def test_a_trace_finds_what_became_of_a_job(seat):
    """In work: nothing to say. On record: how it ended. Nowhere: gone."""
    seat.work.trace(seat.desk.sealed().job)
    assert seat.news == []
    job = seat.desk.ended("failed")
    filed = filing.file_away(seat.desk.spool, job, seat.desk.inbox)
    seat.work.trace(job.job)
    seat.work.trace("aaaa-00000000000000")
    assert seat.news == [Ended(filed), Gone("aaaa-00000000000000")]


def test_looking_calms_down(seat):
    """While nothing changes the looks become rare, and a change makes them brisk again."""
    job = seat.desk.sealed()
    seat.start()
    pauses = []
    for _ in range(200):
        seat.work.look(seat.now)
        pauses.append(seat.work.next_look - seat.now)
        seat.now = seat.work.next_look
    assert pauses[0] <= 0.1
    assert pauses[-1] == pytest.approx(1.0)
    before = len(seat.heard(Looked))
    job.begin_try("ocr")
    seat.work.look(seat.now)
    assert len(seat.heard(Looked)) == before + 1
    assert seat.work.next_look - seat.now == pytest.approx(0.05)
