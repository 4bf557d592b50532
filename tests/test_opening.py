"""PDFs that are locked or damaged, and the copies that are read instead."""

from __future__ import annotations

import re
import subprocess
from shutil import which

import makers
import pdfs
import pikepdf
import pypdfium2
import pytest
from readers import found

from tasks import inputs
from watcherd.errors import Refusal
from watcherd.model import Limits

NOTE = "the PDF was damaged; it was repaired, pages found: 3"


def plain(tmp_path, streams=pikepdf.ObjectStreamMode.disable):
    """Return the bytes of a PDF of three scans."""
    path = makers.scan_pdf([pdfs.SHEET] * 3, tmp_path / "plain.pdf")
    with pikepdf.open(path, allow_overwriting_input=True) as pdf:
        pdf.save(path, object_stream_mode=streams)
    return path.read_bytes()


def end(data):
    return int(re.findall(rb"startxref\s+(\d+)", data)[-1])


def longer_by(number):
    return lambda match: match[1] + b"%0*d" % (len(match[2]), int(match[2]) + number)


DAMAGES = {
    "startxref": lambda d: re.sub(rb"startxref\s+\d+", b"startxref\n77", d),
    "offsets": lambda d: re.sub(rb"(\n)(\d{10})(?= 00000 n)", longer_by(7), d),
    "lengths": lambda d: re.sub(rb"(/Length )(\d+)", longer_by(-10), d),
    "endobj": lambda d: d.replace(b"endobj", b"      "),
    "bytes behind": lambda d: d + b"<html>not found</html>\n" * 300,
    "trailer": lambda d: d.replace(b"trailer", b"tralier"),
    "too many pages": lambda d: d.replace(b"/Count 3", b"/Count 100000"),
    "too few pages": lambda d: d.replace(b"/Count 3", b"/Count 1"),
}


@pytest.mark.parametrize("kind", DAMAGES)
def test_damaged_pdf_is_repaired(tmp_path, kind):
    """A PDF whose pages can all be found is read as a sound copy, and people are told."""
    path = tmp_path / "a.pdf"
    path.write_bytes(DAMAGES[kind](plain(tmp_path)))
    before = path.read_bytes()
    made = pdfs.made(path, tmp_path / "out")
    assert made.document.copied
    assert made.document.notes == (NOTE,)
    assert path.read_bytes() == before
    makers.checked(made.readable)
    assert [makers.shown_text(made.out, n) for n in (1, 2, 3)] == [pdfs.SHEET.text] * 3


@pytest.mark.parametrize("kind", ["startxref", "lengths", "endobj"])
def test_damage_around_packed_objects_is_repaired(tmp_path, kind):
    """A PDF of the packed kind is found again by its objects."""
    path = tmp_path / "a.pdf"
    path.write_bytes(DAMAGES[kind](plain(tmp_path, pikepdf.ObjectStreamMode.generate)))
    made = pdfs.made(path, tmp_path / "out")
    assert made.document.notes == (NOTE,)
    assert makers.shown_text(made.out, 3) == pdfs.SHEET.text


def test_packed_objects_without_their_table_are_corrupt(tmp_path):
    """Where nothing tells what the packed objects are, the PDF is refused in words."""
    data = plain(tmp_path, pikepdf.ObjectStreamMode.generate)
    table = data.index(b"stream\n", end(data)) + 7
    path = tmp_path / "a.pdf"
    path.write_bytes(data[:table] + bytes(20) + data[table + 20 :])
    with pytest.raises(Refusal) as caught:
        found(path)
    assert caught.value.code == "corrupt"


@pytest.mark.parametrize("before", [b"\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n"])
def test_bytes_before_the_header_are_no_damage(tmp_path, before):
    """What readers skip needs no repair."""
    path = tmp_path / "a.pdf"
    path.write_bytes(before + plain(tmp_path))
    assert not found(path).copied


def test_loop_of_pages_is_cut(tmp_path):
    """A tree of pages that leads back into itself keeps the pages that it has besides."""
    data = plain(tmp_path)
    first = re.search(rb"/Kids \[ (\d+ 0 R)", data)
    tree = re.search(rb"/Pages (\d+ 0 R)", data)
    path = tmp_path / "a.pdf"
    path.write_bytes(data.replace(first[0], b"/Kids [ " + tree[1].ljust(len(first[1])), 1))
    made = pdfs.made(path, tmp_path / "out")
    assert made.document.pages == 2
    assert made.document.copied
    with pypdfium2.PdfDocument(made.out) as pdf:
        assert len(pdf) == 2


@pytest.mark.parametrize("streams", ["disable", "generate"])
@pytest.mark.parametrize("part", [0.3, 0.6, 0.9, 0.99])
def test_cut_second_edition_is_corrupt(tmp_path, part, streams):
    """A PDF that was changed by appending, cut in what was appended, is no earlier document."""
    data = plain(tmp_path, getattr(pikepdf.ObjectStreamMode, streams))
    more = b"9 0 obj\n<< /Length 3000 >>\nstream\n" + b"x" * 3000 + b"\nendstream\nendobj\n"
    path = tmp_path / "a.pdf"
    path.write_bytes(data + more[: int(part * len(more))])
    with pytest.raises(Refusal, match="ends before its end") as caught:
        found(path)
    assert caught.value.code == "corrupt"


