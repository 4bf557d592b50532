"""Fonts as PDF/A-2b asks for them: embedded programs of every kind, and what is shown of them."""

from __future__ import annotations

import io

import pdfa_made
import pikepdf
import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.misc import eexec
from fontTools.misc.psCharStrings import T1CharString
from fontTools.pens.t2CharStringPen import T2CharStringPen
from fontTools.ttLib import TTFont
from pikepdf import Array, Dictionary, Name

from tasks.outputs.archival import fonts
from tasks.outputs.archival.drawing import FontUse

A, B, C = 65, 66, 67


@pytest.fixture
def pdf():
    """Give an empty PDF for fonts to be made in."""
    with pikepdf.new() as made:
        yield made


def clauses(font, *codes, seen=True):
    """Return the clauses that showing these codes breaks."""
    use = FontUse(font, 1, set(codes), set(codes) if seen else set())
    return [clause for clause, _ in fonts.faults(use)]


def box(pen):
    for place in ((0, 0), (0, 700), (500, 700), (500, 0)):
        (pen.lineTo if place != (0, 0) else pen.moveTo)(place)
    pen.closePath()


def opentype():
    """Return an OpenType font with CFF outlines of A and B, 600 and 700 wide."""
    widths = {".notdef": 600, "A": 600, "B": 700}
    outlines = {}
    for name, width in widths.items():
        pen = T2CharStringPen(width, None)
        box(pen)
        outlines[name] = pen.getCharString()
    font = FontBuilder(1000, isTTF=False)
    font.setupGlyphOrder(list(widths))
    font.setupCharacterMap({A: "A", B: "B"})
    font.setupCFF("Boxes", {}, outlines, {})
    font.setupHorizontalMetrics({name: (width, 0) for name, width in widths.items()})
    font.setupHorizontalHeader(ascent=800, descent=-200)
    font.setupNameTable({"familyName": "Boxes", "styleName": "Regular"})
    font.setupOS2()
    font.setupPost()
    out = io.BytesIO()
    font.save(out)
    return out.getvalue()


def bare_cff():
    return TTFont(io.BytesIO(opentype())).getTableData("CFF ")


def type1(end=b"\n" + b"0" * 512 + b"\ncleartomark\n"):
    """Return a Type 1 font with A and B, 600 and 700 wide."""

    def outline(width):
        drawn = T1CharString(program=[0, width, "hsbw", 0, 700, "rlineto", "closepath", "endchar"])
        drawn.compile()
        return eexec.encrypt(b"0000" + drawn.bytecode, 4330)[0]

    glyphs = b"".join(
        b"/%s %d RD %s ND\n" % (name, len(outline(width)), outline(width))
        for name, width in ((b".notdef", 600), (b"A", 600), (b"B", 700))
    )
    private = (
        b"dup /Private 8 dict dup begin /RD {string currentfile exch readstring pop} def\n"
        b"/ND {def} def /NP {put} def /lenIV 4 def /Subrs 0 array def 2 index\n"
        b"/CharStrings 3 dict dup begin\n" + glyphs + b"end end readonly put noaccess put\n"
        b"dup /FontName get exch definefont pop mark currentfile closefile\n"
    )
    head = (
        b"%!PS-AdobeFont-1.0: Boxes\n11 dict begin /FontName /Boxes def /FontType 1 def\n"
        b"/PaintType 0 def /FontMatrix [0.001 0 0 0.001 0 0] readonly def\n"
        b"/FontBBox {0 0 700 700} readonly def /Encoding StandardEncoding def\n"
        b"currentdict end currentfile eexec\n"
    )
    return head + eexec.encrypt(b"0000" + private, 55665)[0] + end


PROGRAMS = {
    "CFF": ("/Type1", "/FontFile3", "/Type1C", bare_cff),
    "OpenType": ("/Type1", "/FontFile3", "/OpenType", opentype),
    "Type 1": ("/Type1", "/FontFile", None, type1),
    "Type 1 without its end": ("/Type1", "/FontFile", None, lambda: type1(b"")),
}


