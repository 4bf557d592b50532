"""Why a PDF cannot be called PDF/A-2b: the rules of ISO 19005-2 that a mended one may break.

What mending settles is not asked again, nor what the writing of the file settles: header,
trailer, spaces between words, metadata. Where a rule would need a whole reader to be sure, the
answer is that it is broken: a claim has to be true, a note costs nothing.
"""

from __future__ import annotations

import hashlib
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pikepdf
from pikepdf import Array, Dictionary, Name, Stream, String

from tasks.document import SIDES
from tasks.outputs.archival import fonts, icc, jpx
from tasks.outputs.archival.claims import intended
from tasks.outputs.archival.drawing import INTENTS, Drawing, drawing
from tasks.outputs.archival.mending import UNSEEN
from tasks.outputs.archival.parts import parts

if TYPE_CHECKING:
    from collections.abc import Iterator

_STRING, _NAME, _INTEGER = 32767, 127, 2**31  # bytes, bytes, and beyond (6.1.13)
_LARGEST, _SMALLEST = Decimal("3.403e38"), Decimal("1.175e-38")
_COLOURANTS = 32
_DEEPEST = 64  # fields in fields; a tree that leads round in circles has no top
_FILTERS = {f"/{n}Decode" for n in ("ASCIIHex", "ASCII85", "Flate", "RunLength", "CCITTFax")} | {
    "/JBIG2Decode", "/DCTDecode", "/JPXDecode",
}  # fmt: skip
_ANNOTATIONS = {
    *("/Text", "/Link", "/FreeText", "/Line", "/Square", "/Circle", "/Polygon", "/PolyLine"),
    *("/Highlight", "/Underline", "/Squiggly", "/StrikeOut", "/Stamp", "/Caret", "/Ink", "/Popup"),
    *("/FileAttachment", "/Widget", "/PrinterMark", "/TrapNet", "/Watermark", "/Redact"),
}
_BLENDS = {
    *("/Normal", "/Compatible", "/Multiply", "/Screen", "/Overlay", "/Darken", "/Lighten"),
    *("/ColorDodge", "/ColorBurn", "/HardLight", "/SoftLight", "/Difference", "/Exclusion"),
    *("/Hue", "/Saturation", "/Color", "/Luminosity"),
}
_PROCESS = {"/Cyan", "/Magenta", "/Yellow", "/Black", "/None"}

ODD = (
    *(pikepdf.PdfError, pikepdf.DataDecodingError, ArithmeticError, AttributeError, LookupError),
    *(RuntimeError, TypeError, ValueError),
)
"""What walking through a PDF raises whose parts are not what ISO 32000-1 says."""

Found = tuple[str, str, int]  # clause, what, page or 0


def hindrances(pdf: pikepdf.Pdf) -> list[str]:
    """Return a phrase for each rule that keeps a mended PDF from being PDF/A-2b.

    Raises one of `ODD` where its parts are not what they should be.
    """
    phrases = (
        f"{f'page {page}: ' if page else ''}{what} ({clause})" for clause, what, page in _found(pdf)
    )
    return list(dict.fromkeys(phrases))


def _found(pdf: pikepdf.Pdf) -> Iterator[Found]:
    yield from _on(0, _document(pdf))
    for part in parts(pdf):
        yield from _on(0, _part(part))
    for number, page in enumerate(pdf.pages, start=1):
        yield from _on(number, _page(page.obj))
    drawn = drawing(pdf)
    yield from drawn.faults
    for use in drawn.fonts.values():
        yield from _on(use.page, fonts.faults(use))
    yield from _Colours(pdf, drawn).found()
    for state, place in drawn.states:
        yield from _on(place, _state(state))
    for image, place in drawn.objects:
        yield from _on(place, _object(image))


def _on(page: int, faults: Iterator[tuple[str, str]]) -> Iterator[Found]:
    yield from ((clause, what, page) for clause, what in faults)


def _document(pdf: pikepdf.Pdf) -> Iterator[tuple[str, str]]:
    root: Any = pdf.Root
    if pdf.pdf_version > "1.7" or str(root.get("/Version", "/1.7")) > "/1.7":
        yield "6.1.2", "it is PDF 2.0, which came after PDF/A-2"
    form = root.get("/AcroForm", Dictionary())
    if "/XFA" in form or "/NeedsRendering" in root:
        yield "6.4.2", "it has a form in XFA"
    if "/Perms" in root:
        yield "6.1.12", "it is signed"


