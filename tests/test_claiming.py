"""A settled file leaves its inbox and becomes a job, once, whatever happens meanwhile."""

from __future__ import annotations

import os
import subprocess

import pytest
from desks import SCAN, Desk, copies, names
from kills import every_kill
from needs import needs

from watcherd import claiming, files
from watcherd.claiming import Changed
from watcherd.lease import fingerprint
from watcherd.work import Work


@pytest.fixture(params=["renamed", "copied", "kept"])
def made(request, desks, tmp_path):
    """Give a maker of desks for each way of claiming."""
    count = 0

    def make() -> Desk:
        nonlocal count
        count += 1
        if request.param == "copied":
            return desks(path=tmp_path / str(count))
        return desks(originals="keep" if request.param == "kept" else "archive")

    make.way = request.param
    return make


def adopt(desk: Desk) -> Work:
    """Do what the daemon does when it starts."""
    work = Work(desk.inbox, desk.spool, (), lambda _: None)
    work.adopt(0.0)
    work.look(0.0)
    return work


def test_a_claim_takes_the_bytes(made):
    """The job has the file's bytes and says what it was; an inbox that keeps has it still."""
    desk = made()
    path = desk.drop(b"sub/\xff.pdf")
    settled = fingerprint(path.lstat())
    job = desk.claim(b"sub/\xff.pdf")
    claim = job.claim()
    assert (claim.source, claim.fingerprint, claim.inbox) == (b"sub/\xff.pdf", settled, "scans")
    assert claim.copied == (made.way != "renamed")
    assert job.source.read_bytes() == SCAN
    assert job.source.stat().st_mtime_ns == settled.mtime_ns
    assert path.exists() == claim.copied
    job.seal()
    claiming.release(desk.spool, desk.inbox, claim)
    assert path.exists() == (made.way == "kept")


def test_a_claim_survives_a_kill_anywhere(made):
    """Killed before any step, the bytes exist all the time, and one job comes of it."""

    def prepare():
        desk = made()
        desk.drop()
        return desk, desk.claim

    for step, desk in every_kill(prepare):
        inbox = claiming.inbox_path(desk.inbox, b"a.pdf")
        assert copies(SCAN, desk.root, desk.inbox.path), step
        work = adopt(desk)
        if not len(work):  # the claim never happened
            assert inbox.read_bytes() == SCAN, step
            desk.claim()
            work = adopt(desk)
        assert len(work.view) == 1, step
        assert inbox.exists() == (made.way == "kept"), step
        if made.way == "kept":
            marker = claiming.kept_marker(
                desk.spool, desk.inbox, b"a.pdf", fingerprint(inbox.stat())
            )
            assert marker.exists(), step
        (claim, facts) = next(iter(work.view.values()))
        assert facts.sealed, step
        assert desk.spool.job(claim.job).intact(), step


def test_a_release_survives_a_kill_anywhere(made):
    """Killed between seal and unlink, only what is missing is done, and nothing comes twice."""

    def prepare():
        desk = made()
        desk.drop()
        job = desk.claim()
        return (desk, job), lambda: adopt(desk)

    for step, (desk, job) in every_kill(prepare):
        assert copies(SCAN, desk.root, desk.inbox.path), step
        assert set(adopt(desk).view) == {job.job}, step
        assert names(desk.inbox.path) == (["a.pdf"] if made.way == "kept" else []), step


@pytest.mark.parametrize("change", ["written", "replaced", "link", "folder", "gone"])
def test_a_file_that_changed_is_not_claimed(made, change):
    """Whatever is not the file that settled stays where it is, and no job is left."""
    desk = made()
    path = desk.drop()
    settled = fingerprint(path.lstat())
    if change == "written":
        path.write_bytes(SCAN + b"more")
    else:
        path.rename(path.with_name("b.pdf"))
    if change == "replaced":
        path.write_bytes(SCAN)
    elif change == "link":
        path.symlink_to("b.pdf")
    elif change == "folder":
        path.mkdir()
    before = sorted(os.listdir(desk.inbox.path))
    options = desk.config.options(desk.inbox)
    with pytest.raises(Changed):
        claiming.claim(desk.spool, desk.inbox, b"a.pdf", settled, options)
    assert sorted(os.listdir(desk.inbox.path)) == before
    assert os.listdir(desk.spool.work) == []


def test_a_link_that_takes_the_files_place_is_put_back(desk):
    """What is renamed by mistake, since it came at the last moment, returns under its name."""
    path = desk.drop()
    path.rename(path.with_name("b.pdf"))
    path.symlink_to("b.pdf")
    job = desk.spool.new_job()
    with pytest.raises(Changed):
        claiming._rename(job, path)
    assert path.is_symlink()
    assert path.read_bytes() == SCAN


def test_a_file_that_changes_under_the_copy_is_not_claimed(desks, tmp_path, monkeypatch):
    """A copy counts only if its source is still what settled when the copy is whole."""
    desk = desks(path=tmp_path / "in")
    path = desk.drop()
    real = files.copy

    def slow(source, target, expected=None):
        told = real(source, target, expected)
        path.write_bytes(SCAN + b"more")
        return told

    monkeypatch.setattr(files, "copy", slow)
    with pytest.raises(Changed):
        desk.claim()
    assert path.read_bytes() == SCAN + b"more"
    assert os.listdir(desk.spool.work) == []


def test_a_changed_file_is_not_released(desks, tmp_path):
    """A new file that took the name of a copied one is not unlinked in its place."""
    desk = desks(path=tmp_path / "in")
    path = desk.drop()
    job = desk.claim()
    path.unlink()
    path.write_bytes(b"%PDF another document")
    claiming.release(desk.spool, desk.inbox, job.claim())
    assert path.read_bytes() == b"%PDF another document"


def test_a_claim_that_fails_late_leaves_no_second_one(desks, monkeypatch):
    """If the marker of a kept file cannot be written, the copy goes, so that none is done twice."""
    desk = desks(originals="keep")
    desk.drop()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(claiming, "_mark_kept", full)
    with pytest.raises(OSError, match="No space"):
        desk.claim()
    assert os.listdir(desk.spool.work) == []
    assert names(desk.inbox.path) == ["a.pdf"]


def test_an_inbox_that_cannot_be_emptied_is_not_copied_from(tmp_path, elsewhere):
    """A read-only inbox on another filesystem would be read again for ever: it is left alone."""
    needs("root", "mount")
    inbox = elsewhere / "inbox"
    desk = Desk(tmp_path, path=inbox)
    desk.drop()
    if subprocess.run(["mount", "--bind", inbox, inbox], check=False).returncode:
        pytest.skip("mounting is not allowed here")
    try:
        subprocess.run(["mount", "-o", "remount,bind,ro", inbox], check=True)
        with pytest.raises(PermissionError):
            desk.claim()
        assert os.listdir(desk.spool.work) == []
    finally:
        subprocess.run(["umount", inbox], check=True)


def test_two_mounts_of_one_device_are_copied_between(tmp_path):
    """Where one device is mounted twice a rename is refused, and the file is copied."""
    needs("root", "mount")
    desk = Desk(tmp_path)
    inbox = desk.inbox.path
    if subprocess.run(["mount", "--bind", inbox, inbox], check=False).returncode:
        pytest.skip("mounting is not allowed here")
    try:
        assert inbox.stat().st_dev == desk.spool.work.stat().st_dev
        desk.drop()
        job = desk.claim()
        assert job.claim().copied
        assert set(adopt(desk).view) == {job.job}
        assert names(inbox) == []
    finally:
        subprocess.run(["umount", inbox], check=True)