def simple(pdf, kind, widths=(600, 700), encoding=Name.WinAnsiEncoding):
    subtype, key, packed, program = PROGRAMS[kind]
    file = pdf.make_stream(program())
    if packed:
        file.Subtype = Name(packed)
    descriptor = pdfa_made.descriptor(pdf, None, 32)
    descriptor[key] = file
    return Dictionary(
        Type=Name.Font,
        Subtype=Name(subtype),
        BaseFont=Name("/ABCDEF+Boxes"),
        FirstChar=A,
        LastChar=A + len(widths) - 1,
        Widths=Array(widths),
        Encoding=encoding,
        FontDescriptor=descriptor,
    )


@pytest.mark.parametrize("kind", PROGRAMS)
def test_simple_fonts(pdf, kind):
    """Glyphs and widths are found in programs of every kind, by the font's codes."""
    assert clauses(simple(pdf, kind), A, B) == []
    assert clauses(simple(pdf, kind, widths=(600, 600)), A, B) == ["6.2.11.5"]
    assert clauses(simple(pdf, kind, widths=(600, 600)), A, B, seen=False) == []
    assert clauses(simple(pdf, kind, widths=(600, 700, 600)), C) == ["6.2.11.8"]


def test_an_encoding_of_its_own(pdf):
    """The names that a font gives to codes count."""
    other = Dictionary(BaseEncoding=Name.WinAnsiEncoding, Differences=Array([A, Name.B, Name.A]))
    assert clauses(simple(pdf, "CFF", (700, 600), other), A, B) == []
    assert clauses(simple(pdf, "CFF", (600, 700), other), A, B) == ["6.2.11.5"]


def test_a_damaged_program(pdf):
    """A program that no reader understands is told, whatever is wrong with it."""
    font = simple(pdf, "CFF")
    font.FontDescriptor.FontFile3.write(b"\x01\x00nothing")
    assert clauses(font, A) == ["6.2.11.2"]


def test_a_font_without_a_name(pdf):
    """A font has a name, embedded or not."""
    font = simple(pdf, "CFF")
    del font.BaseFont
    assert clauses(font, A) == ["6.2.11.2"]


def test_unseen_text_needs_no_program(pdf):
    """What scanners lay under a page may be in any font that says how it is read."""
    helvetica = pdfa_made.absent_font(pdf)
    assert clauses(helvetica, A, seen=False) == []
    assert clauses(helvetica, A) == ["6.2.11.4"]
    helvetica.BaseFont = Name.Arial
    assert clauses(helvetica, A, seen=False) == ["6.2.11.2"]
    arial = truetype(pdf, 32)
    del arial.FontDescriptor.FontFile2
    assert clauses(arial, A, seen=False) == []
    arial.Encoding = Dictionary(BaseEncoding=Name.WinAnsiEncoding, Differences=Array([1, Name.A]))
    assert clauses(arial, A, seen=False) == ["6.2.11.6"]


def test_a_program_of_an_unknown_kind(pdf):
    """The kinds of programs are those of PDF 1.7."""
    font = simple(pdf, "CFF")
    font.FontDescriptor.FontFile3.Subtype = Name.Type9
    assert clauses(font, A) == ["6.2.11.2"]


