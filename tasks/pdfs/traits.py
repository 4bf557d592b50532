"""What a PDF says of itself that a person, or whoever changes it, should know."""

from __future__ import annotations

import mmap
from typing import TYPE_CHECKING, Any

from pikepdf import Array, Dictionary

if TYPE_CHECKING:
    from pathlib import Path

    import pikepdf

_APPEND_ONLY = 2  # bit 2 of SigFlags (ISO 32000-1, table 219); bit 1 says that a field waits
_RIGHTS = ("/DocMDP", "/UR", "/UR3")  # signatures that allow changes (ISO 32000-1, 12.8.4)

FORBIDS = "the PDF forbade some uses, such as printing or copying; what was made of it does not"
UNLOCKED = "the PDF was opened with a password; what was made of it opens without"
SIGNED = "the PDF is signed and was passed on unchanged, also pages without text"
UNSIGNED = "the PDF was signed; only the original keeps that signature"
DYNAMIC = "the PDF is a form that only Adobe Reader shows (XFA); what was read stands in its place"
XFA = "the PDF is also a form of another kind (XFA), which was kept and not read"


def is_signed(pdf: pikepdf.Pdf, path: Path) -> bool:
    """Say whether a change would break a signature; a field that waits for one has none.

    What a signature covers is given as offsets into the file (`/ByteRange`), so that it never
    stands in a packed part of it.
    """
    rights = _table(pdf.Root.get("/Perms"))
    flags = _table(pdf.Root.get("/AcroForm")).get("/SigFlags", 0)
    if any(right in rights for right in _RIGHTS):
        return True
    if isinstance(flags, int) and flags & _APPEND_ONLY:
        return True
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        if data.find(b"/ByteRange") < 0:
            return False
    return any("/ByteRange" in _table(_table(one).get("/V")) for one in pdf.objects)


def notes(pdf: pikepdf.Pdf, *, signed: bool, locked: bool, copied: bool) -> tuple[str, ...]:
    """Say what becomes of a PDF's locks and signatures, and what its pages stand for.

    `locked`: only a password opens it; `copied`: a copy of it is read and made searchable.
    """
    said = []
    if signed:
        said.append(UNSIGNED if copied else SIGNED)
    if locked:
        said.append(UNLOCKED)
    elif pdf.is_encrypted and not all(pdf.allow) and (copied or not signed):
        said.append(FORBIDS)
    if "/XFA" in _table(pdf.Root.get("/AcroForm")):
        said.append(DYNAMIC if _is_set(pdf.Root.get("/NeedsRendering")) else XFA)
    if "/Collection" in pdf.Root:
        said.append(
            f"the PDF is a portfolio: {_attached(pdf)} attached files were kept and not read, "
            "only its own pages were"
        )
    return tuple(said)


def _attached(pdf: pikepdf.Pdf) -> int:
    """Count the files in the tree of names, whatever its shape."""
    todo, seen, files = [_table(_table(pdf.Root.get("/Names")).get("/EmbeddedFiles"))], set(), 0
    while todo:
        node = todo.pop()
        if node.is_indirect and node.objgen in seen:
            continue
        seen.add(node.objgen)
        files += len(_list(node.get("/Names"))) // 2
        todo += [_table(kid) for kid in _list(node.get("/Kids"))]
    return files


def _table(value: Any) -> Dictionary:
    return value if isinstance(value, Dictionary) else Dictionary()


def _is_set(value: Any) -> bool:
    return value is True


def _list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, Array) else []
