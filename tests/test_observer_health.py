"""What is known of a watch when its hints fail, on a real kernel."""

from __future__ import annotations

import os
import queue
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hearing import DEADLINE, ROOT, Ear, in_namespace, listening, wait_for

from watcherd.errors import EnvironmentFault
from watcherd.observer import Hint, HintKind, InboxWatch

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def ear(tmp_path) -> Iterator[Ear]:
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    with listening(inbox) as ear:
        yield ear


def test_a_failing_listener_does_not_end_the_watch(tmp_path):
    """An exception in the callback loses one hint, which is told, and no more."""
    heard: queue.Queue[Hint] = queue.Queue()

    def listen(hint: Hint) -> None:
        heard.put(hint)
        if hint.path.endswith(b"bad"):
            raise RuntimeError("a mistake")

    watch = InboxWatch(tmp_path, listen)
    watch.start()
    try:
        (tmp_path / "bad").mkdir()
        assert heard.get(timeout=DEADLINE).path == os.fsencode(tmp_path / "bad")
        wait_for(watch.healthy)
        assert watch.healthy() == "hints were lost"
        assert watch.take_overflow()
        assert not watch.take_overflow()
        assert watch.healthy() is None
        (tmp_path / "good").mkdir()
        assert heard.get(timeout=DEADLINE).path == os.fsencode(tmp_path / "good")
    finally:
        watch.stop()


def test_an_overflow_is_noticed_and_survived(ear):
    """When the kernel's queue is full, a rescan is asked for, and new folders are watched."""
    limit = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
    assert ear.watch._inotify is not None
    with ear.watch._inotify._lock:  # the reader stands still
        for number in range(limit):
            (ear.inbox / f"{number % 4}").touch()  # two records: opening is not heard
            (ear.inbox / f"{number % 4}").unlink()
        (ear.inbox / "unheard").mkdir()
    ear.until(os.fsencode(ear.inbox), HintKind.DIRECTORY)
    assert ear.watch.take_overflow()
    assert ear.watch.healthy() is None
    (ear.inbox / "unheard" / "scan.pdf").touch()
    ear.until(ear.inbox / "unheard" / "scan.pdf", HintKind.CLOSED)


@pytest.mark.parametrize("fate", ["removed", "renamed", "replaced", "made again"])
def test_a_lost_root_is_noticed(ear, tmp_path, fate):
    """A root that is gone, or is another folder under the same name, is not healthy."""
    assert ear.watch.healthy() is None
    match fate:
        case "removed":
            ear.inbox.rmdir()
        case "renamed":
            ear.inbox.rename(tmp_path / "elsewhere")
        case "replaced":
            ear.inbox.rename(tmp_path / "elsewhere")
            ear.inbox.mkdir()
        case "made again":  # often with the same inode number
            ear.inbox.rmdir()
            ear.inbox.mkdir()
    wait_for(ear.watch.healthy)
    reason = ear.watch.healthy() or ""
    assert str(ear.inbox) in reason
    assert ("gone" in reason) == (fate in {"removed", "renamed"})


def test_a_watch_can_be_started_again(tmp_path):
    """After a lost root has come back, the same watch hears again."""
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    ear = Ear(inbox)
    assert ear.watch.healthy() == "it is not being watched"
    ear.watch.start()
    inbox.rmdir()
    inbox.mkdir()
    ear.watch.stop()
    ear.watch.start()
    try:
        assert ear.watch.healthy() is None
        (inbox / "scan.pdf").touch()
        ear.until(inbox / "scan.pdf", HintKind.CREATED)
    finally:
        ear.watch.stop()
        ear.watch.stop()


def test_nothing_is_left_of_a_stopped_watch(tmp_path):
    """Threads and open files of a watch end with it, after a failed start too."""
    threads, files = set(threading.enumerate()), len(os.listdir("/proc/self/fd"))
    with listening(tmp_path):
        assert set(threading.enumerate()) > threads
    with pytest.raises(EnvironmentFault):
        InboxWatch(tmp_path / "missing", print).start()
    wait_for(lambda: set(threading.enumerate()) == threads)
    assert len(os.listdir("/proc/self/fd")) == files


def test_trees_made_at_once_cause_no_warnings(ear):
    """Folders that are watched twice while a tree is being made are no reason to complain."""
    for number in range(40):
        (ear.inbox / str(number) / "b" / "c" / "d" / "e").mkdir(parents=True)
    (ear.inbox / "last").touch()
    ear.until(ear.inbox / "last", HintKind.CLOSED)
    assert not ear.watch.take_overflow()  # a warning, here an error, would have been a loss
    assert ear.watch.healthy() is None


