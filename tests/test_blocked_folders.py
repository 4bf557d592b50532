"""What a folder of the inbox cannot be elsewhere, or is too long for, still has one place there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from desks import RESULTS, SCAN, Desk, copies, names
from kills import every_kill

from watcherd import files, filing, publish, ways
from watcherd.errors import NotOurs
from watcherd.jobdir import JobDir
from watcherd.jobfiles import Output, Publication
from watcherd.model import SCHEMA
from watcherd.publish import Outbox

PATH_MAX = 4096
"""Bytes in a path, with the NUL at its end (limits.h)."""

INSIDE = b"conf.jpg/inside.jpg"
DEEP = b"/".join([b"d" * 250] * 14)
KINDS = {"done": "archive", "skipped": "archive", "failed": "failed"}
OBSTACLES = ("file", "dangling", "loop", "fifo")


def unread(path: Path) -> tuple[int, ...]:
    """Return what must stay of a file; that somebody looked at it may show."""
    found = path.lstat()
    return found.st_ino, found.st_mode, found.st_size, found.st_mtime_ns, found.st_nlink


@pytest.fixture(params=["linked", "copied"])
def made(request, desks, tmp_path):
    """Give a maker of desks whose folders are on the spool's filesystem, and on another one."""
    count = 0

    def make(**keys: object) -> Desk:
        nonlocal count
        count += 1
        apart = {k: tmp_path / str(count) / k for k in ("archive", "failed", "outbox")}
        return desks(**((apart if request.param == "copied" else {}) | keys))

    return make


def obstruct(path: Path, kind: str = "file") -> None:
    """Put something there that is no folder."""
    if kind == "file":
        path.write_bytes(b"foreign")
    elif kind == "fifo":
        os.mkfifo(path)
    else:
        path.symlink_to(path if kind == "loop" else path.with_name("nothing"))


def roots(desk: Desk) -> list[Path]:
    return [desk.root, desk.inbox.archive, desk.inbox.failed]


def file(desk: Desk, job: JobDir) -> filing.Filed:
    return filing.file_away(desk.spool, job, desk.inbox)


def again(desk: Desk, job: JobDir) -> None:
    """Do what the daemon does after it was killed."""
    ended = JobDir(desk.spool.work / f"{job.job}.ended")
    if job.path.is_dir():
        file(desk, job)
    elif ended.path.is_dir():
        filing.settle_record(desk.spool, ended, desk.inbox)


def box(desk: Desk) -> Outbox:
    return Outbox(desk.inbox.outbox, desk.inbox.mode)


