"""A stage: skipped if landed, counted before the work, given up at the limit, once."""

from __future__ import annotations

import errno
import os
import threading
import time

import pytest
from celery.exceptions import Ignore
from desks import SCAN, Desk, outcome
from kills import fork, status

from tasks import limits, stage
from tasks.stage import Stage
from watcherd import files
from watcherd.errors import EnvironmentFault, Overrun, Refusal

FAULTS = ("ENOSPC", "EDQUOT", "EROFS", "EIO", "ESTALE", "EACCES")


@pytest.fixture
def bench(fast, monkeypatch) -> Desk:
    """Give a desk that this process works on as a worker would."""
    desk = Desk(fast / "desk", main_attempts=3)
    monkeypatch.setenv("WATCHERD_CONFIG", str(desk.config.source))
    monkeypatch.setattr(limits, "BEAT", 0.02)
    stage.configuration.cache_clear()
    stage._spools.clear()
    yield desk
    stage.configuration.cache_clear()
    stage._spools.clear()


def plan(work=lambda _: None, *, seconds: float = 60.0):
    """Return a maker of the stage that lands a plan, with other work if need be."""

    def whole(on):
        work(on)
        on.job.write_plan(1)

    return lambda _: Stage("ocr", "ocr", lambda facts: facts.pages is not None, whole, seconds)


def raising(error: BaseException):
    """Return work that ends with this error."""

    def work(_):
        raise error

    return work


def ignored(job, make) -> None:
    """Run a stage that ends its chain."""
    with pytest.raises(Ignore):
        stage.run(job.job, make)


def test_an_attempt_is_counted_before_the_work(bench):
    """While the work runs its try file is there, and afterwards it is gone."""
    job, seen = bench.sealed(), []
    stage.run(job.job, plan(lambda on: seen.append(len(on.job.tries("ocr")))))
    assert seen == [1]
    assert job.tries("ocr") == []
    assert job.plan() == 1


def test_what_has_landed_is_skipped(bench):
    """A message that comes twice does its work once."""
    job, seen = bench.sealed(), []
    for _ in range(2):
        stage.run(job.job, plan(seen.append))
    assert len(seen) == 1


@pytest.mark.parametrize(
    "error",
    [
        *(OSError(getattr(errno, name), name) for name in FAULTS),
        EnvironmentFault("the mail server is away"),
        Ignore(),
    ],
)
def test_a_fault_of_the_machine_is_no_attempt(bench, error):
    """However often it comes, the document is not given up, and nothing remains of it."""
    job = bench.sealed()
    for _ in range(5):
        ignored(job, plan(raising(error)))
    assert (job.tries("ocr"), job.outcome()) == ([], None)
    stage.run(job.job, plan())
    assert job.plan() == 1


@pytest.mark.parametrize("error", [SystemExit(), KeyboardInterrupt()])
def test_being_told_to_stop_is_no_attempt(bench, error):
    """A worker that is stopped in the middle leaves no mark on the document."""
    job = bench.sealed()
    with pytest.raises(type(error)):
        stage.run(job.job, plan(raising(error)))
    assert job.tries("ocr") == []


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (Overrun("timeout", "too slow"), "timeout"),
        (MemoryError(), "too-large"),
        (ValueError("a defect"), "crashed"),
        (OSError(errno.ENOENT, "a defect"), "crashed"),
        (RecursionError(), "crashed"),
    ],
)
def test_a_failed_attempt_stays_counted(bench, error, code):
    """What another attempt may do better is tried again, and its reason is kept."""
    job = bench.sealed()
    ignored(job, plan(raising(error)))
    assert [t["code"] for t in job.tries("ocr")] == [code]
    assert job.outcome() is None


def test_a_refusal_ends_the_job_at_once(bench):
    """What would end the same every time is not tried again; the attempt file goes."""
    job = bench.sealed()
    ignored(job, plan(raising(Refusal("encrypted", "It needs a password.", page=4))))
    end = job.outcome()
    assert (end.kind, end.code, end.stage, end.page, end.attempts) == (
        "failed",
        "encrypted",
        "ocr",
        4,
        1,
    )
    assert job.tries("ocr") == []


def test_a_document_is_given_up_at_the_limit(bench):
    """After so many attempts the job fails with the last reason, without another one."""
    job, seen = bench.sealed(), []
    for n in range(3):
        assert job.outcome() is None
        ignored(job, plan(raising(Overrun("timeout", f"slow {n}"))))
    ignored(job, plan(seen.append))
    end = job.outcome()
    assert (end.kind, end.code, end.attempts) == ("failed", "timeout", 3)
    assert end.reason == "slow 2 (given up after 3 attempts)"
    assert seen == []


