"""Ways to break PDF/A-2b: the clause of ISO 19005-2, and what to do to a PDF that keeps it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pdfa_made import entry, form, image, link, mark, page, root, simple, state, wide
from pikepdf import Array, Dictionary, Name, Object, String

if TYPE_CHECKING:
    from collections.abc import Callable

    import pikepdf

    Change = Callable[[pikepdf.Pdf], object]


def draw(pdf: pikepdf.Pdf, content: bytes) -> None:
    old = page(pdf).Contents
    page(pdf).Contents = pdf.make_stream(old.read_bytes() + content)


def put(
    holder: Callable[[Any], Any], key: str, value: Callable[[Any], Any]
) -> Callable[[Any], None]:
    """Return a change that sets an entry of what `holder` finds."""

    def change(pdf: pikepdf.Pdf) -> None:
        holder(pdf)[key] = value(pdf)

    return change


def drop(holder: Callable[[Any], Any], key: str) -> Callable[[Any], None]:
    def change(pdf: pikepdf.Pdf) -> None:
        del holder(pdf)[key]

    return change


def drawing(content: bytes) -> Callable[[Any], None]:
    return lambda pdf: draw(pdf, content)


def script(_pdf: pikepdf.Pdf) -> Dictionary:
    return Dictionary(S=Name.JavaScript, JS=String("app.alert(1)"))


_LZW = b"\x80\x0b\x60\x50\x22\x0c\x0c\x85\x01"  # nine bytes of ISO 32000-1, 7.4.4.2


def ink_of_two_looks(pdf: pikepdf.Pdf) -> None:
    spaces = page(pdf).Resources.ColorSpace
    tint = Dictionary(spaces.Spot[3])
    tint.C1 = Array([1, 0, 0])
    spaces.Other = Array([Name.Separation, Name.Blau, Name.DeviceRGB, tint])


def ink_that_is_not_told(pdf: pikepdf.Pdf) -> None:
    spaces = page(pdf).Resources.ColorSpace
    spaces.Mixed = Array([Name.DeviceN, Array([Name.Gold]), Name.DeviceRGB, spaces.Spot[3]])


def jpeg2000_without_its_format(pdf: pikepdf.Pdf) -> None:
    picture = image(pdf)
    picture.write(b"\xff\x4f\xff\x51bare", filter=Name.JPXDecode)


def form_without_resources(pdf: pikepdf.Pdf) -> None:
    form(pdf).write(b"/Gs gs 0 g 0 0 1 1 re f")
    del form(pdf).Resources


def too_many_inks(pdf: pikepdf.Pdf) -> None:
    spaces = page(pdf).Resources.ColorSpace
    names = [Name(f"/Ink{n}") for n in range(33)]
    told = Dictionary({str(name): spaces.Spot for name in names})
    spaces.Many = Array(
        [Name.DeviceN, Array(names), Name.DeviceRGB, spaces.Spot[3], Dictionary(Colorants=told)]
    )


def odd_button(pdf: pikepdf.Pdf) -> None:
    button = mark(pdf)
    button.Subtype, button.FT = Name.Widget, Name.Btn
    look = pdf.make_stream(
        b"1 foo", Subtype=Name.Form, BBox=Array([0, 0, 9, 9]), Resources=Dictionary()
    )
    button.AP.N = Dictionary(On=look)
    pdf.Root.AcroForm.Fields.append(button)


BREAKS: dict[str, tuple[str, Change]] = {
    "odd hexadecimal string": ("6.1.6", drawing(b" BT /Wide 9 Tf <0001000> Tj ET")),
    "stream in another file": ("6.1.7.1", put(image, "/F", lambda _: String("other.bin"))),
    "LZW": (
        "6.1.7.2",
        put(root, "/Extra", lambda pdf: pdf.make_stream(_LZW, Filter=Name.LZWDecode)),
    ),
    "inline LZW": (
        "6.1.10",
        drawing(b" BI /W 1 /H 1 /BPC 8 /CS /G /F /LZW ID \x80\x0b\x60\x50\x22\x0c\x0c\x85\x01 EI"),
    ),
    "unknown filter": (
        "6.1.7.2",
        put(root, "/Extra", lambda pdf: pdf.make_stream(b"x", Filter=Name.CryptDecode)),
    ),
    "permissions": ("6.1.12", put(root, "/Perms", lambda _: Dictionary(UR=Dictionary()))),
    "large number": ("6.1.13", put(root, "/Extra", lambda _: 2**31)),
    "small number": (
        "6.1.13",
        put(root, "/Extra", lambda _: Object.parse(b"[0.%041d]" % 1)),
    ),
    "long string": ("6.1.13", put(root, "/Extra", lambda _: String("x" * 32768))),
    "long name": ("6.1.13", put(root, "/Extra", lambda _: Name("/" + "x" * 128))),
    "tiny page": ("6.1.13", put(page, "/CropBox", lambda _: Array([0, 0, 2, 2]))),
    "deep nesting": ("6.1.13", drawing(b" q" * 29 + b" Q" * 29)),
    "undefined operator": ("6.2.2", drawing(b" BX 1 foo EX")),
    "wrong profile": (
        "6.2.4.2",
        put(
            image,
            "/ColorSpace",
            lambda pdf: Array([Name.ICCBased, pdf.make_stream(b"no profile", N=3)]),
        ),
    ),
    "profile of other channels": (
        "6.2.4.2",
        lambda pdf: image(pdf).ColorSpace[1].__setitem__("/N", 1),
    ),
    "inks without an intent": ("6.2.4.3", drawing(b" 0 0 0 1 k 0 0 1 1 re f")),
    "ink palette": (
        "6.2.4.3",
        put(image, "/ColorSpace", lambda _: Array([Name.Indexed, Name.DeviceCMYK, 0, String("0")])),
    ),
    "ink of inks": (
        "6.2.4.3",
        lambda pdf: page(pdf).Resources.ColorSpace.Spot.__setitem__(2, Name.DeviceCMYK),
    ),
    "ink image": ("6.2.4.3", put(image, "/ColorSpace", lambda _: Name.DeviceCMYK)),
    "transfer function": (
        "6.2.5",
        put(state, "/TR", lambda pdf: page(pdf).Resources.ColorSpace.Spot[3]),
    ),
    "transfer function by its new key": (
        "6.2.5",
        put(state, "/TR2", lambda pdf: page(pdf).Resources.ColorSpace.Spot[3]),
    ),
    "halftone": ("6.2.5", put(state, "/HT", lambda _: Dictionary(HalftoneType=6))),
    "rendering intent": ("6.2.6", put(state, "/RI", lambda _: Name.Pretty)),
    "rendering intent of an image": ("6.2.6", put(image, "/Intent", lambda _: Name.Pretty)),
    "rendering intent in content": ("6.2.6", drawing(b" /Pretty ri")),
    "smoothed image": ("6.2.8", put(image, "/Interpolate", lambda _: True)),
    "smoothed inline image": (
        "6.2.8",
        drawing(b" BI /W 1 /H 1 /BPC 8 /CS /G /I true ID x EI"),
    ),
    "alternate images": ("6.2.8", put(image, "/Alternates", lambda _: Array([]))),
    "image proxy": ("6.2.8", put(image, "/OPI", lambda _: Dictionary())),
    "PostScript in a form": ("6.2.9", put(form, "/PS", lambda pdf: pdf.make_stream(b"showpage"))),
    "form from elsewhere": (
        "6.2.9",
        put(form, "/Ref", lambda _: Dictionary(F=String("a.pdf"), Page=0)),
    ),
    "PostScript object": (
        "6.2.9",
        put(
            lambda pdf: page(pdf).Resources.XObject,
            "/Ps",
            lambda pdf: pdf.make_stream(b"showpage", Type=Name.XObject, Subtype=Name.PS),
        ),
    ),
    "blend mode": ("6.2.10", put(state, "/BM", lambda _: Name.Glow)),
    "font without a type": ("6.2.11.2", drop(simple, "/Type")),
    "font without widths": ("6.2.11.2", drop(simple, "/Widths")),
    "font without glyph numbers": ("6.2.11.3", drop(wide, "/CIDToGIDMap")),
    "font not embedded": ("6.2.11.4", drop(lambda pdf: simple(pdf).FontDescriptor, "/FontFile2")),
    "wide font not embedded": (
        "6.2.11.4",
        drop(lambda pdf: wide(pdf).FontDescriptor, "/FontFile2"),
    ),
    "wrong width": ("6.2.11.5", put(simple, "/Widths", lambda _: Array([600, 700]))),
    "wrong wide width": ("6.2.11.5", put(wide, "/W", lambda _: Array([1, 2, 900]))),
    "symbolic font with an encoding": (
        "6.2.11.6",
        put(lambda pdf: simple(pdf).FontDescriptor, "/Flags", lambda _: 4),
    ),
    "font without an encoding": ("6.2.11.6", drop(simple, "/Encoding")),
    "no glyph": ("6.2.11.8", drawing(b" BT 3 Tr /Wide 9 Tf <0000> Tj ET")),
    "no glyph by its code": (
        "6.2.11.8",
        lambda pdf: (
            simple(pdf).__setitem__("/LastChar", 67),
            simple(pdf).Widths.append(600),
            draw(pdf, b" BT /Simple 9 Tf (C) Tj ET"),
        ),
    ),
    "moving picture": ("6.3.1", put(mark, "/Subtype", lambda _: Name.Movie)),
    "hidden note": ("6.3.2", put(mark, "/F", lambda _: 6)),
    "note that is not printed": ("6.3.2", put(mark, "/F", lambda _: 0)),
    "link without flags": ("6.3.2", drop(link, "/F")),
    "note without a look": ("6.3.3", drop(mark, "/AP")),
    "note with looks for a mouse": (
        "6.3.3",
        lambda pdf: mark(pdf).AP.__setitem__("/D", mark(pdf).AP.N),
    ),
    "text field with looks to choose from": (
        "6.3.3",
        lambda pdf: entry(pdf).AP.__setitem__("/N", Dictionary(Off=entry(pdf).AP.N)),
    ),
    "field with a script": ("6.4.1", put(entry, "/AA", lambda pdf: Dictionary(K=script(pdf)))),
    "looks to be made anew": (
        "6.4.1",
        put(lambda pdf: pdf.Root.AcroForm, "/NeedAppearances", lambda _: True),
    ),
    "XFA": (
        "6.4.2",
        put(lambda pdf: pdf.Root.AcroForm, "/XFA", lambda pdf: pdf.make_stream(b"<xfa/>")),
    ),
    "script at opening": ("6.5.1", put(root, "/OpenAction", script)),
    "script in a link": ("6.5.1", put(link, "/A", script)),
    "program started by a link": (
        "6.5.1",
        put(link, "/A", lambda _: Dictionary(S=Name.Launch, F=String("a.exe"))),
    ),
    "script after a link": ("6.5.1", put(lambda pdf: link(pdf).A, "/Next", script)),
    "scripts by name": (
        "6.5.1",
        put(
            root,
            "/Names",
            lambda pdf: Dictionary(JavaScript=Dictionary(Names=Array([String("a"), script(pdf)]))),
        ),
    ),
    "printing by name": (
        "6.5.1",
        put(link, "/A", lambda _: Dictionary(S=Name.Named, N=Name.Print)),
    ),
    "script of the document": ("6.5.2", put(root, "/AA", lambda pdf: Dictionary(WC=script(pdf)))),
    "script of a page": ("6.5.2", put(page, "/AA", lambda pdf: Dictionary(O=script(pdf)))),
    "no XML in an image's metadata": (
        "6.6.2.1",
        put(
            image,
            "/Metadata",
            lambda pdf: pdf.make_stream(b"<a>", Type=Name.Metadata, Subtype=Name.XML),
        ),
    ),
    "attached file": (
        "6.8",
        put(
            root,
            "/AF",
            lambda pdf: Array(
                [
                    Dictionary(
                        Type=Name.Filespec,
                        F=String("a"),
                        UF=String("a"),
                        EF=Dictionary(F=pdf.make_stream(b"x")),
                    )
                ]
            ),
        ),
    ),
    "layers without a name": ("6.9", drop(lambda pdf: pdf.Root.OCProperties.D, "/Name")),
    "layers that switch": (
        "6.9",
        put(lambda pdf: pdf.Root.OCProperties.D, "/AS", lambda _: Array([])),
    ),
    "layers not all listed": (
        "6.9",
        put(lambda pdf: pdf.Root.OCProperties.D, "/Order", lambda _: Array([])),
    ),
    "other layers without a name": (
        "6.9",
        put(lambda pdf: pdf.Root.OCProperties, "/Configs", lambda _: Array([Dictionary()])),
    ),
    "presentation": ("6.10", put(page, "/PresSteps", lambda _: Dictionary())),
    "other presentations": (
        "6.10",
        put(root, "/Names", lambda _: Dictionary(AlternatePresentations=Dictionary())),
    ),
    "requirements": ("6.11", put(root, "/Requirements", lambda _: Array([]))),
    "ink of two looks": ("6.2.4.4", ink_of_two_looks),
    "ink that is not told": ("6.2.4.4", ink_that_is_not_told),
    "jpeg2000 without its format": ("6.2.8.3", jpeg2000_without_its_format),
    "form without resources": ("6.2.2", form_without_resources),
    "too many inks": ("6.1.13", too_many_inks),
    "note with looks under a mouse": (
        "6.3.3",
        lambda pdf: mark(pdf).AP.__setitem__("/R", mark(pdf).AP.N),
    ),
    "undefined operator in a button": ("6.2.2", odd_button),
}
"""Each change is made to a PDF as `pdfa_made.rich` makes it, or to what came of one."""