def test_composite_cff(pdf):
    """Without CIDs of its own a CFF program's glyphs are counted."""
    file = pdf.make_stream(bare_cff(), Subtype=Name.CIDFontType0C)
    descriptor = pdfa_made.descriptor(pdf, None, 4)
    descriptor.FontFile3 = file
    inner = Dictionary(
        Type=Name.Font,
        Subtype=Name.CIDFontType0,
        BaseFont=Name.Boxes,
        DW=600,
        W=Array([2, 2, 700]),
        FontDescriptor=descriptor,
    )
    font = Dictionary(
        Type=Name.Font,
        Subtype=Name.Type0,
        BaseFont=Name.Boxes,
        Encoding=Name("/Identity-H"),
        DescendantFonts=Array([inner]),
    )
    assert clauses(font, 1, 2) == []
    assert clauses(font, 0) == ["6.2.11.8"]
    assert clauses(font, 3) == ["6.2.11.8"]
    inner.W = Array([2, Array([600])])
    assert clauses(font, 2) == ["6.2.11.5"]
    font.Encoding = Name("/90ms-RKSJ-H")
    assert clauses(font, 1) == ["6.2.11.3"]


def test_drawn_glyphs(pdf):
    """A font whose glyphs are drawings tells their widths, and has one for each code."""
    glyph = pdf.make_stream(b"600 0 d0 0 0 500 700 re f")
    font = Dictionary(
        Type=Name.Font,
        Subtype=Name.Type3,
        CharProcs=Dictionary(A=glyph),
        FirstChar=A,
        LastChar=A,
        Widths=Array([600]),
        Encoding=Dictionary(Differences=Array([A, Name.A])),
    )
    assert clauses(font, A) == []
    assert clauses(font, B) == ["6.2.11.8"]
    font.Widths = Array([500])
    assert clauses(font, A) == ["6.2.11.5"]
    assert clauses(font, A, seen=False) == []


def truetype(pdf, flags, **entries):
    font = pdfa_made.simple_font(pdf, pdf.make_stream(pdfa_made.font_program()))
    font.FontDescriptor.Flags = flags
    if flags == 4:
        del font.Encoding
    for key, value in entries.items():
        font[f"/{key}"] = value
    return font


def test_truetype(pdf):
    """How a TrueType font's codes become glyphs must leave no choice to the reader."""
    named = Dictionary(BaseEncoding=Name.WinAnsiEncoding, Differences=Array([A, Name.B]))
    odd = Dictionary(BaseEncoding=Name.WinAnsiEncoding, Differences=Array([A, Name.g17]))
    assert clauses(truetype(pdf, 32), A) == []
    assert clauses(truetype(pdf, 32, Encoding=named), A) == []
    assert clauses(truetype(pdf, 32, Encoding=odd), B) == ["6.2.11.6"]
    assert clauses(truetype(pdf, 32, Encoding=Name.StandardEncoding), A) == ["6.2.11.6"]
    assert clauses(truetype(pdf, 4, Encoding=Name.WinAnsiEncoding), A)[0] == "6.2.11.6"
    assert clauses(truetype(pdf, 4), A)[0] == "6.2.11.6"  # two maps, none for symbols
    assert clauses(truetype(pdf, 32), C) == ["6.2.11.8"]


def symbols():
    """Return the font with a map of symbols alone."""
    ttf = TTFont(io.BytesIO(pdfa_made.font_program()))
    ttf["cmap"].tables = [t for t in ttf["cmap"].tables if t.platformID == 3]
    ttf["cmap"].tables[0].platEncID = 0
    ttf["cmap"].tables[0].cmap = {0xF041: "A", 0xF042: "B"}
    out = io.BytesIO()
    ttf.save(out)
    return out.getvalue()


def test_a_truetype_font_for_symbols_alone(pdf):
    """Names lead nowhere in a program whose only map is for symbols."""
    font = truetype(pdf, 32)
    font.FontDescriptor.FontFile2.write(symbols())
    assert clauses(font, A)[0] == "6.2.11.6"


def test_a_symbolic_font(pdf):
    """A symbolic font's only map leads from codes to glyphs."""
    font = truetype(pdf, 4)
    font.FontDescriptor.FontFile2.write(symbols())
    assert clauses(font, A, B) == []
    assert clauses(font, C) == ["6.2.11.8"]
    font.Widths = Array([600, 500])
    assert clauses(font, B) == ["6.2.11.5"]
