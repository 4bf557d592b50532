"""What a PDF's content draws with: operators, colours, fonts and their codes.

Nothing is rendered. Everything that a page's resources name counts as drawn, fonts apart: of
those, forms carry many that no page needs.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pikepdf
from pikepdf import Array, Dictionary, Name, Stream

if TYPE_CHECKING:
    from collections.abc import Iterator

DEEPEST = 28  # of q inside q (ISO 19005-2, 6.1.13)
INVISIBLE = 3  # text render mode that paints nothing
OPERATORS = {
    *("b", "B", "b*", "B*", "BDC", "BMC", "BT", "BX", "c", "cm", "CS", "cs", "d", "d0", "d1", "Do"),
    *("DP", "EMC", "ET", "EX", "f", "F", "f*", "G", "g", "gs", "h", "i", "j", "J", "K", "k", "l"),
    *("m", "M", "MP", "n", "q", "Q", "re", "RG", "rg", "ri", "s", "S", "SC", "sc", "SCN", "scn"),
    *("sh", "T*", "Tc", "Td", "TD", "Tf", "Tj", "TJ", "TL", "Tm", "Tr", "Ts", "Tw", "Tz", "v"),
    *("w", "W", "W*", "y", "'", '"'),
}  # ISO 32000-1, annex A
INTENTS = {"/RelativeColorimetric", "/AbsoluteColorimetric", "/Perceptual", "/Saturation"}
_HEX = re.compile(rb"(?<!<)<([0-9A-Fa-f\s]*)>")
_DEVICE = {"RG": "/DeviceRGB", "rg": "/DeviceRGB", "K": "/DeviceCMYK", "k": "/DeviceCMYK"}
_SHORT = {"/RGB": "/DeviceRGB", "/CMYK": "/DeviceCMYK", "/G": "/DeviceGray", "/I": "/Indexed"}
_INLINE = {"/AHx", "/A85", "/Fl", "/RL", "/CCF", "/DCT"} | {
    f"/{name}Decode" for name in ("ASCIIHex", "ASCII85", "Flate", "RunLength", "CCITTFax", "DCT")
}  # filters (ISO 19005-2, 6.1.10)


@dataclass(slots=True)
class FontUse:
    """A font and what is shown with it."""

    font: Any
    page: int
    codes: set[int] = field(default_factory=set)
    seen: set[int] = field(default_factory=set)  # those of `codes` that are painted


@dataclass(slots=True)
class Drawing:
    """What all the content of a PDF uses, and what is wrong with its operators."""

    fonts: dict[Any, FontUse] = field(default_factory=dict)
    spaces: list[tuple[Any, int]] = field(default_factory=list)  # colour space, page
    devices: dict[str, int] = field(default_factory=dict)  # colour space of a device, first page
    states: list[tuple[Any, int]] = field(default_factory=list)
    objects: list[tuple[Any, int]] = field(default_factory=list)  # XObjects
    faults: list[tuple[str, str, int]] = field(default_factory=list)  # clause, what, page
    _known: set[Any] = field(default_factory=set)

    def colour(self, space: Any, page: int) -> None:
        """Note a colour space, given by name or in full."""
        if isinstance(space, Name):
            self.devices.setdefault(str(space), page)
        elif space is not None:
            self.spaces.append((space, page))

    def new(self, part: Any) -> bool:
        """Say whether something is met for the first time."""
        key = part.objgen if part.is_indirect else (id(part), 0, 0)
        if part.is_indirect and key in self._known:
            return False
        self._known.add(key)
        return True


def drawing(pdf: pikepdf.Pdf) -> Drawing:
    """Walk through all content of a PDF; raises PdfError where content cannot be read."""
    found = Drawing()
    for number, page in enumerate(pdf.pages, start=1):
        resources = page.obj.get("/Resources", Dictionary())
        _resources(found, resources, number)
        _content(found, page.obj, resources, number)
        _group(found, page.obj, number)
        for annotation in page.obj.get("/Annots", ()):
            for stream in _appearances(annotation):
                _form(found, stream, resources, number)
    return found


def _appearances(annotation: Any) -> Iterator[Any]:
    looks = annotation.get("/AP", Dictionary()).get("/N")
    if isinstance(looks, Stream):
        yield looks
    elif isinstance(looks, Dictionary):
        yield from (look for _, look in looks.items() if isinstance(look, Stream))


def _form(found: Drawing, stream: Any, outer: Any, page: int) -> None:
    if not found.new(stream):
        return
    if "/Resources" not in stream and _names(stream):
        found.faults.append(("6.2.2", "a form has no resources of its own", page))
    resources = stream.get("/Resources", outer)
    if resources is not outer:
        _resources(found, resources, page)
    _group(found, stream, page)
    _content(found, stream, resources, page)


def _names(stream: Any) -> bool:
    """Say whether content draws with anything that resources hold."""
    users = {"Do", "Tf", "gs", "sh", "cs", "CS"}
    return any(str(i.operator) in users for i in pikepdf.parse_content_stream(stream))


def _group(found: Drawing, holder: Any, page: int) -> None:
    found.colour(holder.get("/Group", Dictionary()).get("/CS"), page)


def _resources(found: Drawing, resources: Any, page: int) -> None:
    if not found.new(resources):
        return
    for space in resources.get("/ColorSpace", Dictionary()).values():
        found.colour(space, page)
    for shading in resources.get("/Shading", Dictionary()).values():
        found.colour(shading.get("/ColorSpace"), page)
    for pattern in resources.get("/Pattern", Dictionary()).values():
        _pattern(found, pattern, resources, page)
    for state in resources.get("/ExtGState", Dictionary()).values():
        _state(found, state, resources, page)
    for part in resources.get("/XObject", Dictionary()).values():
        found.objects.append((part, page))
        if part.get("/Subtype") == "/Form":
            _form(found, part, resources, page)
        elif "/ColorSpace" in part:
            found.colour(part.ColorSpace, page)


def _pattern(found: Drawing, pattern: Any, resources: Any, page: int) -> None:
    if isinstance(pattern, Stream):
        _form(found, pattern, resources, page)
        return
    found.colour(pattern.get("/Shading", Dictionary()).get("/ColorSpace"), page)
    if "/ExtGState" in pattern:
        _state(found, pattern.ExtGState, resources, page)


def _state(found: Drawing, state: Any, resources: Any, page: int) -> None:
    found.states.append((state, page))
    mask = state.get("/SMask")
    if isinstance(mask, Dictionary) and "/G" in mask:
        _form(found, mask.G, resources, page)


def _content(found: Drawing, holder: Any, resources: Any, page: int) -> None:
    if isinstance(holder, Dictionary) and "/Contents" not in holder:
        return
    if any(_odd(digits) for digits in _HEX.findall(_bytes(holder))):
        found.faults.append(("6.1.6", "a string has half a byte", page))
    pen = _Pen(found, resources, page)
    for instruction in pikepdf.parse_content_stream(holder):
        if isinstance(instruction, pikepdf.ContentStreamInlineImage):
            pen.inline(instruction.iimage)
        else:
            pen.draw(str(instruction.operator), instruction.operands)


def _bytes(holder: Any) -> bytes:
    streams = holder.Contents if isinstance(holder, Dictionary) else holder
    return b"\n".join(
        s.read_bytes() for s in (streams if isinstance(streams, Array) else [streams])
    )


def _odd(digits: bytes) -> bool:
    return len(digits.translate(None, b"\0\t\n\f\r ")) % 2 == 1


class _Pen:
    """The part of the graphics state that counts, while one content stream is walked through."""

    def __init__(self, found: Drawing, resources: Any, page: int) -> None:
        self._found, self._resources, self._page = found, resources, page
        self._font: FontUse | None = None
        self._mode = 0
        self._saved: list[tuple[FontUse | None, int]] = []

    def draw(self, operator: str, operands: Any) -> None:
        """Take one instruction."""
        if operator not in OPERATORS:
            self._fault("6.2.2", f"the operator {operator!r} is not defined")
        elif operator in {"q", "Q"}:
            self._save() if operator == "q" else self._restore()
        elif operator in _DEVICE:
            self._found.colour(Name(_DEVICE[operator]), self._page)
        elif operator in {"cs", "CS"}:
            if str(operands[0]) in _DEVICE.values():
                self._found.colour(operands[0], self._page)
        elif operator == "ri" and str(operands[0]) not in INTENTS:
            self._fault("6.2.6", f"the rendering intent {operands[0]} is not defined")
        elif operator == "Tr":
            self._mode = int(operands[0])
        elif operator == "Tf":
            self._select(str(operands[0]))
        elif operator in {"Tj", "TJ", "'", '"'}:
            self._show(operands[-1])

    def inline(self, image: pikepdf.PdfInlineImage) -> None:
        """Take an image that stands in the content itself (6.1.10, 6.2.8)."""
        table: Any = image.obj
        if not {str(name) for name in image.filters} <= _INLINE:
            self._fault("6.1.10", "an inline image has a filter that is not allowed")
        if table.get("/I", table.get("/Interpolate")) is True:
            self._fault("6.2.8", "an inline image is to be smoothed")
        space = table.get("/CS", table.get("/ColorSpace"))
        if isinstance(space, Name):
            self._found.colour(Name(_SHORT.get(str(space), str(space))), self._page)
        elif space is not None:  # an indexed one: its base is what counts
            self._found.colour(Name(_SHORT.get(str(space[1]), str(space[1]))), self._page)

    def _save(self) -> None:
        self._saved.append((self._font, self._mode))
        if len(self._saved) == DEEPEST + 1:
            self._fault("6.1.13", f"graphics states are nested deeper than {DEEPEST}")

    def _restore(self) -> None:
        if self._saved:
            self._font, self._mode = self._saved.pop()

    def _select(self, name: str) -> None:
        font = self._resources.get("/Font", Dictionary()).get(name)
        if font is None:
            self._font = None
            return
        key = font.objgen if font.is_indirect else (self._page, name)
        self._font = self._found.fonts.setdefault(key, FontUse(font, self._page))
        if font.get("/Subtype") == "/Type3" and self._found.new(font):
            self._glyphs(font)

    def _glyphs(self, font: Any) -> None:
        """Walk through the glyphs of a font that are drawings themselves."""
        resources = font.get("/Resources", self._resources)
        _resources(self._found, resources, self._page)
        for glyph in font.get("/CharProcs", Dictionary()).values():
            _content(self._found, glyph, resources, self._page)

    def _show(self, shown: Any) -> None:
        if self._font is None:
            self._fault("6.2.11.4", "text is shown in a font that the resources do not hold")
            return
        strings = (
            [s for s in shown if isinstance(s, pikepdf.String)]
            if isinstance(shown, pikepdf.Array)
            else [shown]
        )
        wide = self._font.font.get("/Subtype") == "/Type0"
        for string in map(bytes, strings):
            pairs = zip(string[::2], string[1::2], strict=False)
            codes = {high << 8 | low for high, low in pairs} if wide else set(string)
            self._font.codes |= codes
            if self._mode != INVISIBLE:
                self._font.seen |= codes

    def _fault(self, clause: str, what: str) -> None:
        self._found.faults.append((clause, what, self._page))