def test_attempts_are_counted_by_page(bench):
    """A page that fails does not use up the attempts of its neighbours."""
    job = bench.sealed()
    for _ in range(3):
        job.end_try(job.begin_try("page-2"), "timeout", "too slow")
    stage.run(job.job, plan())
    assert job.outcome() is None


def test_a_killed_worker_is_counted(bench):
    """A document that kills whoever works on it is given up as well, also the whole process."""
    job = bench.sealed()

    def die(_):
        os.kill(os.getpid(), 9)

    for n in range(3):
        assert status(fork(lambda: stage.run(job.job, plan(die)))) == -9
        assert len(job.tries("ocr")) == n + 1
    ignored(job, plan(die))
    assert (job.outcome().code, job.outcome().attempts) == ("crashed", 3)


def test_overtime_is_counted_and_says_so(bench, monkeypatch):
    """A stage that does not come back is killed with its process, and its attempt has a reason."""
    monkeypatch.setattr(stage, "_GRACE", 0.1)
    job = bench.sealed()

    def hang(_):
        while True:
            pass

    assert status(fork(lambda: stage.run(job.job, plan(hang, seconds=0.1)))) == -9
    (told,) = job.tries("ocr")
    assert told["code"] == "timeout"
    assert "limits.page_seconds" in told["reason"]


def test_a_message_that_comes_twice_does_not_fail_a_last_attempt(bench):
    """While a rival shows life the document is not given up, though its attempts are used up."""
    job = bench.sealed()
    for _ in range(2):
        job.end_try(job.begin_try("ocr"), "timeout", "too slow")
    begun, done = threading.Event(), threading.Event()

    def slow(_):
        begun.set()
        assert done.wait(20)

    rival = threading.Thread(target=stage.run, args=(job.job, plan(slow)))
    rival.start()
    assert begun.wait(20)
    ignored(job, plan())
    assert job.outcome() is None
    done.set()
    rival.join()
    assert job.plan() == 1


@pytest.mark.parametrize(
    "stale", ["ended", "unsealed", "gone", "lost", "claimless", "spool", "name", "inbox"]
)
def test_a_stale_message_is_ignored(bench, stale):
    """A message whose job is not to be worked on does nothing, and leaves no attempt."""
    job, seen = bench.sealed(), []
    name = job.job
    if stale == "ended":
        job.conclude(outcome("cancelled"))
    elif stale == "unsealed":
        (job.path / "sealed.json").unlink()
    elif stale == "gone":
        files.remove_tree(job.path)
    elif stale == "lost":
        job.source.unlink()
    elif stale == "claimless":
        (job.path / "job.json").write_text("{}")
    elif stale == "spool":
        name = "zzzz" + name[4:]
    elif stale == "name":
        name = "../../etc"
    else:
        table = (job.path / "job.json").read_text().replace('"scans"', '"elsewhere"')
        (job.path / "job.json").write_text(table)
    with pytest.raises(Ignore):
        stage.run(name, plan(seen.append))
    assert seen == []
    assert job.facts() is None or job.tries("ocr") == []


def test_a_spool_that_is_made_later_is_found(bench, monkeypatch):
    """A worker that has started before the daemon's first run need not be started again."""
    monkeypatch.setattr(stage, "_spools", [])
    assert stage.spool_of("zzzz-00000000000000") is None
    job = bench.sealed()
    assert stage.spool_of(job.job).root == bench.spool.root


def test_a_job_that_is_taken_away_ends_quietly(bench):
    """A job that is cancelled and filed under our hands is no crash of anything."""
    job = bench.sealed()

    def gone(_):
        files.remove_tree(job.path)
        raise ValueError("there is nothing any more")

    ignored(job, plan(gone))
    assert not job.path.exists()


def test_a_full_disk_before_the_work_is_no_attempt(bench, monkeypatch):
    """If the attempt itself cannot be made durable, nothing is begun and nothing is counted."""
    job, seen = bench.sealed(), []
    real = os.fsync

    def full(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    ignored(job, plan(seen.append))
    monkeypatch.setattr(os, "fsync", real)
    assert (seen, job.tries("ocr")) == ([], [])


def test_life_is_shown_to_the_daemon(bench):
    """While a stage works its attempt changes, so that the daemon's lease does not run out."""
    job = bench.sealed()

    def slow(on):
        lives, end = set(), time.monotonic() + 20
        while len(lives) < 4 and time.monotonic() < end:
            lives |= {t.life for t in on.job.facts().tries}
        assert len(lives) == 4

    stage.run(job.job, plan(slow))
    assert job.source.read_bytes() == SCAN