def _part(part: Any) -> Iterator[tuple[str, str]]:
    """Check what holds for any object, wherever it stands."""
    if isinstance(part, int | Decimal) and not isinstance(part, bool):
        if isinstance(part, int) and not -_INTEGER <= part < _INTEGER:
            yield "6.1.13", "it has a number that is too large"
        if isinstance(part, Decimal) and not (part == 0 or _SMALLEST <= abs(part) <= _LARGEST):
            yield "6.1.13", "it has a number that is too large or too small"
    elif isinstance(part, String) and len(bytes(part)) > _STRING:
        yield "6.1.13", "it has a string that is too long"
    elif isinstance(part, Name) and len(str(part).encode()) > _NAME + 1:
        yield "6.1.13", "it has a name that is too long"
    elif isinstance(part, Dictionary | Stream):
        if "/EF" in part:
            yield "6.8", f"a file is attached ({str(part.get('/UF', part.get('/F', '')))[:80]})"
        if isinstance(part, Stream):
            yield from _stream(part)


def _stream(stream: Stream) -> Iterator[tuple[str, str]]:
    if {"/F", "/FFilter", "/FDecodeParms"} & set(stream.keys()):
        yield "6.1.7", "a part of it lies in another file"
    names = _filters(stream)
    if not names & {"/DCTDecode", "/JPXDecode"}:
        names -= {"/LZWDecode"}  # is packed anew when the file is written
    if not names <= _FILTERS:
        yield "6.1.7", f"data is packed with {', '.join(sorted(names - _FILTERS))}"


def _filters(stream: Any) -> set[str]:
    filters = stream.get("/Filter", Array())
    return {str(name) for name in ([filters] if isinstance(filters, Name) else filters)}


def _page(page: Any) -> Iterator[tuple[str, str]]:
    boxes = pikepdf.Page(page)
    kinds = (boxes.mediabox, boxes.cropbox, boxes.bleedbox, boxes.trimbox, boxes.artbox)
    for box in kinds:
        x0, y0, x1, y1 = map(float, box)
        if not all(SIDES[0] <= abs(side) <= SIDES[1] for side in (x1 - x0, y1 - y0)):
            yield "6.1.13", "its size is out of bounds"
            break
    for annotation in page.get("/Annots", ()):
        yield from _annotation(annotation)


def _annotation(annotation: Any) -> Iterator[tuple[str, str]]:
    kind = str(annotation.get("/Subtype"))
    if kind not in _ANNOTATIONS:
        yield "6.3.1", f"an annotation of the kind {kind} is not allowed"
    if int(annotation.get("/F", 0)) & UNSEEN:
        yield "6.3.2", "an annotation is hidden"
    left, bottom, right, top = map(float, annotation.get("/Rect", (0, 0, 0, 0)))
    looks = annotation.get("/AP")
    if looks is None:
        if kind not in {"/Popup", "/Link"} and (left != right or bottom != top):
            yield "6.3.3", f"an annotation of the kind {kind} does not say how it looks"
        return
    normal = looks.get("/N")
    button = kind == "/Widget" and _inherited(annotation, "/FT") == "/Btn"
    fit = (
        isinstance(normal, Dictionary) and len(normal) > 0 if button else isinstance(normal, Stream)
    )
    if not fit:
        yield "6.3.3", f"an annotation of the kind {kind} has no proper look"


def _inherited(field: Any, key: str) -> Any:
    for _ in range(_DEEPEST):
        if field is None or key in field:
            break
        field = field.get("/Parent")
    return None if field is None else field.get(key)


def _state(state: Any) -> Iterator[tuple[str, str]]:
    if "/TR" in state or str(state.get("/TR2", "/Default")) != "/Default":
        yield "6.2.5", "a transfer function changes its colours"
    screen = state.get("/HT", Name.Default)
    if not isinstance(screen, Name) and (
        screen.get("/HalftoneType") != 1
        or "/HalftoneName" in screen
        or "/TransferFunction" in screen
    ):
        yield "6.2.5", "it has a halftone of its own"
    if str(state.get("/RI", "/Perceptual")) not in INTENTS:
        yield "6.2.6", "a rendering intent is not defined"
    blend = state.get("/BM", Name.Normal)
    if not {str(b) for b in (blend if isinstance(blend, Array) else [blend])} <= _BLENDS:
        yield "6.2.10", "a blend mode is not defined"


