"""Hints from a real inotify."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hearing import Ear, listening

from watcherd.lease import peek
from watcherd.observer import HintKind

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def ear(tmp_path) -> Iterator[Ear]:
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    with listening(inbox) as ear:
        yield ear


def test_a_new_file_is_heard_of(ear):
    """A file that is made and closed gives a hint for each."""
    (ear.inbox / "scan.pdf").write_bytes(b"scan")
    ear.until(ear.inbox / "scan.pdf", HintKind.CREATED)
    ear.until(ear.inbox / "scan.pdf", HintKind.CLOSED)


def test_a_file_written_again_is_heard_of(ear):
    """Appending to a file that was there gives a hint when it is closed."""
    path = ear.inbox / "scan.tif"
    path.touch()
    ear.until(path, HintKind.CLOSED)
    with path.open("ab") as file:
        file.write(b"page 2")
    ear.until(path, HintKind.CLOSED)


def test_a_file_moved_in_or_renamed_is_heard_of(ear, tmp_path):
    """A rename is told by the new name, wherever the file came from."""
    (tmp_path / "scan.pdf").write_bytes(b"scan")
    (tmp_path / "scan.pdf").rename(ear.inbox / "scan.part")
    ear.until(ear.inbox / "scan.part", HintKind.MOVED)
    (ear.inbox / "scan.part").rename(ear.inbox / "scan.pdf")
    ear.until(ear.inbox / "scan.pdf", HintKind.MOVED)


def test_a_folder_moved_in_is_heard_of_and_watched(ear, tmp_path):
    """A tree that is moved in is to be scanned, and files that come into it later are heard."""
    (tmp_path / "batch" / "deep").mkdir(parents=True)
    (tmp_path / "batch" / "deep" / "old.pdf").touch()
    (tmp_path / "batch").rename(ear.inbox / "batch")
    assert ear.until(ear.inbox / "batch", HintKind.DIRECTORY) == []
    new = ear.inbox / "batch" / "deep" / "new.pdf"
    new.touch()
    assert ear.until(new, HintKind.CREATED) == []  # nothing was created but this
    ear.until(new, HintKind.CLOSED)


def test_a_new_folder_is_heard_of_and_watched(ear):
    """A folder that is made gives a hint, as do files in it, also after it is renamed."""
    (ear.inbox / "a").mkdir()
    ear.until(ear.inbox / "a", HintKind.DIRECTORY)
    (ear.inbox / "a" / "1.pdf").touch()
    ear.until(ear.inbox / "a" / "1.pdf", HintKind.CLOSED)
    (ear.inbox / "a").rename(ear.inbox / "b")
    ear.until(ear.inbox / "b", HintKind.DIRECTORY)
    (ear.inbox / "b" / "2.pdf").touch()
    ear.until(ear.inbox / "b" / "2.pdf", HintKind.CLOSED)


def test_any_name_is_heard_of(ear):
    """A name that is not UTF-8 comes as the bytes that it is."""
    path = os.fsencode(ear.inbox) + b"/\xff \n.pdf"
    Path(os.fsdecode(path)).touch()
    ear.until(path, HintKind.CREATED)


def test_our_own_reading_is_not_heard_of(ear, tmp_path):
    """Looking at files, listing folders and claiming a file away make no hints."""
    path = ear.inbox / "scan.pdf"
    path.write_bytes(b"scan")
    ear.until(path, HintKind.CLOSED)
    peek(path)
    path.read_bytes()
    list(ear.inbox.iterdir())
    path.rename(tmp_path / "claimed")
    (ear.inbox / "next").touch()
    assert ear.until(ear.inbox / "next", HintKind.CREATED) == []


def test_a_claim_does_not_hold_up_the_next_hint(ear, tmp_path):
    """A file that is moved away is not waited for to come back: the next hint is not delayed."""
    delays = []
    for number in range(5):
        claimed, following = ear.inbox / f"{number}.pdf", ear.inbox / f"{number}.next"
        claimed.touch()
        ear.until(claimed, HintKind.CLOSED)
        claimed.rename(tmp_path / claimed.name)
        began = time.monotonic()
        following.touch()
        ear.until(following, HintKind.CREATED)
        delays.append(time.monotonic() - began)
    assert min(delays) < 0.25


def test_a_linked_inbox_is_heard_under_its_own_name(tmp_path):
    """A root that is a link is followed, hints carry its name, and a new target is noticed."""
    (tmp_path / "real").mkdir()
    (tmp_path / "other").mkdir()
    inbox = tmp_path / "inbox"
    inbox.symlink_to("real")
    with listening(inbox) as ear:
        (tmp_path / "real" / "scan.pdf").touch()
        ear.until(inbox / "scan.pdf", HintKind.CLOSED)
        assert ear.watch.healthy() is None
        inbox.unlink()
        inbox.symlink_to("other")
        assert "not the folder" in (ear.watch.healthy() or "")