def far(folder: Path, length: int) -> Path:
    """Return a folder below that one from which a path to `DEEP` has that length."""
    missing = length - len(os.fsencode(folder)) - len(DEEP) - 2
    part = 201 if missing % 201 else 200  # the last one has a name
    return folder / "/".join(["y" * (part - 1)] * (missing // part) + ["z" * (missing % part)])


def sidecars(kind: str, name: str) -> list[str]:
    return [] if kind == "done" else [f"{name}.error.json"]


@pytest.mark.parametrize("obstacle", OBSTACLES)
@pytest.mark.parametrize("kind", KINDS)
def test_a_blocked_folder_gets_a_number(made, kind, obstacle):
    """The original goes to a folder beside what has the name, which stays as it is."""
    desk = made()
    home = getattr(desk.inbox, KINDS[kind])
    obstruct(home / "conf.jpg", obstacle)
    before = unread(home / "conf.jpg")
    filed = file(desk, desk.ended(kind, INSIDE))
    there = "conf.jpg-2/inside.jpg"
    assert filed.path == home / there
    assert names(home) == sorted(["conf.jpg", there, *sidecars(kind, there)])
    assert unread(home / "conf.jpg") == before
    assert copies(SCAN, *roots(desk)) == [home / there]


def test_documents_of_a_blocked_folder_stay_together(made):
    """The next ones go to the same folder, which is the first that can be one."""
    desk = made()
    for name in ("conf.jpg", "conf.jpg-2"):
        obstruct(desk.inbox.archive / name)
    for _ in range(2):
        file(desk, desk.ended("done", INSIDE))
    file(desk, desk.ended("done", b"conf.jpg/deeper/other.jpg"))
    found = ["conf.jpg-3/deeper/other.jpg", "conf.jpg-3/inside-2.jpg", "conf.jpg-3/inside.jpg"]
    assert names(desk.inbox.archive) == ["conf.jpg", "conf.jpg-2", *found]


def test_a_folder_may_be_a_link_to_one(made):
    """Where somebody has linked a folder in, files go through it as ever."""
    desk = made()
    goal = desk.root / "goal"
    goal.mkdir()
    for folder in (desk.inbox.archive, desk.inbox.outbox):
        (folder / "conf.jpg").symlink_to(goal)
    file(desk, desk.ended("done", INSIDE))
    publish.publish(desk.built(), box(desk), b"conf.jpg/inside")
    assert names(goal) == ["inside.jpg", "inside.pdf", "inside.txt"]


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_filing_past_an_obstacle_survives_a_kill_anywhere(made, kind, late):
    """Killed before any step, the original has one place afterwards, and the record names it."""

    def prepare():
        desk = made()
        home = getattr(desk.inbox, KINDS[kind])
        job = desk.ended(kind, INSIDE)
        if late:
            filing._slot(job, job.claim(), home, with_sidecar=kind != "done")
        obstruct(home / "conf.jpg")
        return (desk, job, home), lambda: file(desk, job)

    for step, (desk, job, home) in every_kill(prepare):
        assert copies(SCAN, *roots(desk)), step
        again(desk, job)
        there = "conf.jpg-2/inside.jpg"
        assert names(home) == sorted(["conf.jpg", there, *sidecars(kind, there)]), step
        assert copies(SCAN, *roots(desk)) == [home / there], step
        assert filing.recorded(desk.spool, job.job).path == home / there, step
        assert (home / "conf.jpg").read_bytes() == b"foreign", step


def blocked(made) -> tuple[Desk, bytes]:
    desk = made()
    obstruct(desk.inbox.failed / "conf.jpg")
    return desk, INSIDE


def too_long(made) -> tuple[Desk, bytes]:
    desk = made()
    return made(failed=far(desk.inbox.failed, PATH_MAX)), DEEP + b"/inside.jpg"


@pytest.mark.parametrize("place", [blocked, too_long])
def test_a_retry_from_another_place_survives_a_kill_anywhere(made, place):
    """The original and its reason are found where they went, and nothing else is taken."""

    def prepare():
        desk, name = place(made)
        job = desk.ended("failed", name)
        file(desk, job)
        return (desk, job), lambda: filing.restore(desk.spool, job.job, desk.inbox)

    for step, (desk, job) in every_kill(prepare):
        assert copies(SCAN, *roots(desk)), step
        filing.restore(desk.spool, job.job, desk.inbox)
        assert copies(SCAN, *roots(desk)) == [job.source], step
        left = ["conf.jpg"] if place is blocked else []
        assert names(desk.inbox.failed) == left, step


@pytest.mark.parametrize("beyond", [-60, -53, -52, -42, -30, -12, -11, -1, 0, 1, 300])
@pytest.mark.parametrize("kind", ["done", "failed"])
def test_a_path_at_the_limit_has_a_place(made, kind, beyond):
    """Wherever the limit is passed, by folder, name or sidecar, the original is filed once."""
    plain = made()
    root = getattr(plain.inbox, KINDS[kind])
    desk = made(**{KINDS[kind]: far(root, PATH_MAX + beyond)})
    home = getattr(desk.inbox, KINDS[kind])
    job = desk.ended(kind, DEEP + b"/inside.jpg")
    filed = file(desk, job)
    short = beyond >= -52  # a private name, or a sidecar with a number, would not fit
    there = f"{job.job}.jpg" if short else os.fsdecode(DEEP + b"/inside.jpg")
    assert filed.path == home / there
    assert copies(SCAN, *roots(desk)) == [home / there]
    assert len(names(home)) == (1 if kind == "done" else 2)
    assert len(list(home.iterdir())) == (1 if kind == "done" or not short else 2)


@pytest.mark.parametrize("kind", ["done", "failed"])
def test_filing_what_is_too_long_survives_a_kill_anywhere(made, kind):
    """Also if the long place was recorded, the original ends under its short name."""

    def prepare():
        desk = made(**{KINDS[kind]: far(made().root, PATH_MAX)})
        job = desk.ended(kind, DEEP + b"/inside.jpg")
        table = {"schema": SCHEMA, "n": 1}  # as it was recorded before ways were
        files.write(job.path / "filed.json", files.to_json(table))
        return (desk, job), lambda: file(desk, job)

    for step, (desk, job) in every_kill(prepare):
        again(desk, job)
        home, there = getattr(desk.inbox, KINDS[kind]), f"{job.job}.jpg"
        assert names(home) == [there, *sidecars(kind, there)], step
        assert copies(SCAN, *roots(desk)) == [home / there], step


@pytest.mark.parametrize("way", ["Li4vLi4vYS5wZGY=", "L2V0Yy9h", "é", "", 7, None, ["a"]])
def test_a_record_of_a_way_out_is_no_record(desk, way):
    """What leads out of the folder, or nowhere, is neither filed to nor brought back."""
    job = desk.ended("failed")
    bad = files.to_json({"schema": SCHEMA, "n": 1, "way": way})
    files.write(job.path / "filed.json", bad)
    file(desk, job)
    assert names(desk.inbox.failed) == ["a.pdf", "a.pdf.error.json"]
    files.write(desk.spool.parked / job.job / "filed.json", bad)
    with pytest.raises(NotOurs):
        filing.restore(desk.spool, job.job, desk.inbox)


@pytest.mark.parametrize("obstacle", OBSTACLES)
def test_a_set_goes_past_what_blocks_its_folder(made, obstacle):
    """Results appear together in a folder beside, and what has the name stays as it is."""
    desk = made()
    obstruct(desk.inbox.outbox / "confb.pdf", obstacle)
    before = unread(desk.inbox.outbox / "confb.pdf")
    publish.publish(desk.built(), box(desk), b"confb.pdf/inside")
    found = ["confb.pdf", "confb.pdf-2/inside.pdf", "confb.pdf-2/inside.txt"]
    assert names(desk.inbox.outbox) == found
    assert unread(desk.inbox.outbox / "confb.pdf") == before


def intend(job: JobDir, base: bytes) -> None:
    """Record the names of a set, as a publisher that was killed then."""
    rows = [("doc.txt", base + b".txt"), ("doc.pdf", base + b".pdf")]
    outputs = tuple(Output(r, t, files.sha256(job.built / r)) for r, t in rows)
    assert job.intend(Publication(1, outputs)) is not None


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("what", ["blocked", "too long"])
def test_publishing_past_an_obstacle_survives_a_kill_anywhere(made, what, late):
    """Killed before any step, the set ends whole under one pair of names, and can be withdrawn."""
    base = b"confb.pdf/inside" if what == "blocked" else DEEP + b"/inside"

    def prepare():
        desk = made(**({"outbox": far(made().root, PATH_MAX)} if what == "too long" else {}))
        job = desk.built()
        if late:
            intend(job, base)
        if what == "blocked":
            obstruct(desk.inbox.outbox / "confb.pdf")
        return (desk, job), lambda: publish.publish(job, box(desk), base)

    for step, (desk, job) in every_kill(prepare):
        number = "-2" if late else ""
        stem = f"confb.pdf-2/inside{number}" if what == "blocked" else f"{job.job}{number}"
        foreign = ["confb.pdf"] if what == "blocked" else []
        assert publish.publish(job, box(desk), base).n == 1 + late, step
        job.begin_try("pdf")  # as the killed one had done
        publish.withdraw(job, box(desk), but=(f"{stem}.pdf".encode(), f"{stem}.txt".encode()))
        assert names(desk.inbox.outbox) == [*foreign, f"{stem}.pdf", f"{stem}.txt"], step
        assert (desk.inbox.outbox / f"{stem}.pdf").read_bytes() == RESULTS["doc.pdf"], step
        publish.withdraw(job, box(desk))
        assert names(desk.inbox.outbox) == foreign, step


@pytest.mark.parametrize("obstacle", OBSTACLES)
@pytest.mark.parametrize("path", ["a/b", "a/b/c"])
def test_a_folder_cannot_be_made_of_something_else(fast, path, obstacle):
    """Making folders tells where one is something else, and leaves that alone."""
    (fast / "a").mkdir()
    obstruct(fast / "a" / "b", obstacle)
    before = unread(fast / "a" / "b")
    with pytest.raises(NotADirectoryError, match="/a/b'"):
        files.make_dirs(fast / path, fast)
    assert unread(fast / "a" / "b") == before


def test_a_folder_that_is_not_there_is_no_obstacle(fast):
    """The root is nothing to be walked around: that it is no folder is told."""
    with pytest.raises(NotADirectoryError):
        ways.way(Path(os.devnull), b"a/b", b"short")
    assert ways.way(fast / "gone", b"a/b", b"short") == b"a/b"


def test_the_way_of_a_long_folder_keeps_its_length(fast):
    """A folder's name at the filesystem's limit is shortened to make room for its number."""
    obstruct(fast / ("é" * 127))
    assert ways.way(fast, "é".encode() * 127 + b"/a", b"short") == "é".encode() * 126 + b"-2/a"
