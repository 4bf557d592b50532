"""Names that a filesystem does not take: every document arrives whole, once, under its own name."""

from __future__ import annotations

import os
from datetime import datetime
from typing import TYPE_CHECKING

import picky
import pytest
from desks import RESULTS, SCAN, Desk, copies, names
from kills import every_kill, fork, status

from watcherd import filing, naming, publish
from watcherd.jobdir import JobDir
from watcherd.naming import NameFacts
from watcherd.publish import Outbox

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


FOLDERS = {"done": "archive", "failed": "failed"}
WHEN = datetime(2024, 2, 9, 13, 5).astimezone()


@pytest.fixture(scope="module", params=picky.KINDS)
def disk(request) -> Iterator[Path]:
    """Give a filesystem that does not take every name."""
    with picky.mounted(request.param) as place:
        yield place


@pytest.fixture
def made(disk, desks) -> Callable[..., Desk]:
    """Give a maker of desks that have outbox, archive and failed folder on that filesystem."""

    def make(**keys: object) -> Desk:
        home = disk / str(len(os.listdir(disk)))
        apart = {k: home / k for k in ("outbox", "archive", "failed")}
        return desks(**(apart | keys))

    return make


def box(desk: Desk) -> Outbox:
    return Outbox(desk.inbox.outbox, desk.inbox.mode)


def run(desk: Desk, job: JobDir) -> publish.Publication:
    facts = NameFacts(job.claim().source, "scans", job.job, WHEN)
    return publish.publish(job, box(desk), naming.render("{dir}/{stem}", facts))


def file(desk: Desk, job: JobDir) -> filing.Filed:
    return filing.file_away(desk.spool, job, desk.inbox)


def roots(desk: Desk) -> list[Path]:
    return [desk.root, desk.inbox.archive, desk.inbox.failed]


def test_every_name_is_published(made):
    """Each set is in the outbox, whole, under the names that are told, and beside all others."""
    desk = made()
    for name in picky.NASTY:
        results = {one: data + name for one, data in RESULTS.items()}
        for output in run(desk, desk.built(name, results)).outputs:
            assert publish.target(box(desk), output).read_bytes() == results[output.result], name
    assert len(names(desk.inbox.outbox)) == len(RESULTS) * len(picky.NASTY)


def test_a_link_may_be_refused_as_well(desks):
    """Where spool and outbox share a filesystem that knows links, each name is one."""
    with picky.mounted("ntfs") as place:
        desk = desks(outbox=place / "outbox", spool=place / "spool")
        for name in (b"f:/a:b.png", b"\xff.png", b"CON.png"):
            job = desk.built(name)
            for output in run(desk, job).outputs:
                assert publish.target(box(desk), output).samefile(job.built / output.result)
        stems = ("CON_", "_", "f_/a_b")
        assert names(desk.inbox.outbox) == [f"{s}.{ext}" for s in stems for ext in ("pdf", "txt")]


@pytest.mark.parametrize("kind", FOLDERS)
def test_every_name_is_filed(made, kind):
    """Each original is where it is told to be, with its reason unless done, beside all others."""
    desk = made()
    for name in picky.NASTY:
        filed = file(desk, desk.ended(kind, name, SCAN + name))
        assert filed.path.read_bytes() == SCAN + name, name
        (only,) = copies(SCAN + name, *roots(desk))
        assert only.samefile(filed.path), name
    found = names(getattr(desk.inbox, FOLDERS[kind]))
    assert len(found) == len(picky.NASTY) * (1 if kind == "done" else 2)


def test_names_that_become_one_are_numbered(made):
    """What is mapped to a name that is there gets the next number, and overwrites nothing."""
    desk = made()
    (desk.inbox.outbox / "A_B-2.pdf").write_bytes(b"foreign")
    one = (desk.inbox.outbox / "a_b-2.pdf").exists()
    for name in (b"a_b.png", b"a:b.png", b"a?b.png"):
        run(desk, desk.built(name))
        file(desk, desk.ended("done", name, SCAN + name))
    there = {"a_b", "a_b-3", "a_b-4"} if one else {"a_b", "a_b-2", "a_b-3"}
    assert {p.stem for p in desk.inbox.outbox.glob("*.txt")} == there
    assert (desk.inbox.outbox / "A_B-2.pdf").read_bytes() == b"foreign"
    assert names(desk.inbox.archive) == ["a_b-2.png", "a_b-3.png", "a_b.png"]


@pytest.mark.parametrize(("name", "stem"), [(b"f:/a:b.png", "f_/a_b"), (b"\xff/\xff.png", "_/_")])
def test_a_publisher_that_is_killed_leaves_one_set(made, name, stem):
    """Killed before any step, the set ends whole under its mapped names, and can be withdrawn."""

    def prepare():
        desk = made()
        job = desk.built(name)
        return (desk, job), lambda: run(desk, job)

    for step, (desk, job) in every_kill(prepare):
        outputs = run(desk, job).outputs
        assert [o.target.decode() for o in outputs] == [f"{stem}.txt", f"{stem}.pdf"], step
        job.begin_try("pdf")  # as the killed one had done
        publish.withdraw(job, box(desk), but=tuple(o.target for o in outputs))
        assert names(desk.inbox.outbox) == [f"{stem}.pdf", f"{stem}.txt"], step
        for output in outputs:
            assert publish.target(box(desk), output).read_bytes() == RESULTS[output.result], step
        publish.withdraw(job, box(desk))
        assert names(desk.inbox.outbox) == [], step


