"""PDF/A-2b: the rules of ISO 19005-2:2011, level B, held against a file.

Written from the standard alone, and sharing nothing with what is tested. `broken(path)` returns
what a file breaks; every rule names its clause. Not asked: what only a reader of font hints or
signatures could tell.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from decimal import Decimal
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pikepdf

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

RULES: list[tuple[str, Any]] = []


@dataclass
class File:
    """A file, in all the ways that rules look at it."""

    data: bytes
    pdf: pikepdf.Pdf
    parts: list[Any] = field(default_factory=list)  # every reachable object
    root: Any = None

    @property
    def tables(self) -> list[Any]:
        """All dictionaries, those of streams included."""
        return [p for p in self.parts if isinstance(p, pikepdf.Dictionary | pikepdf.Stream)]

    @property
    def streams(self) -> list[Any]:
        """All streams."""
        return [p for p in self.parts if isinstance(p, pikepdf.Stream)]


def rule(clause: str) -> Callable[[Any], Any]:
    """Register a function that yields what breaks a clause."""

    def register(check: Any) -> Any:
        RULES.append((clause, check))
        return check

    return register


def broken(path: Path) -> list[tuple[str, str]]:
    """Return clause and finding for everything that a file breaks."""
    for module in ("pdfa_drawing", "pdfa_fonts", "pdfa_metadata"):
        import_module(module)  # they register their rules

    with pikepdf.open(path) as pdf:
        file = File(Path(path).read_bytes(), pdf, list(reached(pdf)), pdf.Root)
        return [(clause, said) for clause, check in RULES for said in check(file)]


def reached(pdf: pikepdf.Pdf) -> Iterator[Any]:
    """Yield every object that the trailer leads to."""
    seen = set()

    def walk(part: Any) -> Iterator[Any]:
        if isinstance(part, pikepdf.Object) and part.is_indirect:
            if part.objgen in seen:
                return
            seen.add(part.objgen)
        yield part
        if isinstance(part, pikepdf.Array):
            for each in part:
                yield from walk(each)
        elif isinstance(part, pikepdf.Dictionary | pikepdf.Stream):
            for key in part.keys():  # noqa: SIM118 - a stream is no mapping
                yield pikepdf.Name(key)
                yield from walk(part[key])

    for key in ("/Root", "/Info"):
        if key in pdf.trailer:
            yield from walk(pdf.trailer[key])


@rule("6.1.2")
def header(file):
    if not re.match(rb"%PDF-1\.[0-7](\r\n|\n|\r)%[\x80-\xff]{4}", file.data):
        yield "the header is not that of PDF 1.x with four high bytes after it"


@rule("6.1.3")
def trailer(file):
    ids = file.pdf.trailer.get("/ID", [])
    if len(ids) != 2 or not all(bytes(i) for i in ids):
        yield "no file identifier"
    if "/Encrypt" in file.pdf.trailer:
        yield "encrypted"
    if not re.search(rb"%%EOF(\r\n|\n|\r)?$", file.data):
        yield "data after the end"


@rule("6.1.4")
def xref(file):
    if re.search(rb"[\r\n]xref(?!(\r\n|\n|\r)\d)", file.data):
        yield "no single line end after xref"


@rule("6.1.7.1")
def streams(file):
    if re.search(rb"[^\r\n]endstream", file.data):
        yield "endstream without a line end before it"
    for stream in file.streams:
        if {"/F", "/FFilter", "/FDecodeParms"} & set(stream.keys()):
            yield "a stream in another file"


def filters(stream):
    names = stream.get("/Filter", [])
    return [str(names)] if isinstance(names, pikepdf.Name) else [str(name) for name in names]


@rule("6.1.7.2")
def stream_filters(file):
    plain = ("ASCIIHex", "ASCII85", "Flate", "RunLength", "CCITTFax", "JBIG2", "DCT", "JPX")
    for stream in file.streams:
        for name in filters(stream):
            if name not in [f"/{n}Decode" for n in plain]:
                yield f"filter {name}"


@rule("6.1.9")
def objects(file):
    if not re.search(rb"[\r\n]\d+ \d+ obj[\r\n]", file.data):
        yield "objects without line ends"
    if re.search(rb"[\r\n]\d+ +\d+ +obj(?![\r\n])", file.data):
        yield "no line end after obj"


@rule("6.1.12")
def permissions(file):
    if set(file.root.get("/Perms", {}).keys()) - {"/UR3", "/DocMDP"}:
        yield "permissions"


@rule("6.1.13")
def limits(file):
    for part in file.parts:
        if isinstance(part, int) and not -(2**31) <= part < 2**31:
            yield f"integer {part}"
        if isinstance(part, Decimal) and (
            abs(part) > Decimal("3.403e38") or 0 < abs(part) < Decimal("1.175e-38")
        ):
            yield f"real {part}"
        if isinstance(part, pikepdf.String) and len(bytes(part)) > 32767:
            yield "long string"
        if isinstance(part, pikepdf.Name) and len(str(part)) > 128:
            yield "long name"
    for page in file.pdf.pages:
        for key in ("/MediaBox", "/CropBox", "/BleedBox", "/TrimBox", "/ArtBox"):
            if key in page.obj:
                x0, y0, x1, y1 = map(float, page.obj[key])
                if not (3 <= abs(x1 - x0) <= 14400 and 3 <= abs(y1 - y0) <= 14400):
                    yield f"{key} out of bounds"


FORBIDDEN_ANNOTATIONS = {"/3D", "/Sound", "/Screen", "/Movie", "/RichMedia", "/Projection"}


def annotations(file):
    return [note for page in file.pdf.pages for note in page.obj.get("/Annots", [])]


@rule("6.3.1")
def annotation_types(file):
    for note in annotations(file):
        if str(note.Subtype) in FORBIDDEN_ANNOTATIONS:
            yield f"annotation {note.Subtype}"


@rule("6.3.2")
def annotation_flags(file):
    for note in annotations(file):
        flags = note.get("/F")
        if flags is None:
            if note.Subtype != "/Popup":
                yield f"{note.Subtype} has no flags"
        elif flags & 0b1_0010_0011 or not flags & 4:
            yield f"{note.Subtype} has the flags {flags}"


@rule("6.3.3")
def annotation_looks(file):
    for note in annotations(file):
        looks, kind = note.get("/AP"), str(note.Subtype)
        x0, y0, x1, y1 = map(float, note.Rect)
        if looks is None:
            if kind not in ("/Popup", "/Link") and (x0, y0) != (x1, y1):
                yield f"{kind} has no look"
            continue
        if set(looks.keys()) != {"/N"}:
            yield f"{kind} has looks besides N"
        field_type = note.get("/FT", note.get("/Parent", {}).get("/FT"))
        wanted = pikepdf.Dictionary if field_type == "/Btn" else pikepdf.Stream
        if not isinstance(looks.get("/N"), wanted):
            yield f"{kind}: N is of the wrong kind"


@rule("6.4.1")
def forms(file):
    if bool(file.root.get("/AcroForm", {}).get("/NeedAppearances", False)):
        yield "NeedAppearances"
    for note in annotations(file):
        if note.Subtype == "/Widget" and {"/A", "/AA"} & set(note.keys()):
            yield "an action in a field"
    for entry in file.root.get("/AcroForm", {}).get("/Fields", []):
        if "/AA" in entry:
            yield "an action in a field"


@rule("6.4.2")
def xfa(file):
    if "/XFA" in file.root.get("/AcroForm", {}) or "/NeedsRendering" in file.root:
        yield "XFA"


@rule("6.5.1")
def actions(file):
    allowed = {"/GoTo", "/GoToR", "/GoToE", "/Thread", "/URI", "/Named", "/SubmitForm"}
    named = {"/NextPage", "/PrevPage", "/FirstPage", "/LastPage"}
    for table in file.tables:
        for key in ("/A", "/OpenAction", "/Next", "/PA"):
            found = table.get(key)
            if isinstance(found, pikepdf.Dictionary) and "/S" in found:
                if str(found.S) not in allowed:
                    yield f"action {found.S}"
                if found.S == "/Named" and str(found.N) not in named:
                    yield f"named action {found.N}"
    if "/JavaScript" in file.root.get("/Names", {}):
        yield "scripts"


@rule("6.5.2")
def triggers(file):
    if "/AA" in file.root or any("/AA" in page.obj for page in file.pdf.pages):
        yield "additional actions"


@rule("6.8")
def attachments(file):
    if any("/EF" in table for table in file.tables):
        yield "an attached file"


@rule("6.9")
def layers(file):
    layered = file.root.get("/OCProperties")
    if layered is None:
        return
    configs = [layered.D, *layered.get("/Configs", [])]
    names = [str(config.get("/Name", "")) for config in configs]
    if "" in names or len(set(names)) < len(names):
        yield "a configuration without a name of its own"
    for config in configs:
        if "/AS" in config:
            yield "layers switch by themselves"
        if "/Order" in config and len(config.Order) < len(layered.OCGs):
            yield "a list of layers that is not whole"


@rule("6.10")
def presentations(file):
    if "/AlternatePresentations" in file.root.get("/Names", {}) or any(
        "/PresSteps" in page.obj for page in file.pdf.pages
    ):
        yield "presentations"


@rule("6.11")
def requirements(file):
    if "/Requirements" in file.root:
        yield "requirements"
