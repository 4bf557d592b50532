"""Behind an outcome the original is filed, the job becomes a record, and a retry turns it back."""

from __future__ import annotations

import json
import os

import pytest
from desks import LATE, RESULTS, SCAN, Desk, copies, land, names, outcome
from kills import every_kill

from watcherd import filing, publish
from watcherd.errors import NotOurs
from watcherd.jobdir import JobDir
from watcherd.jobfiles import Outcome
from watcherd.publish import Outbox

KINDS = {"done": "archive", "skipped": "archive", "failed": "failed", "cancelled": "failed"}


@pytest.fixture(params=["renamed", "copied"])
def made(request, desks, tmp_path):
    """Give a maker of desks whose folders are on the spool's filesystem, and on another one."""
    count = 0

    def make(**keys: object) -> Desk:
        nonlocal count
        count += 1
        apart = tmp_path / str(count)
        if request.param == "copied":
            keys = {"archive": apart / "archive", "failed": apart / "failed"} | keys
        return desks(**keys)

    return make


def file(desk: Desk, job: JobDir) -> filing.Filed:
    return filing.file_away(desk.spool, job, desk.inbox)


def again(desk: Desk, job: JobDir) -> None:
    """Do what the daemon does after it was killed."""
    ended = JobDir(desk.spool.work / f"{job.job}.ended")
    if job.path.is_dir():
        file(desk, job)
    elif ended.path.is_dir():
        filing.settle_record(desk.spool, ended, desk.inbox)


def roots(desk: Desk) -> list:
    return [desk.root, desk.inbox.archive, desk.inbox.failed]


@pytest.mark.parametrize(("kind", "folder"), KINDS.items())
def test_the_original_is_filed_by_outcome(made, kind, folder):
    """Good ones go to the archive, others to the failed folder, with their reason unless done."""
    desk = made()
    filed = file(desk, desk.ended(kind, b"sub/a.pdf"))
    home = getattr(desk.inbox, folder)
    sidecar = [] if kind == "done" else ["sub/a.pdf.error.json"]
    assert names(home) == ["sub/a.pdf", *sidecar]
    assert filed.path == home / "sub" / "a.pdf"
    assert copies(SCAN, *roots(desk)) == [filed.path]
    assert os.listdir(desk.spool.work) == []


def test_the_reason_says_what_a_person_needs(desk):
    """The sidecar has the keys of the contract."""
    job = desk.ended("failed", b"Rechnung \xff.pdf")
    file(desk, job)
    told = json.loads(next(desk.inbox.failed.glob("*.error.json")).read_bytes())
    assert told["source"] == "Rechnung \\xff.pdf"
    assert told["source_b64"]
    wanted = {"job": job.job, "inbox": "scans", "stage": "ocr", "page": 2, "attempts": 0}
    wanted |= {"code": "corrupt", "reason": "It is broken.", "at": "2023-11-14T22:13:20+00:00"}
    assert wanted.items() <= told.items()
    assert len(told["sha256"]) == 64


@pytest.mark.parametrize("kind", KINDS)
def test_filing_survives_a_kill_anywhere(made, kind):
    """Killed before any step, the original exists all the time, and in one place afterwards."""

    def prepare():
        desk = made()
        job = desk.ended(kind)
        return (desk, job), lambda: file(desk, job)

    for step, (desk, job) in every_kill(prepare):
        assert copies(SCAN, *roots(desk)), step
        again(desk, job)
        home = getattr(desk.inbox, KINDS[kind])
        sidecar = [] if kind == "done" else ["a.pdf.error.json"]
        assert names(home) == ["a.pdf", *sidecar], step
        assert copies(SCAN, *roots(desk)) == [home / "a.pdf"], step
        record = (desk.spool.records if home == desk.inbox.archive else desk.spool.parked) / job.job
        assert JobDir(record).outcome() == outcome(kind), step
        assert filing.recorded(desk.spool, job.job).path == home / "a.pdf", step
        assert os.listdir(desk.spool.work) == [], step


