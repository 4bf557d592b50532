"""What is told to be on disk is on disk, whole, and never over something else."""

from __future__ import annotations

import ctypes
import errno
import hashlib
import os
import threading
from pathlib import Path

import pytest
from kills import every_kill

from watcherd import files


@pytest.fixture
def steps(monkeypatch):
    """Give the list of what is done on disk, in its order."""
    told: list[str] = []

    def watched(name, real, *, of):
        def call(*arguments, **keys):
            told.append(f"{name} {of(*arguments)}")
            return real(*arguments, **keys)

        return call

    def kind(fd):
        return "folder" if Path(f"/proc/self/fd/{fd}").is_dir() else "file"

    monkeypatch.setattr(os, "fsync", watched("fsync", os.fsync, of=kind))
    for name in ("rename", "link", "unlink"):
        real = getattr(os, name)
        monkeypatch.setattr(os, name, watched(name, real, of=lambda path, *_: os.fspath(path)[-5:]))

    class Libc:
        """The C library, whose renames are told."""

        renameat2 = staticmethod(
            watched("renameat2", files._libc.renameat2, of=lambda *a: os.fsdecode(a[1])[-5:])
        )

    monkeypatch.setattr(files, "_libc", Libc)
    return told


@pytest.fixture
def old_kernel(monkeypatch):
    """Have renameat2(2) say what NFS says to it."""

    class Libc:
        """A C library on such a filesystem."""

        @staticmethod
        def renameat2(*_):
            """Refuse the flag."""
            ctypes.set_errno(errno.EINVAL)
            return -1

    monkeypatch.setattr(files, "_libc", Libc)


def test_writing_is_durable_in_this_order(fast, steps):
    """Bytes first, then the name, then the folder that holds it."""
    files.write(fast / "a", b"data")
    assert steps == ["fsync file", "rename .part", "fsync folder"]


@pytest.mark.parametrize("first", [True, False])
def test_creating_is_durable_for_all(fast, steps, first):
    """Who comes second may rely on what the first has written, so it is made durable for both."""
    if not first:
        (fast / "a").write_bytes(b"first")
    assert files.create(fast / "a", b"data") is first
    assert steps[:2] + steps[-1:] == ["fsync file", "renameat2 .part", "fsync folder"]
    assert (fast / "a").read_bytes() == (b"data" if first else b"first")
    assert os.listdir(fast) == ["a"]


@pytest.mark.parametrize("make", [files.write, files.create])
def test_a_name_holds_the_whole_or_nothing(fast, make):
    """Killed before any step, the old content or the new one stands there, never a part."""
    count = 0

    def prepare():
        nonlocal count
        count += 1
        folder = fast / str(count)
        folder.mkdir()
        if make is files.write:
            (folder / "a").write_bytes(b"old")
        return folder, lambda: make(folder / "a", b"new" * 1000)

    for _, folder in every_kill(prepare):
        whole = [b"old", b"new" * 1000] if make is files.write else [b"new" * 1000]
        assert not (folder / "a").exists() or (folder / "a").read_bytes() in whole