def test_a_publisher_that_is_killed_can_be_withdrawn(made):
    """Killed before any step and cancelled then, nothing of the job is left in the outbox."""

    def prepare():
        desk = made()
        job = desk.built(b"f:/a:b.png")
        job.begin_try("pdf")
        return (desk, job), lambda: run(desk, job)

    for step, (desk, job) in every_kill(prepare):
        publish.withdraw(job, box(desk))
        assert names(desk.inbox.outbox) == [], step


@pytest.mark.parametrize("kind", FOLDERS)
@pytest.mark.parametrize("name", [b"f:/a:b.png", b"trailing."])
def test_filing_that_is_killed_leaves_one_original(made, kind, name):
    """Killed before any step, the original ends in one place, with its reason unless done."""

    def prepare():
        desk = made()
        job = desk.ended(kind, name)
        return (desk, job), lambda: file(desk, job)

    for step, (desk, job) in every_kill(prepare):
        assert copies(SCAN, *roots(desk)), step
        if job.path.is_dir():
            file(desk, job)
        ended = JobDir(desk.spool.work / f"{job.job}.ended")
        if ended.path.is_dir():
            filing.settle_record(desk.spool, ended, desk.inbox)
        filed = filing.recorded(desk.spool, job.job).path
        home = getattr(desk.inbox, FOLDERS[kind])
        sidecar = [] if kind == "done" else [f"{filed.relative_to(home)}.error.json"]
        assert names(home) == [str(filed.relative_to(home)), *sidecar], step
        assert "-2" not in filed.name, step
        assert copies(SCAN, *roots(desk)) == [filed], step


@pytest.mark.parametrize("name", [b"f:/a:b.png", b"CON", b"\xff.png"])
def test_a_retry_finds_its_original(made, name):
    """What was filed under another name comes back as it was, and nothing is left there."""
    desk = made()
    job = desk.ended("failed", name)
    file(desk, job)
    assert filing.restore(desk.spool, job.job, desk.inbox).claim().source == name
    assert copies(SCAN, *roots(desk)) == [job.source]
    assert names(desk.inbox.failed) == []


def test_rivals_agree_on_the_form(made):
    """Workers that publish the same job at the same time end at one set of mapped names."""
    for _ in range(4):
        desk = made()
        job = desk.built(b"a:b.png")
        rivals = [fork(lambda desk=desk, job=job: run(desk, job)) for _ in range(3)]
        assert [status(pid) for pid in rivals] == [0, 0, 0]
        assert names(desk.inbox.outbox) == ["a_b.pdf", "a_b.txt"]


def test_a_name_of_the_filesystems_own(disk, desks):
    """A name that NTFS itself has in use, and may hide, is nobody's: the original gets another."""
    desk = desks(archive=disk)
    filed = file(desk, desk.ended("done", b"$MFT"))
    assert filed.path.read_bytes() == SCAN
    assert filed.path.name in ("$MFT", "$MFT-2", "_MFT")


@pytest.mark.parametrize(
    ("error", "never", "name", "becomes"),
    [
        ("EINVAL", picky.NOTHING, "Übe:r.png", "Übe_r"),
        ("EPERM", picky.NOTHING, "Übe:r.png", "Übe_r"),
        ("EIO", "[^ -~]", "Übe:r.png", "Ube_r"),
        ("EINVAL", "Ü.*pdf", "Über.pdf", "Uber"),  # but the text's name is taken
        ("EILSEQ", "__", "Ü::r.p:g", "{job}"),
    ],
)
def test_a_name_is_changed_as_little_as_need_be(desks, error, never, name, becomes):
    """Each form is tried before the next, whatever the filesystem says of a name."""
    with picky.mounted("fat", error, never) as place:
        desk = desks(outbox=place / "outbox", archive=place / "archive")
        job = desk.built(name.encode())
        run(desk, job)
        stem = becomes.format(job=job.job)
        assert names(desk.inbox.outbox) == [f"{stem}.pdf", f"{stem}.txt"]
        job = desk.ended("done", name.encode())
        ext = name.rpartition(".")[2].replace(":", "_")
        assert file(desk, job).path.name == f"{becomes.format(job=job.job)}.{ext}"


@pytest.mark.parametrize(
    ("error", "never", "most"),
    [("EINVAL", r"\.(txt|png)", 3), ("EPERM", r"\.(txt|png)", 2), ("EPERM", r"\.part", 1)],
)
def test_a_filesystem_that_takes_no_name(desks, error, never, most):
    """Where no form is taken, or no file at all, that is told, and records do not pile up."""
    with picky.mounted("fat", error, never) as place:
        desk = desks(outbox=place / "outbox", archive=place / "archive")
        job, ended = desk.built(b"a:b.png"), desk.ended("done", b"a:b.png")
        for _ in range(3):
            with pytest.raises(OSError, match=r"Invalid|permitted"):
                run(desk, job)
            with pytest.raises(OSError, match=r"Invalid|permitted"):
                file(desk, ended)
        assert len(job.publications()) == most
        assert names(place) == []
        assert copies(SCAN, desk.root) == sorted([job.source, ended.source])
