"""A PDF of one page that uses much of what PDF/A-2 allows, and claims nothing."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import pikepdf
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from pikepdf import Array, Dictionary, Name, String
from PIL import ImageCms

if TYPE_CHECKING:
    from pathlib import Path

WIDTH = 600  # of each letter

CONTENT = b"""/OC /Layer BDC q 200 0 0 100 20 20 cm /Im Do Q EMC
/Gs gs 1 0 0 rg 10 10 20 20 re f /Spot cs 0.5 scn 40 10 20 20 re f
BT /Simple 12 Tf 20 200 Td (AB) Tj ET
BT /Wide 12 Tf 20 220 Td <00010002> Tj ET
BT /Absent 12 Tf 3 Tr 20 240 Td (unseen) Tj ET
q /Fm Do Q
"""


def font_program() -> bytes:
    """Return a TrueType font whose A and B are boxes."""
    pen = TTGlyphPen(None)
    for place in ((0, 0), (0, 700), (500, 700), (500, 0)):
        (pen.lineTo if place != (0, 0) else pen.moveTo)(place)
    pen.closePath()
    box = pen.glyph()
    font = FontBuilder(1000, isTTF=True)
    font.setupGlyphOrder([".notdef", "A", "B"])
    font.setupCharacterMap({0x41: "A", 0x42: "B"})
    font.setupGlyf({".notdef": box, "A": box, "B": box})
    font.setupHorizontalMetrics(dict.fromkeys((".notdef", "A", "B"), (WIDTH, 0)))
    font.setupHorizontalHeader(ascent=800, descent=-200)
    font.setupNameTable({"familyName": "Boxes", "styleName": "Regular"})
    font.setupOS2()
    font.setupPost()
    out = io.BytesIO()
    font.save(out)
    return out.getvalue()


def rich(path: Path) -> Path:
    """Save the PDF."""
    with pikepdf.new() as pdf:
        pdf.add_blank_page(page_size=(300, 300))
        page = pdf.pages[0].obj
        page.Contents = pdf.make_stream(CONTENT)
        page.Resources = resources(pdf)
        page.Annots = Array([pdf.make_indirect(note) for note in annotations(pdf)])
        layer = page.Resources.Properties.Layer
        pdf.Root.OCProperties = Dictionary(
            OCGs=Array([layer]), D=Dictionary(Name=String("All"), Order=Array([Array([layer])]))
        )
        pdf.Root.AcroForm = Dictionary(Fields=Array([page.Annots[1]]))
        pdf.docinfo["/Title"] = "A rich page"
        pdf.docinfo["/Author"] = "Ann"
        pdf.docinfo["/CreationDate"] = "D:20200102030405+02'00'"
        pdf.save(path, min_version="1.7")
    return path


def resources(pdf: pikepdf.Pdf) -> Dictionary:
    program = font_program()
    file = pdf.make_stream(program, Length1=len(program))
    form = pdf.make_stream(
        b"0 g 100 100 10 10 re f", Type=Name.XObject, Subtype=Name.Form,
        BBox=Array([0, 0, 300, 300]), Resources=Dictionary(),
    )  # fmt: skip
    state = Dictionary(Type=Name.ExtGState, BM=Name.Multiply, ca=0.5, RI=Name.Perceptual)
    tint = Dictionary(
        FunctionType=2, Domain=Array([0, 1]), C0=Array([1, 1, 1]), C1=Array([0, 0, 1]), N=1
    )
    layer = pdf.make_indirect(Dictionary(Type=Name.OCG, Name=String("Picture")))
    return Dictionary(
        Font=Dictionary(
            Simple=simple_font(pdf, file), Wide=wide_font(pdf, file), Absent=absent_font(pdf)
        ),
        XObject=Dictionary(Im=picture(pdf), Fm=form),
        ExtGState=Dictionary(Gs=state),
        ColorSpace=Dictionary(Spot=Array([Name.Separation, Name.Blau, Name.DeviceRGB, tint])),
        Properties=Dictionary(Layer=layer),
    )


def picture(pdf: pikepdf.Pdf) -> pikepdf.Object:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    space = Array([Name.ICCBased, pdf.make_stream(profile, N=3)])
    return pdf.make_stream(
        bytes(range(12)), Type=Name.XObject, Subtype=Name.Image, Width=2, Height=2,
        ColorSpace=space, BitsPerComponent=8, Intent=Name.RelativeColorimetric,
    )  # fmt: skip


def descriptor(pdf: pikepdf.Pdf, file: pikepdf.Object | None, flags: int) -> pikepdf.Object:
    made = Dictionary(
        Type=Name.FontDescriptor, FontName=Name("/ABCDEF+Boxes"), Flags=flags, ItalicAngle=0,
        FontBBox=Array([0, 0, 500, 700]), Ascent=800, Descent=-200, CapHeight=700, StemV=80,
    )  # fmt: skip
    if file is not None:
        made.FontFile2 = file
    return pdf.make_indirect(made)


def simple_font(pdf: pikepdf.Pdf, file: pikepdf.Object) -> pikepdf.Object:
    return pdf.make_indirect(
        Dictionary(
            Type=Name.Font,
            Subtype=Name.TrueType,
            BaseFont=Name("/ABCDEF+Boxes"),
            FirstChar=65,
            LastChar=66,
            Widths=Array([WIDTH, WIDTH]),
            Encoding=Name.WinAnsiEncoding,
            FontDescriptor=descriptor(pdf, file, 32),
        )
    )


def wide_font(pdf: pikepdf.Pdf, file: pikepdf.Object) -> pikepdf.Object:
    inner = Dictionary(
        Type=Name.Font, Subtype=Name.CIDFontType2, BaseFont=Name("/ABCDEF+Boxes"),
        CIDSystemInfo=Dictionary(
            Registry=String("Adobe"), Ordering=String("Identity"), Supplement=0
        ),
        FontDescriptor=descriptor(pdf, file, 4), CIDToGIDMap=Name.Identity,
        W=Array([1, Array([WIDTH, WIDTH])]),
    )  # fmt: skip
    return pdf.make_indirect(
        Dictionary(
            Type=Name.Font,
            Subtype=Name.Type0,
            BaseFont=Name("/ABCDEF+Boxes"),
            Encoding=Name("/Identity-H"),
            DescendantFonts=Array([pdf.make_indirect(inner)]),
        )
    )


def absent_font(pdf: pikepdf.Pdf) -> pikepdf.Object:
    """Return a font that is not embedded, as scanners lay their text with."""
    font = Dictionary(
        Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica, Encoding=Name.WinAnsiEncoding
    )
    return pdf.make_indirect(font)


def annotations(pdf: pikepdf.Pdf) -> list[Dictionary]:
    def look() -> Dictionary:
        drawn = pdf.make_stream(
            b"0 g 0 0 5 5 re f",
            Subtype=Name.Form,
            BBox=Array([0, 0, 20, 20]),
            Resources=Dictionary(),
        )
        return Dictionary(N=drawn)

    link = Dictionary(
        Type=Name.Annot, Subtype=Name.Link, Rect=Array([0, 0, 20, 20]), F=4,
        A=Dictionary(S=Name.URI, URI=String("https://example.org/")),
    )  # fmt: skip
    entry = Dictionary(
        Type=Name.Annot, Subtype=Name.Widget, FT=Name.Tx, T=String("entry"), F=4,
        Rect=Array([30, 30, 60, 40]), AP=look(),
    )  # fmt: skip
    mark = Dictionary(
        Type=Name.Annot, Subtype=Name.Square, Rect=Array([70, 70, 90, 90]), F=4, AP=look()
    )
    return [link, entry, mark]


# What the page has, by name


def page(pdf: pikepdf.Pdf) -> Any:
    return pdf.pages[0].obj


def simple(pdf: pikepdf.Pdf) -> Any:
    return page(pdf).Resources.Font.Simple


def wide(pdf: pikepdf.Pdf) -> Any:
    return page(pdf).Resources.Font.Wide.DescendantFonts[0]


def root(pdf: pikepdf.Pdf) -> Any:
    return pdf.Root


def image(pdf: pikepdf.Pdf) -> Any:
    return page(pdf).Resources.XObject.Im


def form(pdf: pikepdf.Pdf) -> Any:
    return page(pdf).Resources.XObject.Fm


def state(pdf: pikepdf.Pdf) -> Any:
    return page(pdf).Resources.ExtGState.Gs


def link(pdf: pikepdf.Pdf) -> Any:
    return page(pdf).Annots[0]


def entry(pdf: pikepdf.Pdf) -> Any:
    return page(pdf).Annots[1]


def mark(pdf: pikepdf.Pdf) -> Any:
    return page(pdf).Annots[2]