@pytest.mark.parametrize("kind", KINDS)
def test_filing_never_overwrites(made, kind):
    """Of files with one name each keeps its bytes and its own reason."""
    desk = made()
    home = getattr(desk.inbox, KINDS[kind])
    (home / "a.pdf.error.json").write_text("foreign")
    for n in range(3):
        file(desk, desk.ended(kind, data=SCAN + b"%d" % n))
    assert {p.read_bytes() for p in home.glob("a*.pdf")} == {SCAN + b"%d" % n for n in range(3)}
    assert (home / "a.pdf.error.json").read_text() == "foreign"
    for sidecar in home.glob("a-*.error.json"):
        assert sidecar.with_name(sidecar.name.removesuffix(".error.json")).exists()


@pytest.mark.parametrize("taken", ["a.pdf", "a.pdf.error.json"])
def test_a_name_that_is_taken_late_is_left_alone(made, taken):
    """What appears after the name was chosen stays as it is; the original goes elsewhere."""
    desk = made()
    job = desk.ended("failed")
    filing._slot(job, job.claim(), desk.inbox.failed, with_sidecar=True)
    (desk.inbox.failed / taken).write_text("foreign")
    file(desk, job)
    assert (desk.inbox.failed / taken).read_text() == "foreign"
    assert names(desk.inbox.failed) == sorted([taken, "a-2.pdf", "a-2.pdf.error.json"])


@pytest.mark.parametrize("name", [b"x" * 251 + b".pdf", b"\xff" * 255, "ä".encode() * 127])
def test_the_longest_names_fail_more_than_once(desk, name):
    """Names at the filesystem's limit find room for number and suffix, every time."""
    for _ in range(3):
        file(desk, desk.ended("failed", name))
    found = os.listdir(os.fsencode(desk.inbox.failed))
    assert len(found) == 6
    assert sum(n.endswith(b".error.json") for n in found) == 3


@pytest.mark.parametrize(
    ("originals", "kind", "left"),
    [
        ("delete", "done", []),
        ("delete", "failed", ["failed/a.pdf"]),
        ("delete", "skipped", ["archive/a.pdf"]),
        ("keep", "done", ["inbox/a.pdf"]),
        ("keep", "failed", ["failed/a.pdf", "inbox/a.pdf"]),
    ],
)
def test_the_policy_of_originals(desks, originals, kind, left):
    """Delete means after success only, and keep means that the inbox keeps its file."""
    desk = desks(originals=originals)
    file(desk, desk.ended(kind))
    found = copies(SCAN, *roots(desk))
    assert [str(p.relative_to(desk.root)) for p in found] == left


def test_a_missing_folder_stops_the_filing(made):
    """An archive that is not mounted is waited for, and the original stays where it is."""
    desk = made()
    job = desk.ended("done")
    desk.inbox.archive.rmdir()
    with pytest.raises(FileNotFoundError):
        file(desk, job)
    assert copies(SCAN, desk.root) == [job.source]
    desk.inbox.archive.mkdir()
    file(desk, job)
    assert names(desk.inbox.archive) == ["a.pdf"]


def test_a_lost_original_leaves_its_reason(desk):
    """If somebody took the original from the spool, the failed folder still says so."""
    job = desk.ended("failed")
    job.source.unlink()
    assert file(desk, job).path is None
    assert names(desk.inbox.failed) == ["a.pdf.error.json"]


def test_what_was_published_without_counting_is_taken_back(desk):
    """A document that was placed while its job was cancelled does not stay in the outbox."""
    job = desk.built()
    publish.publish(job, Outbox(desk.inbox.outbox, 0o640), b"a")
    job.conclude(outcome("cancelled"))
    file(desk, job)
    assert names(desk.inbox.outbox) == []


def test_what_counts_stays_published(desk):
    """A document whose job is done stays, and its record keeps no second copy."""
    job = desk.built()
    publication = publish.publish(job, Outbox(desk.inbox.outbox, 0o640), b"a")
    job.conclude(Outcome("done", LATE, tuple(o.target for o in publication.outputs)))
    file(desk, job)
    assert names(desk.inbox.outbox) == ["a.pdf", "a.txt"]
    assert copies(RESULTS["doc.pdf"], desk.spool.root) == []