def _object(part: Any) -> Iterator[tuple[str, str]]:
    kind = part.get("/Subtype")
    if kind not in {"/Image", "/Form"}:
        yield "6.2.9", "it has a PostScript object"
    if kind == "/Form" and ({"/PS", "/Ref"} & set(part.keys()) or part.get("/Subtype2") == "/PS"):
        yield "6.2.9", "a form holds PostScript or leads to another file"
    if str(part.get("/Intent", "/Perceptual")) not in INTENTS:
        yield "6.2.6", "a rendering intent is not defined"
    if kind == "/Image" and "/JPXDecode" in _filters(part):
        fault = jpx.fault(part.read_raw_bytes(), told="/ColorSpace" in part)
        if fault:
            yield "6.2.8.3", f"an image is JPEG 2000 of a kind that is not allowed: {fault}"


class _Colours:
    """The colour spaces of a document, held against its output intent (6.2.4)."""

    def __init__(self, pdf: pikepdf.Pdf, drawn: Drawing) -> None:
        self._drawn = drawn
        self._channels = intended(pdf)
        self._tints: dict[str, bytes] = {}
        self._over = any(
            state.get("/OPM") == 1 and (state.get("/OP") is True or state.get("/op") is True)
            for state, _ in drawn.states
        )

    def found(self) -> Iterator[Found]:
        """Yield what breaks a rule."""
        for name, page in self._drawn.devices.items():
            yield from _on(page, self._space(Name(name)))
        for space, page in self._drawn.spaces:
            yield from _on(page, self._space(space))

    def _space(self, space: Any) -> Iterator[tuple[str, str]]:
        kind = str(space[0] if isinstance(space, Array) else space)
        if kind == "/DeviceRGB" and self._channels != 3:  # noqa: PLR2004
            yield "6.2.4.3", "DeviceRGB is used, but the document is meant for other colours"
        elif kind == "/DeviceCMYK" and self._channels != 4:  # noqa: PLR2004
            yield "6.2.4.3", "DeviceCMYK is used, and nothing says what its inks look like"
        elif kind == "/ICCBased":
            yield from self._profile(space[1])
        elif kind in {"/Indexed", "/Pattern"} and isinstance(space, Array) and len(space) > 1:
            yield from self._space(space[1])
        elif kind in {"/Separation", "/DeviceN"}:
            yield from self._space(space[2])
            yield from (self._tint if kind == "/Separation" else self._inks)(space)

    def _profile(self, stream: Any) -> Iterator[tuple[str, str]]:
        channels = icc.channels(stream.read_bytes())
        if not channels or channels != stream.get("/N"):
            yield "6.2.4.2", "a colour profile is damaged or of a kind that is not allowed"
        elif channels == 4 and self._over:  # noqa: PLR2004
            yield "6.2.4.2", "inks are printed over each other in a colour space with a profile"

    def _tint(self, space: Any) -> Iterator[tuple[str, str]]:
        """Check that one ink looks the same wherever it is used."""
        name = str(space[1])
        digest = _digest(Array([space[2], space[3]]))
        if name not in {"/All", "/None"} and self._tints.setdefault(name, digest) != digest:
            yield "6.2.4.4", f"the ink {name[1:]} looks different in different places"

    def _inks(self, space: Any) -> Iterator[tuple[str, str]]:
        names = {str(name) for name in space[1]}
        told = space[4].get("/Colorants", Dictionary()) if len(space) > 4 else Dictionary()  # noqa: PLR2004
        if len(names) > _COLOURANTS:
            yield "6.1.13", "a colour is mixed of too many inks"
        if not names <= _PROCESS | set(told.keys()):
            yield "6.2.4.4", "it does not say how each of its inks looks"
        for ink in told.values():
            yield from self._space(ink)


def _digest(part: Any) -> bytes:
    """Return what is equal for equal objects, packed or not, direct or not."""
    out = hashlib.sha256(type(part).__name__.encode())
    if isinstance(part, Dictionary | Stream):
        keys = sorted(set(part.keys()) - {"/Length", "/Filter", "/DecodeParms"})
        for key in keys:
            out.update(key.encode() + _digest(part[key]))
        if isinstance(part, Stream):
            out.update(part.read_bytes())
    elif isinstance(part, Array):
        for each in part:
            out.update(_digest(each))
    else:
        out.update(str(part).encode())
    return out.digest()