@pytest.mark.parametrize("make", [files.write, files.create])
def test_a_failed_write_leaves_nothing(fast, make, monkeypatch):
    """On a full disk the final name is untouched, and no private file remains."""

    def full(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        make(fast / "a", b"data")
    assert os.listdir(fast) == []


def test_one_of_many_creators_is_first(fast):
    """Of rivals exactly one is told that it was first, and its bytes stand."""
    start, told = threading.Barrier(8), []

    def rival(n):
        start.wait()
        told.append((files.create(fast / "a", b"%d" % n), n))

    threads = [threading.Thread(target=rival, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [b"%d" % n for first, n in told if first] == [(fast / "a").read_bytes()]


@pytest.mark.parametrize("kernel", ["new", "old"])
@pytest.mark.parametrize("held", ["file", "link", "dangling"])
def test_renaming_never_replaces(fast, held, kernel, request):
    """Whatever holds the name keeps it, with and without renameat2(2)."""
    if kernel == "old":
        request.getfixturevalue("old_kernel")
    source, target = fast / "s", fast / "t"
    source.write_bytes(b"mine")
    if held == "file":
        target.write_bytes(b"foreign")
    else:
        target.symlink_to(fast / ("s" if held == "link" else "nothing"))
    before = os.lstat(target)
    with pytest.raises(FileExistsError):
        files.rename_noreplace(source, target)
    assert os.lstat(target) == before
    files.rename_noreplace(source, fast / "u")
    assert (fast / "u").read_bytes() == b"mine"
    assert not source.exists()


@pytest.mark.parametrize("kernel", ["new", "old"])
def test_a_folder_of_results_is_not_replaced(fast, kernel, request):
    """Folders are renamed too, and the second one fails, with and without renameat2(2)."""
    if kernel == "old":
        request.getfixturevalue("old_kernel")
    for name in ("a", "b"):
        (fast / name).mkdir()
        (fast / name / "file").write_text(name)
    files.rename_noreplace(fast / "a", fast / "t")
    with pytest.raises(OSError, match=r"exists|not empty"):
        files.rename_noreplace(fast / "b", fast / "t")
    assert (fast / "t" / "file").read_text() == "a"


@pytest.mark.usefixtures("old_kernel")
def test_where_there_are_no_links_programs_take_turns(fast, monkeypatch):
    """The last resort of a plain filesystem still replaces nothing."""

    def refused(*_, **__):
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "link", refused)
    (fast / "s").write_bytes(b"mine")
    (fast / "held").write_bytes(b"foreign")
    with pytest.raises(FileExistsError):
        files.rename_noreplace(fast / "s", fast / "held")
    assert (fast / "held").read_bytes() == b"foreign"
    files.rename_noreplace(fast / "s", fast / "t")
    assert (fast / "t").read_bytes() == b"mine"


def test_a_rename_across_filesystems_says_so(tmp_path, elsewhere):
    """The caller hears EXDEV, and nothing has moved."""
    (elsewhere / "s").write_bytes(b"mine")
    with pytest.raises(OSError, match="ross-device"):
        files.rename_noreplace(elsewhere / "s", tmp_path / "t")
    assert (elsewhere / "s").exists()


def hostile(folder, kind):
    """Put something at a name that is not a file of ours, and return it."""
    path, victim = folder / "x", folder / "victim"
    victim.write_bytes(b'{"a": 1}')
    if kind == "link":
        path.symlink_to(victim)
    elif kind == "fifo":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    return path


@pytest.mark.timeout(20)
@pytest.mark.parametrize("kind", ["link", "fifo", "folder"])
@pytest.mark.parametrize("read", [files.sha256, files.sync_file, files.open_regular])
def test_only_regular_files_are_opened(fast, kind, read):
    """A link is not followed, a pipe not waited for, and no descriptor is left open."""
    path = hostile(fast, kind)
    before = len(os.listdir("/proc/self/fd"))
    with pytest.raises(OSError, match=r"regular|symbolic"):
        read(path)
    assert len(os.listdir("/proc/self/fd")) == before


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "content",
    [
        "link",
        "fifo",
        "folder",
        "gone",
        b"",
        b"[]",
        b"7",
        b"{",
        b"\xff",
        b"[" * 100_000,
        b"1" * 9999,
    ],
)
def test_json_that_is_none_is_none(fast, content):
    """Whatever stands there, reading gives an object or nothing, and no error."""
    if isinstance(content, bytes):
        path = fast / "x"
        path.write_bytes(content)
    else:
        path = hostile(fast, content)
    before = len(os.listdir("/proc/self/fd"))
    assert files.read_json(path) is None
    assert len(os.listdir("/proc/self/fd")) == before


def test_json_beyond_the_bound_is_not_read(fast, monkeypatch):
    """A huge file cannot take the reader's memory."""
    monkeypatch.setattr(files, "_JSON_MAX", 20)
    (fast / "x").write_bytes(files.to_json({"a": "b" * 100}))
    assert files.read_json(fast / "x") is None


def test_a_copy_is_compared_with_its_source(fast, monkeypatch):
    """A copy that does not read back as what was read is an error, and never replaces a file."""
    source, target = fast / "s", fast / "t"
    source.write_bytes(b"x" * 3_000_000)
    assert files.copy(source, target) == hashlib.sha256(b"x" * 3_000_000).hexdigest()
    with pytest.raises(FileExistsError):
        files.copy(source, target)
    with pytest.raises(OSError, match="differs"):
        files.copy(source, fast / "u", "0" * 64)
    monkeypatch.setattr(files, "sha256", lambda _: "0" * 64)
    with pytest.raises(OSError, match="differs"):
        files.copy(source, fast / "v")


def test_folders_are_made_durable_one_by_one(fast, steps):
    """Each new folder's parent is made durable; nothing above the root is made."""
    files.make_dirs(fast / "a" / "b", fast)
    files.make_dirs(fast / "a" / "b", fast)
    assert steps == ["fsync folder"] * 2


def test_removing_follows_no_link(fast):
    """A link goes, what it names stays, and removing twice is no error."""
    (fast / "victim").mkdir()
    (fast / "victim" / "f").touch()
    (fast / "tree").mkdir()
    for path in (fast / "link", fast / "tree" / "link"):
        path.symlink_to(fast / "victim")
    for name in ("link", "tree", "tree"):
        files.remove_tree(fast / name)
    assert os.listdir(fast) == ["victim"]
    assert os.listdir(fast / "victim") == ["f"]


def test_a_scratch_is_gone_unless_it_has_landed(fast):
    """A private folder is removed at the end, also after an error, but not from its new name."""
    with files.scratch(fast) as private:
        (private / "f").touch()
        private.rename(fast / "landed")
    with pytest.raises(ZeroDivisionError), files.scratch(fast):
        raise ZeroDivisionError
    assert os.listdir(fast) == ["landed"]


def test_sweeping_takes_the_owners_remains_only(fast):
    """What a killed owner left goes; others' private files, and files with names, stay."""
    for name in (".a-1.part", ".b-1.part", "a-1.part", ".a-1.pdf"):
        (fast / name).touch()
    files.sweep(fast, "a-")
    assert sorted(os.listdir(fast)) == [".a-1.pdf", ".b-1.part", "a-1.part"]
