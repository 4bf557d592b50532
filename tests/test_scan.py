"""Every file of an inbox that may be a document is found, nothing else is, and none is opened."""

from __future__ import annotations

import os
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kills import fork, status
from needs import needs

from watcherd.lease import fingerprint
from watcherd.match import IGNORED, ignored
from watcherd.scan import Scan, plain


def found(root, below: bytes = b"", patterns: tuple[str, ...] = ()) -> list[bytes]:
    """Return the names that a scan gives."""
    return sorted(name for name, _ in Scan(root, patterns).files(below))


def test_files_are_found_in_all_folders(fast):
    """Names are relative and exact, whatever bytes they hold, with the file's fingerprint."""
    names = [b"a.pdf", b"sub/b.pdf", b"sub/deep/\xff.tif", b"space and\nline.pdf"]
    for name in names:
        path = fast / os.fsdecode(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name)
    assert found(fast) == sorted(names)
    assert found(fast, b"sub") == [b"sub/b.pdf", b"sub/deep/\xff.tif"]
    assert sorted(Scan(fast, ()).names()) == sorted(names)
    for name, print_ in Scan(fast, ()).files():
        assert print_ == fingerprint(os.lstat(os.path.join(os.fsencode(fast), name)))  # noqa: PTH118


def test_what_is_no_document_is_passed_over(fast):
    """Links, devices and ignored names, also those of folders, are no candidates."""
    (fast / "a.pdf").touch()
    (fast / "link.pdf").symlink_to(fast / "a.pdf")
    (fast / "folder").symlink_to(fast)
    os.mkfifo(fast / "pipe.pdf")
    (fast / "b.part").touch()
    (fast / ".hidden").mkdir()
    (fast / ".hidden" / "c.pdf").touch()
    (fast / "d.bak").touch()
    assert found(fast, patterns=("*.bak",)) == [b"a.pdf"]


def test_a_folder_that_is_gone_is_no_trouble(fast):
    """What was removed between its hint and the scan is simply not there."""
    scan = Scan(fast, ())
    assert list(scan.files(b"gone")) == []
    assert scan.blind == []


def test_a_root_that_is_gone_is_told(fast):
    """An inbox that cannot be read is an error, not an empty inbox."""
    with pytest.raises(FileNotFoundError):
        list(Scan(fast / "gone", ()).files())


def test_a_tree_that_is_too_deep_is_told(fast):
    """What is not scanned is named, and the rest is scanned."""
    path = fast
    for _ in range(70):
        path = path / "d"
    path.mkdir(parents=True)
    (path / "lost.pdf").touch()
    (fast / "a.pdf").touch()
    scan = Scan(fast, ())
    assert [name for name, _ in scan.files()] == [b"a.pdf"]
    assert [name.count(b"d") for name, _ in scan.blind] == [65]


@pytest.mark.parametrize(("mode", "blind"), [(0o000, b"shut"), (0o444, b"shut/b.pdf")])
def test_a_closed_folder_blinds_no_other(fast, mode, blind):
    """A folder that may not be read, or not be entered, is named; the others are scanned."""
    needs("root")
    fast.chmod(0o755)
    (fast / "shut").mkdir()
    (fast / "shut" / "b.pdf").touch()
    (fast / "shut").chmod(mode)
    (fast / "a.pdf").touch()

    def child():
        os.setgid(65534)
        os.setuid(65534)
        scan = Scan(fast, ())
        assert [name for name, _ in scan.files()] == [b"a.pdf"]
        assert [name for name, _ in scan.blind] == [blind]

    assert status(fork(child)) == 0


GLOBS = st.sampled_from([glob for glob, _ in IGNORED])
PIECES = st.text(st.sampled_from("aZ0.~#@$_-: é"), max_size=6)


@st.composite
def names_like(draw) -> bytes:
    """Return a name as one of the table's globs has it, or nearly so."""
    glob = re.sub(r"\[[^]]*]|[*?]", lambda _: draw(PIECES), draw(GLOBS))
    name = draw(st.sampled_from([glob, glob.upper(), glob + draw(PIECES), draw(PIECES) + glob]))
    return name.encode() or b"x"


@given(name=st.one_of(names_like(), st.binary(min_size=1, max_size=20)))
@settings(max_examples=1000)
def test_what_is_plain_is_not_ignored(name):
    """No name that the table of ignored names knows passes for one that it cannot concern."""
    assert not (plain(name) and ignored(name))


@pytest.mark.parametrize("name", [b"scan-0001.pdf", b"IMG_20260101.JPG", b"doc", b"part.pdf"])
def test_usual_names_are_plain(name):
    """What scanners and cameras make needs no further question."""
    assert plain(name)
