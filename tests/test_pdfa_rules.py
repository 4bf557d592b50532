"""The rules of PDF/A-2b that the tests go by: each finds what breaks it."""

from __future__ import annotations

import re

import pikepdf
import pytest
from pdfa_breaks import BREAKS
from pdfa_desk import broken_so, made_rich
from pdfa_rules import broken

BYTES = {
    "no binary comment": ("6.1.2", lambda d: d.replace(b"%\xbf\xf7\xa2\xfe", b"%abcd", 1)),
    "junk before the header": ("6.1.2", lambda d: b"\n" + d),
    "PDF 2.0": ("6.1.2", lambda d: re.sub(rb"%PDF-1\.\d", b"%PDF-2.0", d, count=1)),
    "no identifier": ("6.1.3", lambda d: re.sub(rb"/ID \[[^\]]*\]", b"", d)),
    "data after the end": ("6.1.3", lambda d: d + b"more"),
    "xref on one line": ("6.1.4", lambda d: d.replace(b"\nxref\n", b"\nxref ")),
    "endstream on one line": ("6.1.7.1", lambda d: d.replace(b"\nendstream", b" endstream", 1)),
    "object on one line": ("6.1.9", lambda d: d.replace(b" obj\n", b" obj ", 1)),
}
"""What only the bytes of a file show: a writer of PDF would mend them."""


@pytest.fixture(scope="module")
def rich(tmp_path_factory):
    """Give a rich PDF, its page's results, and the PDF/A made of it."""
    return made_rich(tmp_path_factory.mktemp("rich"))


@pytest.mark.parametrize("name", BREAKS)
def test_the_rules_notice(rich, tmp_path, name):
    """Our rules find each break in a file that kept them all."""
    path = broken_so(rich[2], name, tmp_path / "a.pdf")
    assert BREAKS[name][0] in {clause for clause, _ in broken(path)}


@pytest.mark.parametrize("name", BYTES)
def test_the_rules_notice_bytes(rich, tmp_path, name):
    """Our rules find what is wrong between a file's objects."""
    clause, change = BYTES[name]
    path = tmp_path / "a.pdf"
    with pikepdf.open(rich[2]) as pdf:
        pdf.save(path, object_stream_mode=pikepdf.ObjectStreamMode.disable, deterministic_id=True)
    assert broken(path) == []
    path.write_bytes(change(path.read_bytes()))
    assert clause in {clause for clause, _ in broken(path)}


def test_the_rules_notice_encryption(rich, tmp_path):
    """Our rules find that a file is encrypted."""
    with pikepdf.open(rich[2]) as pdf:
        pdf.save(tmp_path / "a.pdf", encryption=pikepdf.Encryption(owner="a", user=""))
    assert "6.1.3" in {clause for clause, _ in broken(tmp_path / "a.pdf")}


@pytest.mark.parametrize(
    ("clause", "old", "new"),
    [
        ("6.6.2.1", b"W5M0", b"W5M1"),
        ("6.6.2.1", b'?xpacket begin="', b'?xpacket bytes="9" begin="'),
        ("6.6.2.1", b"</dc:title>", b"</dc:titel>"),
        ("6.6.2.3", b"dc:source", b"dc:sauce"),
        ("6.6.2.3", b"rdf:Alt", b"rdf:Bag"),
        ("6.6.2.3", b"2020-01-02T03", b"2020-1-2 03"),
        ("6.6.3", b"A rich page", b"A poor page"),
        ("6.6.3", b"2020-01-02T03", b"2021-01-02T03"),
        ("6.6.4", b"<pdfaid:part>2", b"<pdfaid:part>1"),
        ("6.6.4", b"<pdfaid:conformance>B", b"<pdfaid:conformance>C"),
    ],
)
def test_the_rules_notice_metadata(rich, tmp_path, clause, old, new):
    """Our rules find metadata that is damaged, unknown, or not that of PDF/A-2b."""
    with pikepdf.open(rich[2]) as pdf:
        packet = pdf.Root.Metadata.read_bytes()
        assert old in packet
        pdf.Root.Metadata.write(packet.replace(old, new))
        pdf.save(tmp_path / "a.pdf", fix_metadata_version=False)
    assert clause in {clause for clause, _ in broken(tmp_path / "a.pdf")}
