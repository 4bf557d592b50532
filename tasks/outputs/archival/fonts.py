"""What ISO 19005-2 (PDF/A-2) asks of the fonts that are used: clause 6.2.11."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fontTools.agl import AGL2UV
from pikepdf import Array, Dictionary, Name, Stream

from tasks.outputs.archival import programs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tasks.outputs.archival.drawing import FontUse
    from tasks.outputs.archival.programs import Program

_SIMPLE = {"/Type1", "/MMType1", "/TrueType", "/Type3"}
_KINDS = {None, "/Type1C", "/CIDFontType0C", "/OpenType"}
_SYMBOLIC = 4  # font descriptor flag (ISO 32000-1, table 123)
_STANDARD = {
    *("/Courier", "/Courier-Bold", "/Courier-Oblique", "/Courier-BoldOblique", "/Symbol"),
    *("/Helvetica", "/Helvetica-Bold", "/Helvetica-Oblique", "/Helvetica-BoldOblique"),
    *("/Times-Roman", "/Times-Bold", "/Times-Italic", "/Times-BoldItalic", "/ZapfDingbats"),
}  # ISO 32000-1, 9.6.2.2
_SAME = 1.0  # thousandths of the font size that two widths may differ: they are rounded

Fault = tuple[str, str]  # clause and what


def faults(use: FontUse) -> Iterator[Fault]:
    """Yield what is wrong with a font and how it is used."""
    font = use.font
    name = str(font.get("/BaseFont", font.get("/Name", "/without a name")))[1:]
    for clause, what in _faults(font, use):
        yield clause, f"the font {name} {what}"


def _faults(font: Any, use: FontUse) -> Iterator[Fault]:
    kind = font.get("/Subtype")
    composite = kind == "/Type0"
    if font.get("/Type") != "/Font" or not (kind in _SIMPLE or composite):
        yield "6.2.11.2", "has no proper type"
    elif kind == "/Type3":
        yield from _type3(font, use)
    elif not isinstance(font.get("/BaseFont"), Name):
        yield "6.2.11.2", "has no name"
    elif composite and str(font.get("/Encoding")) not in {"/Identity-H", "/Identity-V"}:
        yield "6.2.11.3", "has a character map that is not checked here"
    else:
        yield from _embedded(font.DescendantFonts[0] if composite else font, use)


def _embedded(holder: Any, use: FontUse) -> Iterator[Fault]:
    """Check a simple font, or the one inside a composite font, against its program."""
    numbered = str(holder.get("/Subtype")) in {"/CIDFontType0", "/CIDFontType2"}
    descriptor = holder.get("/FontDescriptor", Dictionary())
    try:
        program = programs.load(descriptor)
        if program is None and use.seen:
            yield "6.2.11.4", "is not embedded"
        elif not numbered:
            yield from _simple(holder, program, use)
        elif program is not None:
            yield from _composite(holder, program, use)
    except MemoryError:
        raise
    except Exception as error:  # whatever the parsers of programs raise
        yield "6.2.11.2", f"has a damaged program ({type(error).__name__})"
    if descriptor.get("/FontFile3", Dictionary()).get("/Subtype") not in _KINDS:
        yield "6.2.11.2", "has a program of an unknown kind"


def _type3(font: Any, use: FontUse) -> Iterator[Fault]:
    """Check that each code has a drawing; its width is the drawing's first number."""
    names = _names(font) or {}
    drawings = font.get("/CharProcs", Dictionary())
    for code in sorted(use.codes):
        glyph = drawings.get(f"/{names.get(code, programs.NOTDEF)}")
        if glyph is None:
            yield "6.2.11.8", f"shows the code {code}, which it does not draw"
            return
        told = _told(font, code)
        if code in use.seen and (told is None or abs(told - _first(glyph)) > _SAME):
            yield "6.2.11.5", f"tells another width of the code {code} than its drawing"
            return


def _first(glyph: Any) -> float:
    return float(glyph.read_bytes().split(maxsplit=1)[0])


def _simple(font: Any, program: Program | None, use: FontUse) -> Iterator[Fault]:
    """Check a font of one byte a code; without a program, what holds for unseen text too."""
    first, last = font.get("/FirstChar"), font.get("/LastChar")
    known = program is None and str(font.BaseFont) in _STANDARD
    fits = None not in {first, last} and len(font.get("/Widths", ())) == last - first + 1
    if not (fits or known):
        yield "6.2.11.2", "does not tell the widths of its glyphs"
        return
    names = _names(font)
    if font.get("/Subtype") == "/TrueType":
        flags = font.get("/FontDescriptor", Dictionary()).get("/Flags", 0)
        symbolic = bool(int(flags) & _SYMBOLIC)
        truetype = program if isinstance(program, programs.TrueType) else None
        yield from (_symbolic if symbolic else _nonsymbolic)(font, truetype)
        names = None if symbolic else names
    if program is None:
        return
    for code in sorted(use.codes):
        glyph = program.by_code(code, names)
        told = _told(font, code)
        found = list(_glyph(glyph, program, told, f"the code {code}", seen=code in use.seen))
        if found:
            yield from found
            return