def test_pages_that_nobody_finds_are_corrupt(tmp_path):
    """A PDF without a tree of pages is refused in words, not with an error of a library."""
    path = tmp_path / "a.pdf"
    path.write_bytes(plain(tmp_path).replace(b"/Kids", b"/Kinds"))
    with pytest.raises(Refusal) as caught:
        found(path)
    assert caught.value.code == "corrupt"


LOCKS = {
    "RC4 40": {"R": 2, "aes": False, "metadata": False},
    "RC4 128": {"R": 3, "aes": False, "metadata": False},
    "AES 128": {"R": 4},
    "AES 256": {"R": 6},
}


def locked(path, kind, user, owner="owner"):
    makers.scan_pdf([pdfs.SHEET], path)
    with pikepdf.open(path, allow_overwriting_input=True) as pdf:
        pdf.save(path, encryption=pikepdf.Encryption(user=user, owner=owner, **LOCKS[kind]))
    return path


@pytest.mark.parametrize("kind", LOCKS)
def test_password_opens(tmp_path, kind):
    """The first of the passwords that fits opens a PDF, which comes out without one."""
    path = locked(tmp_path / "a.pdf", kind, "sesame")
    for passwords in ((), ("wrong", "also wrong")):
        with pytest.raises(Refusal) as caught:
            inputs.open_document(path, Limits(), passwords)
        assert caught.value.code == "encrypted"
    made = pdfs.made(path, tmp_path / "out", ("wrong", "sesame"))
    assert made.document.copied
    assert made.document.notes == (
        "the PDF was opened with a password; what was made of it opens without",
    )
    assert makers.shown_text(made.out) == pdfs.SHEET.text
    with pikepdf.open(made.out) as pdf:
        assert not pdf.is_encrypted


@pytest.mark.parametrize("kind", LOCKS)
def test_owners_password_opens_too(tmp_path, kind):
    """Who knows the owner's password needs no other."""
    path = locked(tmp_path / "a.pdf", kind, "sesame", "pass")
    assert inputs.open_document(path, Limits(), ["pass"]).copy is not None


@pytest.mark.skipif(not which("qpdf"), reason="qpdf is not installed")
@pytest.mark.parametrize("encoding", ["latin-1", "utf-8", "mac_roman", "cp850"])
def test_password_of_other_letters_opens(tmp_path, encoding):
    """A password with an umlaut fits as any program may have written it."""
    path = tmp_path / "a.pdf"
    makers.scan_pdf([pdfs.SHEET], path)
    how = ["--password-mode=bytes", "--allow-weak-crypto", "--replace-input"]
    lock = ["--encrypt", "Schlüssel".encode(encoding), "owner", "128", "--"]
    subprocess.run(["qpdf", *how, *lock, path], check=True)
    assert inputs.open_document(path, Limits(), ["Schlüssel"]).document.pages == 1


@pytest.mark.parametrize("kind", ["AES 128", "AES 256"])
@pytest.mark.parametrize("typed", ["Schlu\u0308ssel", "Schl\u00fcssel"])
def test_password_opens_however_it_is_composed(tmp_path, kind, typed):
    """A letter may be typed as one sign or as two."""
    path = locked(tmp_path / "a.pdf", kind, "Schl\u00fcssel")
    assert inputs.open_document(path, Limits(), [typed]).document.pages == 1


@pytest.mark.parametrize("kind", LOCKS)
def test_restrictions_end_with_a_note(tmp_path, kind):
    """A PDF that opens for everybody but forbids things is read as it is; people are told."""
    path = locked(tmp_path / "a.pdf", kind, "")
    with pikepdf.open(path, allow_overwriting_input=True) as pdf:
        allow = pikepdf.Permissions(extract=False, modify_other=False)
        lock = pikepdf.Encryption(user="", owner="owner", allow=allow, **LOCKS[kind])
        pdf.save(path, encryption=lock)
    made = pdfs.made(path, tmp_path / "out")
    assert not made.document.copied
    assert [note[:22] for note in made.document.notes] == ["the PDF forbade some u"]
    assert made.facts[0].notes == ()
    assert makers.shown_text(made.out) == pdfs.SHEET.text


def test_unknown_lock_is_encrypted(tmp_path):
    """A lock that needs a certificate, not a password, is called encryption all the same."""
    path = locked(tmp_path / "a.pdf", "RC4 128", "")
    path.write_bytes(path.read_bytes().replace(b"/Filter /Standard", b"/Filter /PubSec00"))
    with pytest.raises(Refusal) as caught:
        found(path)
    assert caught.value.code == "encrypted"
