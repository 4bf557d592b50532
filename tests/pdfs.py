"""PDFs of all kinds, and their way through the stages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import makers
import pikepdf
from pikepdf import Array, Dictionary, Name, String

from tasks import inputs, outputs, recognise
from watcherd.model import Limits, Options

if TYPE_CHECKING:
    from pathlib import Path

    from tasks.document import Document
    from tasks.recognise import PageFacts

META = outputs.Meta("Title", "in/a.pdf", "j-1", "ab" * 32, 1_700_000_000)
SHEET = makers.sheet()


@dataclass(frozen=True)
class Made:
    """What became of a PDF."""

    document: Document
    readable: Path  # what was read: the original, or the copy
    facts: list[PageFacts]
    files: dict[str, Path]

    @property
    def out(self) -> Path:
        """The searchable PDF."""
        return makers.checked(self.files["pdf"])

    @property
    def text(self) -> str:
        """The text output, white space folded."""
        return makers.folded(self.files["txt"].read_text("utf-8"))


def made(path: Path, into: Path, passwords: tuple[str, ...] = ()) -> Made:
    """Do what the stages do: open, copy where needed, recognise each page, build."""
    into.mkdir(exist_ok=True)
    options = Options(formats=("pdf", "txt", "json"))
    opened = inputs.open_document(path, Limits(), passwords)
    if opened.copy:
        path = into / "readable"
        opened.copy(path)
    folders, facts = [], []
    for number in range(1, opened.document.pages + 1):
        folder = into / str(number)
        folder.mkdir()
        facts.append(recognise.recognise_page(path, opened.document, number, options, folder))
        folders.append(folder)
    built = outputs.build(path, opened.document, folders, options, META, into)
    return Made(opened.document, path, facts, built.files)


def changed(path: Path, change) -> Path:
    """Change a PDF in place: `change(pdf)`."""
    with pikepdf.open(path, allow_overwriting_input=True) as pdf:
        change(pdf)
        pdf.save(path)
    return path


def streams(pdf: pikepdf.Pdf, page: int = 1) -> list[bytes]:
    """Return a page's content streams."""
    found = pdf.pages[page - 1].obj.get("/Contents", Array())
    return [s.read_bytes() for s in (found if isinstance(found, Array) else [found])]


def helvetica() -> Dictionary:
    """Return a font that every reader has."""
    return Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica)


def dumb_font(pdf: pikepdf.Pdf) -> Dictionary:
    """Return a font whose ToUnicode map makes every letter a private one (broken subsets)."""
    cmap = b"""/CIDInit /ProcSet findresource begin 12 dict begin begincmap
    1 begincodespacerange <00> <FF> endcodespacerange
    1 beginbfrange <20> <7E> <E020> endbfrange
    endcmap end end"""
    font = helvetica()
    font.ToUnicode = pdf.make_stream(cmap)
    return font


def write_over(path: Path, lines: list[str], *, mode: int = 0, dumb: bool = False) -> Path:
    """Write text over the first page of a scan, each line at the place of the scan's own."""

    def change(pdf: pikepdf.Pdf) -> None:
        page = pdf.pages[0].obj
        font = dumb_font(pdf) if dumb else helvetica()
        page.Resources.Font = Dictionary(F=pdf.make_indirect(font))
        rows = " ".join(
            f"1 0 0 1 29 {128 - 40 * row} Tm ({line}) Tj" for row, line in enumerate(lines)
        )
        drawn = pdf.make_stream(f"BT /F 15 Tf {mode} Tr {rows} ET".encode())
        old = page.Contents
        page.Contents = Array([pdf.make_stream(b"q\n"), old, pdf.make_stream(b"\nQ\n"), drawn])

    return changed(path, change)


def add_field(path: Path, value: str, *, kind: str = "/Tx", appearance: bool = True) -> Path:
    """Add a form with one field at the page's foot; a signature field is signed by its value."""

    def change(pdf: pikepdf.Pdf) -> None:
        font = pdf.make_indirect(helvetica())
        page = pdf.pages[0].obj
        field = Dictionary(
            Type=Name.Annot,
            Subtype=Name.Widget,
            FT=Name(kind),
            T=String("who"),
            Rect=Array([29, 8, 300, 30]),
            F=4,
            DA=String("/Helv 15 Tf 0 g"),
            P=page,
        )
        if kind == "/Sig":
            if value:
                field.V = pdf.make_indirect(signature(value))
        else:
            field.V = String(value)
        fonts = Dictionary(Font=Dictionary(Helv=font))
        if appearance and kind == "/Tx":
            drawn = f"/Tx BMC q BT /Helv 15 Tf 2 6 Td ({value}) Tj ET Q EMC".encode()
            form = pdf.make_stream(drawn, Type=Name.XObject, Subtype=Name.Form)
            form.BBox = Array([0, 0, 271, 22])
            form.Resources = fonts
            field.AP = Dictionary(N=form)
        field = pdf.make_indirect(field)
        page.Annots = Array([field])
        pdf.Root.AcroForm = Dictionary(Fields=Array([field]), DR=fonts)
        if not appearance:
            pdf.Root.AcroForm.NeedAppearances = True

    return changed(path, change)


def signature(name: str) -> Dictionary:
    """Return a signature's dictionary; its bytes sign nothing."""
    return Dictionary(
        Type=Name.Sig,
        Filter=Name("/Adobe.PPKLite"),
        SubFilter=Name("/adbe.pkcs7.detached"),
        ByteRange=Array([0, 100, 200, 100]),
        Contents=String(b"\x30\x80" + bytes(30)),
        Name=String(name),
    )