def test_a_folder_moved_out_and_made_again_does_not_end_the_watch(ear, tmp_path):
    """Two folders that had the same name one after the other, both removed, do no harm."""
    (ear.inbox / "batch").mkdir()
    ear.until(ear.inbox / "batch", HintKind.DIRECTORY)
    (ear.inbox / "batch").rename(tmp_path / "batch")
    (ear.inbox / "batch").mkdir()
    ear.until(ear.inbox / "batch", HintKind.DIRECTORY)
    (ear.inbox / "batch").rmdir()
    (tmp_path / "batch").rmdir()
    (ear.inbox / "scan.pdf").touch()
    ear.until(ear.inbox / "scan.pdf", HintKind.CLOSED)
    ear.watch.take_overflow()
    assert ear.watch.healthy() is None


@pytest.mark.parametrize("kind", ["missing", "file"])
def test_what_is_no_folder_cannot_be_watched(tmp_path, kind):
    """The error names the inbox and what is wrong with it."""
    if kind == "file":
        (tmp_path / "inbox").touch()
    expected = {"missing": "No such file", "file": "Not a directory"}[kind]
    with pytest.raises(EnvironmentFault, match=f"inbox cannot be watched: {expected}"):
        InboxWatch(tmp_path / "inbox", print).start()


def test_a_folder_that_may_not_be_read_cannot_be_watched():
    """Missing permission is an error for an inbox, and a blind spot for a folder in it."""
    script = """if True:
        import os, pathlib, tempfile
        from watcherd.errors import EnvironmentFault
        from watcherd.observer import InboxWatch
        if os.geteuid() == 0:
            os.setresuid(65534, 65534, 65534)
        with tempfile.TemporaryDirectory() as name:
            closed = pathlib.Path(name, "closed")
            closed.mkdir(mode=0o300)
            try:
                InboxWatch(closed, print).start()
            except EnvironmentFault as error:
                print(str(error).partition(": ")[2])
            watch = InboxWatch(pathlib.Path(name), print)
            watch.start()
            print(watch.blind_spots() == (os.fsencode(closed),), watch.healthy())
            watch.stop()
    """
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", script],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert result.stdout == "Permission denied\nTrue None\n", result.stderr


WATCHING = """
import os, pathlib, shutil, subprocess, sys, threading, time
from watcherd.errors import EnvironmentFault
from watcherd.observer import InboxWatch

def limit(name, value):
    pathlib.Path("/proc/sys/user", name).write_text(str(value))

def trouble(watch):
    end = time.monotonic() + 20
    while watch.healthy() is None and time.monotonic() < end:
        time.sleep(0.01)
    return str(watch.healthy()).replace(str(inbox), "INBOX")

inbox = pathlib.Path(sys.argv[1])
watch = InboxWatch(inbox, lambda hint: None)
"""


@pytest.mark.parametrize(
    ("name", "sysctl"),
    [
        ("max_inotify_watches", "fs.inotify.max_user_watches"),
        ("max_inotify_instances", "fs.inotify.max_user_instances"),
    ],
)
def test_a_limit_of_inotify_is_named(tmp_path, name, sysctl):
    """At the system's limit the error says which one to raise, and nothing is left behind."""
    script = f"""{WATCHING}
limit({name!r}, 0)
try:
    watch.start()
except EnvironmentFault as error:
    print(error)
print(threading.active_count(), "thread")
"""
    printed = in_namespace(script, tmp_path)
    assert printed.startswith(f"{tmp_path} cannot be watched: ")
    assert f"raise {sysctl}" in printed
    assert printed.endswith("\n1 thread\n")


def test_a_folder_beyond_the_limit_is_a_blind_spot(tmp_path):
    """The folders for which no watch was left are known, until they get one or are removed."""
    for name in "abc":
        (tmp_path / name).mkdir()
    script = f"""{WATCHING}
limit("max_inotify_watches", 2)
watch.start()
print(len(watch.blind_spots()), watch.healthy())
shutil.rmtree(os.fsdecode(watch.blind_spots()[0]))
print(len(watch.blind_spots()), watch.healthy())
limit("max_inotify_watches", 100)
watch.stop()
watch.start()
print(len(watch.blind_spots()), watch.healthy())
watch.stop()
"""
    assert in_namespace(script, tmp_path) == "2 None\n1 None\n0 None\n"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("mount over", "INBOX is not the folder that is being watched any more\n"),
        ("unmount", "the filesystem of INBOX was unmounted\n"),
    ],
)
def test_a_change_of_mounts_is_noticed(tmp_path, change, expected):
    """A filesystem that is mounted over the inbox, or taken away, ends the watch's health."""
    script = f"""{WATCHING}
def mount():
    subprocess.run(["mount", "-t", "tmpfs", "none", str(inbox)], check=True)

if {change!r} == "unmount":
    mount()
watch.start()
if {change!r} == "unmount":
    subprocess.run(["umount", str(inbox)], check=True)
    while not watch._inotify.unmounted:
        time.sleep(0.01)
else:
    mount()
print(trouble(watch))
watch.stop()
"""
    assert in_namespace(script, tmp_path, flags=("--mount",)) == expected
