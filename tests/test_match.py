"""What is left alone in an inbox by its name."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from watcherd.match import _NAMES, IGNORED, ignored, ignored_path

NAMES = st.binary(min_size=1, max_size=255).filter(lambda name: not set(name) & {0, ord("/")})


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        (b"~$Letter.docx", "a lock of Microsoft Office"),
        (b".~lock.scan.odt#", "a lock of LibreOffice"),
        (b"scan.pdf.part", "an unfinished transfer"),
        (b"scan.pdf.PARTIAL", "an unfinished transfer"),
        (b"Unconfirmed 4711.crdownload", "an unfinished transfer"),
        (b"scan.pdf.filepart", "an unfinished transfer"),
        (b".syncthing.scan.pdf.tmp", "an unfinished transfer"),
        (b"~syncthing~scan.pdf.tmp", "a temporary file"),
        (b"scan.pdf.sb-1a2b3c4d-Xy12Ab", "a temporary file"),
        (b"IMG_0001.TMP", "a temporary file"),
        (b".scan.pdf.swp", "a temporary file"),
        (b"scan.txt~", "an editor's backup"),
        (b".scan.pdf.Xy12Ab", "hidden"),
        (b".watcherd", "hidden"),
        (b"@eaDir", "a folder of the storage system"),
        (b"#recycle", "a recycle bin"),
        (b"$RECYCLE.BIN", "a recycle bin"),
        (b".Trash-1000", "a recycle bin"),
        (b"System Volume Information", "a folder of Windows"),
        (b"Thumbs.db", "data of Windows"),
        (b"desktop.ini", "data of Windows"),
        (b"scan.pdf:Zone.Identifier", "data of Windows"),
        ("scan.pdf\uf03aZone.Identifier".encode(), "data of Windows"),
        (b".DS_Store", "data of macOS"),
        (b"._scan.pdf", "data of macOS"),
        (b".AppleDouble", "data of macOS"),
        (b"Icon\r", "data of macOS"),
        (b"lost+found", "a folder of the filesystem"),
        (b".nfs000000000123abcd00000001", "a deleted file that is still open"),
        (b"\xff\xfe.tmp", "a temporary file"),
    ],
)
def test_names_that_no_document_has_are_left_alone(name, reason):
    """Temporary files and the litter of systems are told by their names, whatever their case."""
    assert ignored(name) == reason


@pytest.mark.parametrize(
    "name",
    [
        "part.pdf",
        "tmp.pdf",
        "temp",
        "tmp",
        "part",
        "download.pdf",
        "a.part.pdf",
        "scan.tmp.pdf",
        "~scan.pdf",
        "SCAN~1.PDF",
        "#5 invoice.pdf",
        "#12#.pdf",
        "$100.pdf",
        "@home.pdf",
        "_scan.pdf",
        "-",
        "Thumbs.db.pdf",
        "Thumbs.pdf",
        "desktop.pdf",
        "Recycler.pdf",
        "lost+found.pdf",
        "Icon.png",
        "10:30 meeting.pdf",
        "scan.pdf ",
        "line\nbreak.pdf",
        "Übersicht.pdf",
    ],
)
def test_documents_with_odd_names_are_not_left_alone(name):
    """A name that merely resembles a temporary one belongs to a document."""
    assert ignored(name.encode()) is None


def test_every_line_of_the_table_decides_some_name():
    """No line is hidden behind an earlier one, so that each reason is the one that is told."""
    for row, (glob, _) in enumerate(IGNORED, start=1):
        sample = re.sub(r"\[(.).*?\]", r"\1", glob).replace("*", "x").replace("?", "x")
        found = _NAMES.fullmatch(sample)
        assert found is not None, glob
        assert found.lastindex == row, f"{glob} is never reached: {sample}"


def test_an_inbox_adds_its_own_patterns():
    """A pattern of the inbox is named in the reason, and its case does not matter."""
    assert ignored(b"Draft 3.PDF", ("*.log", "draft*")) == (
        "it matches the inbox's pattern “draft*”"
    )
    assert ignored(b"scan.pdf", ("*.log", "draft*")) is None


@pytest.mark.parametrize("name", ["Übersicht.pdf", "U\u0308bersicht.pdf"])
def test_a_pattern_means_characters_not_bytes(name):
    """One question mark stands for one letter, however a system spells its umlaut."""
    assert ignored(name.encode(), ("?bersicht.pdf",)) is not None


def test_a_pattern_can_meet_undecodable_bytes():
    """A name that is not UTF-8 is matched too, a byte for a character."""
    assert ignored(b"\xfcbersicht.pdf", ("?bersicht.pdf",)) is not None
    assert ignored(b"\xfcbersicht.pdf", ("übersicht.pdf",)) is None


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        (b"2024/May/scan.pdf", None),
        (b"@eaDir/scan.pdf/SYNOPHOTO_THUMB.jpg", "a folder of the storage system"),
        (b"2024/.git/scan.pdf", "hidden"),
        (b"2024//scan.pdf", None),
        (b"2024/scan.pdf.part", "an unfinished transfer"),
    ],
)
def test_a_path_is_left_alone_with_any_of_its_folders(path, reason):
    """What lies inside an ignored folder is ignored, at any depth."""
    assert ignored_path(path) == reason


@given(name=NAMES, patterns=st.lists(st.text(), max_size=3).map(tuple))
@example(name=b".", patterns=("[",))
def test_any_name_can_be_judged(name, patterns):
    """Neither odd bytes nor odd patterns raise, and the path agrees with its component."""
    reason = ignored(name, patterns)
    assert reason is None or reason
    assert ignored_path(b"folder/" + name) == ignored(name)


@given(st.from_regex(r"[A-Za-z0-9 _~#@$+()-]{0,40}\.(pdf|jpe?g|tiff?|png|PDF)", fullmatch=True))
def test_a_scan_is_never_left_alone(name):
    """A name of usual characters with a document's ending is a document, unless it is hidden."""
    hidden = name.startswith((".", "~$"))
    assert (ignored(name.encode()) is not None) == hidden
