"""A job's directory: sealed, tried, landed, concluded once; and trusted by nobody."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path

import pytest
from desks import LATE, SCAN, outcome
from kills import every_kill

from watcherd import files, reconcile
from watcherd.jobfiles import Output, Publication
from watcherd.model import Try
from watcherd.reconcile import Stand

SHA = "0" * 64


def test_a_seal_says_what_the_original_is(desk):
    """Size, time and hash are recorded, and the original is intact while it has them."""
    desk.drop()
    job = desk.claim()
    assert not job.intact()
    seal = job.seal()
    assert seal == job.read_seal()
    assert seal.size == len(SCAN)
    assert seal.sha256 == files.sha256(job.source)
    assert job.intact()


@pytest.mark.parametrize("change", ["bytes", "size", "time", "link", "gone"])
def test_a_changed_original_is_not_intact(desk, change):
    """Also a change that keeps size and time, or a link to equal bytes, is seen."""
    job = desk.sealed()
    status = job.source.stat()
    times = (status.st_atime_ns, status.st_mtime_ns)
    if change in ("bytes", "size"):
        job.source.write_bytes(SCAN[::-1] + b"x" * (change == "size"))
        os.utime(job.source, ns=times)
    elif change == "time":
        os.utime(job.source, ns=(0, 0))
    else:
        job.source.rename(desk.root / "moved")
    if change == "link":
        job.source.symlink_to(desk.root / "moved")
    assert not job.intact()


def test_what_changes_under_the_seal_is_not_sealed(desk, monkeypatch):
    """A writer that is still there when the hash is taken prevents the seal."""
    desk.drop()
    job = desk.claim()
    real = files.sha256

    def slow(path):
        digest = real(path)
        with job.source.open("ab") as source:
            source.write(b"more")
        return digest

    monkeypatch.setattr(files, "sha256", slow)
    assert job.seal() is None
    assert job.read_seal() is None


def test_the_original_is_durable_before_its_seal(desk, monkeypatch):
    """Whoever sees a seal after a power cut finds the bytes that it tells of."""
    desk.drop()
    job = desk.claim()
    synced = []
    real = os.fsync

    def watched(fd):
        synced.append(str(Path(f"/proc/self/fd/{fd}").readlink()))
        real(fd)

    monkeypatch.setattr(os, "fsync", watched)
    job.seal()
    assert synced[0] == str(job.source)


def test_unsealing_survives_a_kill_anywhere(desks):
    """What was made of another content is never taken for results of the new one."""

    def prepare():
        desk = desks()
        job = desk.built()
        job.write_plan(2)
        job.page(1).mkdir()
        job.source.write_bytes(SCAN + b"more")
        return job, job.unseal

    for step, job in every_kill(prepare):
        facts = job.facts()
        if facts.sealed:
            assert not job.intact(), step  # so the pdf stage unseals it again
        else:
            assert (facts.pages, facts.landed, facts.built) == (None, frozenset(), False), step
        job.unseal()
        facts = job.facts()
        assert (facts.sealed, facts.pages, facts.landed, facts.built) == (
            False,
            None,
            frozenset(),
            False,
        )
        assert reconcile.stand(facts) is Stand.SEAL


def test_attempts_are_counted_by_key(desk):
    """Each stage and page has its own; an ended one says why, and the last one is the last."""
    job = desk.sealed()
    for key in ("page-1", "page-11", "page-1-1"):
        job.begin_try(key)
    first = job.begin_try("ocr")
    second = job.begin_try("ocr")
    job.end_try(second, "timeout", "too slow")
    job.end_try(first, "crashed", "x" * 10_000)
    os.utime(first, ns=(LATE, LATE * 10**9 * 2))
    told = job.tries("ocr")
    assert [t["code"] for t in told] == ["timeout", "crashed"]
    assert len(told[1]["reason"]) == 2000
    assert [len(job.tries(k)) for k in ("page-1", "page-11", "pdf")] == [1, 1, 0]
    assert Try("ocr", LATE * 10**9 * 2, ended=True) in job.facts().tries


def test_an_attempt_is_durable_before_the_work(desk, monkeypatch):
    """The folder that holds its file is made durable; if it cannot be, nothing has begun."""
    job = desk.sealed()
    synced = []
    real = os.fsync

    def watched(fd):
        synced.append(str(Path(f"/proc/self/fd/{fd}").readlink()))
        real(fd)

    monkeypatch.setattr(os, "fsync", watched)
    job.begin_try("ocr")
    assert synced == [str(job.path)]

    def broken(_):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fsync", broken)
    with pytest.raises(OSError, match="Input/output"):
        job.begin_try("ocr")
    assert len(job.tries("ocr")) == 1


def test_the_first_result_stands(desk):
    """Of rivals one lands its results, the others hear of it, and nothing is mixed."""
    job = desk.sealed()
    job.write_plan(1)
    start, told = threading.Barrier(4), []

    def rival(n):
        with files.scratch(job.path) as private:
            (private / "page.txt").write_text(str(n))
            start.wait()
            told.append((job.land(private, job.page(1)), n))

    threads = [threading.Thread(target=rival, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [str(n) for first, n in told if first] == [(job.page(1) / "page.txt").read_text()]
    assert job.landed() == {1}
    assert not list(job.path.glob(".*"))


def test_a_result_is_whole_or_not_there(desks):
    """Killed before any step, a result directory under its name has all that was in it."""

    def prepare():
        desk = desks()
        job = desk.sealed()
        job.write_plan(1)

        def work():
            with files.scratch(job.path) as private:
                for n in range(3):
                    (private / str(n)).write_text("x")
                job.land(private, job.page(1))

        return (job, work), work

    for step, (job, work) in every_kill(prepare):
        if job.landed():
            assert len(os.listdir(job.page(1))) == 3, step
        work()
        assert job.landed() == {1}, step


def test_the_first_plan_stands(desk):
    """A second plan changes nothing; one that is not sound is replaced."""
    job = desk.sealed()
    job.write_plan(3)
    job.write_plan(5)
    assert job.plan() == 3
    (job.path / "plan.json").write_text('{"pages": "many"}')
    assert job.plan() is None
    job.write_plan(5)
    assert job.plan() == 5


def test_a_job_ends_once(desk):
    """The first outcome stands, whatever comes after it."""
    job = desk.sealed()
    assert job.outcome() is None
    assert job.conclude(outcome("failed"))
    assert not job.conclude(outcome("done"))
    assert job.outcome() == outcome("failed")


def test_sets_of_names_are_recorded_exclusively(desk):
    """All rivals get the first record of a number, and read them in order."""
    job = desk.sealed()
    sets = [Publication(n, (Output("doc.pdf", b"a%d.pdf" % n, SHA),)) for n in (1, 2, 10)]
    for one in sets:
        assert job.intend(one) == one
        assert job.intend(Publication(one.n, (Output("doc.pdf", b"other.pdf", SHA),))) == one
    assert job.publications() == sets
    (job.path / "publish.2.json").write_text("{}")
    assert job.publications() == [sets[0], sets[2]]
    assert job.intend(sets[1]) is None


HOSTILE = {
    "outcome.json": ["folder", "link", "fifo", "text", "huge"],
    "sealed.json": ["folder", "link", "fifo", "text"],
    "plan.json": ["folder", "link", "fifo", "text"],
    "publish.1.json": ["folder", "link", "fifo", "text"],
    "job.json": ["folder", "link", "fifo", "text"],
    "pages": ["link", "fifo", "text"],
    "try-ocr-0": ["folder", "link", "fifo", "text"],
    "source": ["folder", "link", "fifo"],
}


@pytest.mark.timeout(20)
@pytest.mark.parametrize(("name", "kind"), [(n, k) for n, kinds in HOSTILE.items() for k in kinds])
def test_whatever_a_decoder_puts_there_can_be_read(desk, name, kind):
    """Every reader gets an answer, waits for nothing, and follows no link."""
    job = desk.sealed()
    path, victim = job.path / name, desk.root / "victim"
    if path.exists():
        path.unlink()
    victim.write_text('{"schema": 1, "pages": 3, "code": "x"}')
    if kind == "folder":
        path.mkdir()
    elif kind == "link":
        path.symlink_to(victim)
    elif kind == "fifo":
        os.mkfifo(path)
    else:
        path.write_text(
            "[" * 10 if kind == "text" else json.dumps({"schema": 1, "x": "x" * 5_000_000})
        )
    facts = job.facts()
    job.claim(), job.outcome(), job.intact(), job.publications(), job.tries("ocr")
    assert facts.pages is None
    assert reconcile.stand(facts) is {
        "outcome.json": Stand.FILE,
        "sealed.json": Stand.SEAL,
        "source": Stand.LOST,
    }.get(name, Stand.WORK)


def test_a_damaged_outcome_ends_the_job(desk):
    """What nobody could replace counts as a failure that says so, and can be tried again."""
    job = desk.sealed()
    (job.path / "outcome.json").write_text("{}")
    assert not job.conclude(outcome())
    assert (job.outcome().kind, job.outcome().code) == ("failed", "damaged")


def test_a_claim_of_another_job_is_none(desk):
    """A job.json that was copied from elsewhere does not speak for this directory."""
    one, other = desk.sealed(), desk.sealed()
    (one.path / "job.json").write_bytes((other.path / "job.json").read_bytes())
    assert one.claim() is None


def test_a_directory_that_is_gone_has_no_facts(desk):
    """A job that was filed meanwhile is nothing, not an error."""
    job = desk.sealed()
    files.remove_tree(job.path)
    assert job.facts() is None
    assert job.fingerprint() is None
