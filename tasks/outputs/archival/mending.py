"""What can be taken out of a PDF, or written in another way, with nothing seen changed.

Each function names the clause of ISO 19005-2 (PDF/A-2) that asks for it. What people may miss
comes back as notes; what remains is for `tasks.outputs.archival.hindrances` to find.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pikepdf
from pikepdf import Array, Dictionary, Stream, String

from tasks.outputs.archival.parts import parts

if TYPE_CHECKING:
    from collections.abc import Iterator

PRINT = 4  # annotation flags (ISO 32000-1, table 165)
UNSEEN = 1 | 2 | 32 | 256  # Invisible, Hidden, NoView, ToggleNoView
_ACTIVE = "actions that PDF/A forbids, such as scripts, were taken out"
ACTIONS = {"/GoTo", "/GoToR", "/GoToE", "/Thread", "/URI", "/Named", "/SubmitForm"}
NAMED = {"/NextPage", "/PrevPage", "/FirstPage", "/LastPage"}


def mend(pdf: pikepdf.Pdf) -> tuple[str, ...]:
    """Bring a PDF as near to PDF/A-2b as goes with nothing seen changed; return notes."""
    notes = dict.fromkeys(_catalog(pdf))
    for page in pdf.pages:
        _drop(page.obj, "/PresSteps")  # 6.10
    for part in parts(pdf):
        if isinstance(part, Dictionary | Stream):
            if _drop(part, "/AA") | _actions(part):
                notes[_ACTIVE] = None
            _annotation(part)
            _graphics(part)
            _font(part)
            if part.objgen != pdf.Root.objgen:
                _drop(part, "/Metadata")  # 6.6.2: would have to be checked like the document's
    return tuple(notes)


def _catalog(pdf: pikepdf.Pdf) -> Iterator[str]:
    root: Any = pdf.Root
    _drop(root, "/Requirements")  # 6.11
    names = root.get("/Names", Dictionary())
    if _drop(names, "/JavaScript"):  # 6.5.1
        yield _ACTIVE
    _drop(names, "/AlternatePresentations")  # 6.10
    layers = root.get("/OCProperties")
    if layers is not None and _layers(layers):
        yield "layers no longer switch by themselves, for example when printed"
    form = root.get("/AcroForm")
    if isinstance(form, Dictionary):
        _drop(form, "/NeedAppearances")  # 6.4.1


def _layers(layers: pikepdf.Object) -> bool:
    """Keep the layers' first configuration, in the order of no list (6.9)."""
    _drop(layers, "/Configs")
    first: Any = layers.get("/D", Dictionary())
    layers.D = first
    if not str(first.get("/Name", "")):
        first.Name = String("Default")
    known = {group.objgen for group in layers.get("/OCGs", ())}
    if "/Order" in first and not known <= {g.objgen for g in _flat(first.Order)}:
        del first.Order  # what a viewer lists, not what it shows
    return _drop(first, "/AS")


def _flat(order: Any) -> Iterator[Any]:
    for entry in order:
        if isinstance(entry, Array):
            yield from _flat(entry)
        elif isinstance(entry, Dictionary):
            yield entry


def _actions(part: pikepdf.Object) -> bool:
    """Take out actions that are not allowed (6.5.1), and those of form fields (6.4.1)."""
    widget = part.get("/Subtype") == "/Widget"
    keys = ("/A", "/OpenAction", "/Next")
    gone = [key for key in keys if key in part and (widget or not _allowed(part[key]))]
    for key in gone:
        del part[key]
    return bool(gone)


def _allowed(action: Any) -> bool:
    if isinstance(action, Array):  # a destination, or what follows an action
        return all(
            _allowed(each) for each in action if isinstance(each, Dictionary) and "/S" in each
        )
    if not isinstance(action, Dictionary) or "/S" not in action:
        return True
    return str(action.S) in ACTIONS and (action.S != "/Named" or str(action.get("/N")) in NAMED)


def _annotation(part: pikepdf.Object) -> None:
    """Let what is seen of an annotation be printed too, as the page's content is (6.3)."""
    if not ("/Rect" in part and "/Subtype" in part):
        return
    flags = int(part.get("/F", 0))
    if part.Subtype == "/Popup":
        flags &= ~UNSEEN
    part.F = flags | PRINT
    looks = part.get("/AP")
    if isinstance(looks, Dictionary):
        _drop(looks, "/D")  # how it looks while a mouse is on it
        _drop(looks, "/R")


def _graphics(part: pikepdf.Object) -> None:
    """Take out what is meant for printing plants (6.2.5, 6.2.8, 6.2.9)."""
    if bool(part.get("/Interpolate", False)):
        part.Interpolate = False
    _drop(part, "/OPI")
    if part.get("/Subtype") == "/Image":
        _drop(part, "/Alternates")
    _drop(part, "/HTP")
    if part.get("/TR") == "/Identity":
        del part.TR


def _font(part: pikepdf.Object) -> None:
    """Take out lists of a font's glyphs: nobody needs them, and many are wrong (6.2.11.4.2)."""
    if part.get("/Type") == "/FontDescriptor":
        _drop(part, "/CIDSet")
        _drop(part, "/CharSet")


def _drop(part: pikepdf.Object, key: str) -> bool:
    if key not in part:
        return False
    del part[key]
    return True