def _symbolic(font: Any, program: programs.TrueType | None) -> Iterator[Fault]:
    """Check that the program alone decides how codes become glyphs (6.2.11.6)."""
    if "/Encoding" in font:
        yield "6.2.11.6", "is symbolic and has an encoding"
    elif program and program.count != 1 and (3, 0) not in program.maps:
        yield "6.2.11.6", "is symbolic and has several character maps"


def _nonsymbolic(font: Any, program: programs.TrueType | None) -> Iterator[Fault]:
    """Check that names which all readers know decide how codes become glyphs (6.2.11.6)."""
    encoding = font.get("/Encoding")
    maps = set(program.maps) if program else set()
    base = encoding.get("/BaseEncoding") if isinstance(encoding, Dictionary) else encoding
    if base is None or str(base) not in {"/WinAnsiEncoding", "/MacRomanEncoding"}:
        yield "6.2.11.6", "has no encoding that all readers know"
    elif isinstance(encoding, Dictionary) and "/Differences" in encoding:
        listed = [str(n)[1:] for n in encoding.Differences if isinstance(n, Name)]
        if (3, 1) not in maps or not all(n in AGL2UV for n in listed):
            yield "6.2.11.6", "has an encoding of its own that readers may not know"
    elif program and not maps - {(3, 0)}:
        yield "6.2.11.6", "has no character map"


def _composite(font: Any, program: Program, use: FontUse) -> Iterator[Fault]:
    mapping = font.get("/CIDToGIDMap")
    numbered = font.get("/Subtype") == "/CIDFontType2"
    if numbered and not (isinstance(mapping, Stream) or mapping == "/Identity"):
        yield "6.2.11.3", "does not say which glyph a code means"
        return
    table = mapping.read_bytes() if numbered and isinstance(mapping, Stream) else None
    widths = _wide(font.get("/W", ()))
    for cid in sorted(use.codes):
        number = int.from_bytes(table[2 * cid : 2 * cid + 2], "big") if table is not None else cid
        glyph = program.by_cid(number)
        told = widths.get(cid, float(font.get("/DW", 1000)))
        found = list(_glyph(glyph, program, told, f"the code {cid}", seen=cid in use.seen))
        if found:
            yield from found
            return


def _glyph(
    glyph: str | None, program: Program, told: float | None, code: str, *, seen: bool
) -> Iterator[Fault]:
    first = program.by_cid(0)
    if glyph is None or glyph in {programs.NOTDEF, first}:
        yield "6.2.11.8", f"shows {code}, for which it has no glyph"
    elif seen and (told is None or abs(told - program.width(glyph)) > _SAME):
        yield "6.2.11.5", f"tells another width of {code} than its program"


def _told(font: Any, code: int) -> float | None:
    at = code - int(font.get("/FirstChar", 0))
    widths = font.get("/Widths", ())
    return float(widths[at]) if 0 <= at < len(widths) else None


def _names(font: Any) -> dict[int, str] | None:
    """Return the glyphs' names that a font's encoding gives; None where it leaves all open."""
    encoding = font.get("/Encoding")
    if encoding is None:
        return None
    own = isinstance(encoding, Dictionary)
    base = programs.BASES.get(str(encoding.get("/BaseEncoding") if own else encoding))
    names = dict(enumerate(base)) if base else {}
    at = 0
    for entry in encoding.get("/Differences", ()) if own else ():
        if isinstance(entry, Name):
            names[at] = str(entry)[1:]
            at += 1
        else:
            at = int(entry)
    return names


def _wide(table: Any) -> dict[int, float]:
    """Return the widths of a CIDFont's W array (ISO 32000-1, 9.7.4.3)."""
    entries: list[Any] = list(table)
    out: dict[int, float] = {}
    at = 0
    while at + 1 < len(entries):
        first = int(entries[at])
        if isinstance(entries[at + 1], Array):
            out |= {first + n: float(w) for n, w in enumerate(entries[at + 1])}
            at += 2
        else:
            out |= dict.fromkeys(range(first, int(entries[at + 1]) + 1), float(entries[at + 2]))
            at += 3
    return out