@pytest.mark.parametrize("entry", [".x.part", "pdf", "pages", "pages/1", "pages/1/page.hocr"])
def test_links_in_a_job_are_not_followed(desk, entry):
    """Whatever a decoder links to from its job is not touched, and holds nothing up."""
    job = desk.ended("done")
    victim = desk.root / "victim" / "1"
    victim.mkdir(parents=True)
    (victim / "page.hocr").write_bytes(b"untouched")
    target = {"pages": victim.parent, "pages/1/page.hocr": victim / "page.hocr"}.get(entry, victim)
    path = job.path / entry
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(target)
    file(desk, job)
    assert (victim / "page.hocr").read_bytes() == b"untouched"


def failed(desk: Desk) -> JobDir:
    """Return a job that has failed on its third page, and was filed."""
    job = desk.sealed()
    job.write_plan(3)
    for n in (1, 2):
        page = job.page(n)
        page.mkdir()
        (page / "page.txt").write_bytes(b"text")
    job.end_try(job.begin_try("page-3"), "timeout", "too slow")
    land(job, RESULTS)
    job.conclude(outcome("failed"))
    file(desk, job)
    return job


def restored(desk: Desk, job: JobDir) -> None:
    """Check that a job is back in work as it was, and nowhere else."""
    assert copies(SCAN, *roots(desk)) == [job.source]
    assert job.intact()
    facts = job.facts()
    assert (facts.outcome, facts.tries, facts.built) == (None, (), False)
    assert facts.landed == {1, 2}
    assert not (desk.spool.parked / job.job).exists()
    assert names(desk.inbox.failed) == []


def test_a_retry_brings_the_job_back(made):
    """The original returns, attempts are forgotten, landed pages are kept, the reason goes."""
    desk = made()
    job = failed(desk)
    assert filing.restore(desk.spool, job.job, desk.inbox).path == job.path
    restored(desk, job)
    filing.restore(desk.spool, job.job, desk.inbox)  # asked for twice
    restored(desk, job)


def test_a_retry_survives_a_kill_anywhere(made):
    """Killed before any step, the original exists all the time, and the move is finished later."""

    def prepare():
        desk = made()
        job = failed(desk)
        return (desk, job), lambda: filing.restore(desk.spool, job.job, desk.inbox)

    for step, (desk, job) in every_kill(prepare):
        assert copies(SCAN, *roots(desk)), step
        filing.restore(desk.spool, job.job, desk.inbox)
        restored(desk, job)


@pytest.mark.parametrize("change", ["gone", "other", "link", "record", "unknown"])
def test_a_retry_without_its_original_is_refused(made, change):
    """Only the very bytes that were filed come back; a foreign file stays where it is."""
    desk = made()
    job = failed(desk)
    filed = desk.inbox.failed / "a.pdf"
    if change == "record":
        (desk.spool.parked / job.job / "filed.json").unlink()
    elif change != "unknown":
        filed.rename(filed.with_name("moved"))
    if change == "other":
        filed.write_bytes(b"another document")
    if change == "link":
        filed.symlink_to(filed.with_name("moved"))
    name = job.job if change != "unknown" else "aaaa-00000000000000"
    with pytest.raises(NotOurs):
        filing.restore(desk.spool, name, desk.inbox)
    assert len(copies(SCAN, *roots(desk))) == 1
    assert not job.path.exists()


def test_a_retry_takes_nobody_elses_file(desk):
    """After the original has returned, an equal file that appears under its name is foreign."""
    job = failed(desk)
    parked = JobDir(desk.spool.parked / job.job)
    filing._fetch_original(parked, desk.inbox)
    (desk.inbox.failed / "a.pdf").write_bytes(SCAN)
    filing.restore(desk.spool, job.job, desk.inbox)
    assert (desk.inbox.failed / "a.pdf").read_bytes() == SCAN
