"""PDF/A-2b: rules of ISO 19005-2 about fonts (6.2.11)."""

from __future__ import annotations

import io
from collections import defaultdict

import pikepdf
from fontTools.cffLib import CFFFontSet
from fontTools.pens.basePen import NullPen
from fontTools.ttLib import TTFont
from pdfa_drawing import contents
from pdfa_rules import rule


def used(file):
    """Yield each font that shows text, with its codes by text render mode."""
    shown = defaultdict(lambda: defaultdict(set))
    fonts = {}
    for holder, resources in contents(file):
        for font, mode, operand in showing(holder, resources):
            fonts[font.objgen] = font
            for part in operand if isinstance(operand, pikepdf.Array) else [operand]:
                if isinstance(part, pikepdf.String):
                    shown[font.objgen][mode] |= set(codes(font, bytes(part)))
    for key, font in fonts.items():
        yield font, shown[key]


def showing(holder, resources):
    """Yield font, text render mode and text whenever content shows some."""
    font, mode, stack = None, 0, []
    for each in pikepdf.parse_content_stream(holder):
        operator, operands = str(each.operator), each.operands
        if operator == "q":
            stack.append((font, mode))
        elif operator == "Q" and stack:
            font, mode = stack.pop()
        elif operator == "Tr":
            mode = int(operands[0])
        elif operator == "Tf":
            font = (resources or {}).get("/Font", {}).get(str(operands[0]))
        elif operator in ("Tj", "TJ", "'", '"') and font is not None:
            yield font, mode, operands[-1]


def codes(font, data):
    if font.get("/Subtype") != "/Type0":
        return list(data)
    return [data[n] << 8 | data[n + 1] for n in range(0, len(data) - 1, 2)]


def inner(font):
    return font.DescendantFonts[0] if font.get("/Subtype") == "/Type0" else font


def program(font):
    """Return the embedded font program's stream, None without one."""
    descriptor = inner(font).get("/FontDescriptor", {})
    for key in ("/FontFile", "/FontFile2", "/FontFile3"):
        if key in descriptor:
            return descriptor[key]
    return None


@rule("6.1.8")
def names(file):
    for font, _ in used(file):
        try:
            str(font.get("/BaseFont", ""))
        except UnicodeDecodeError:
            yield "a font's name is no UTF-8"


@rule("6.2.11.2")
def dictionaries(file):
    kinds = ("/Type0", "/Type1", "/MMType1", "/TrueType", "/Type3")
    for font, _ in used(file):
        if font.get("/Type") != "/Font" or str(font.get("/Subtype")) not in kinds:
            yield "no proper font dictionary"
        elif font.Subtype != "/Type3" and "/BaseFont" not in font:
            yield "a font without a name"
        if str(font.get("/Subtype")) in kinds[1:] and program(font) is not None:
            span = font.get("/LastChar", -1) - font.get("/FirstChar", 0) + 1
            if len(font.get("/Widths", [])) != span:
                yield "widths that do not fit"


@rule("6.2.11.3")
def composite(file):
    for font, _ in used(file):
        if font.get("/Subtype") == "/Type0":
            if not isinstance(font.get("/Encoding"), pikepdf.Stream) and not str(
                font.get("/Encoding")
            ).startswith("/Identity-"):
                yield "a character map that is not embedded"
            if inner(font).Subtype == "/CIDFontType2" and program(font) is not None:
                mapping = inner(font).get("/CIDToGIDMap")
                if mapping != "/Identity" and not isinstance(mapping, pikepdf.Stream):
                    yield "no CIDToGIDMap"
            if "/CIDSystemInfo" not in inner(font):
                yield "no CIDSystemInfo"


@rule("6.2.11.4")
def embedding(file):
    for font, shown in used(file):
        rendered = any(mode != 3 and codes for mode, codes in shown.items())
        if font.get("/Subtype") != "/Type3" and rendered and program(font) is None:
            yield f"{font.get('/BaseFont')} is not embedded"


def glyphs(font, codes):
    """Yield code, glyph name (None: absent) and width by program for fonts that we can read."""
    found = program(font)
    if found is None or font.get("/Subtype") == "/Type3":
        return
    data = found.read_bytes()
    if font.get("/Subtype") == "/Type0":
        yield from cid_glyphs(inner(font), data, codes)
    elif font.Subtype == "/TrueType":
        yield from truetype_glyphs(font, data, codes)


def cid_glyphs(font, data, codes):
    if font.Subtype == "/CIDFontType0":
        cff = CFFFontSet()
        cff.decompile(io.BytesIO(data), None)
        for code in codes:
            outline = cff[0].CharStrings.values()[code] if code < len(cff[0].charset) else None
            if outline:
                outline.draw(NullPen())
            yield code, code and outline, outline and outline.width
        return
    ttf = TTFont(io.BytesIO(data))
    mapping = font.get("/CIDToGIDMap")
    table = mapping.read_bytes() if isinstance(mapping, pikepdf.Stream) else None
    for code in codes:
        gid = int.from_bytes(table[2 * code : 2 * code + 2], "big") if table is not None else code
        known = 0 < gid < ttf["maxp"].numGlyphs
        yield code, known or None, known and measure(ttf, ttf.getGlyphName(gid))


def truetype_glyphs(font, data, codes):
    ttf = TTFont(io.BytesIO(data))
    best = ttf.getBestCmap()
    tables = {(t.platformID, t.platEncID): t.cmap for t in ttf["cmap"].tables}
    for code in codes:
        if "/Encoding" in font and best:
            name = best.get(ord(bytes([code]).decode("cp1252", "replace")))
        else:
            found = [tables.get((3, 0), {}).get(code), tables.get((3, 0), {}).get(0xF000 + code)]
            name = next((n for n in [*found, tables.get((1, 0), {}).get(code)] if n), None)
        yield code, name, name and measure(ttf, name)


def measure(ttf, name):
    return ttf["hmtx"][name][0] * 1000 / ttf["head"].unitsPerEm


def told(font, code):
    if font.get("/Subtype") != "/Type0":
        at = code - font.get("/FirstChar", 0)
        listed = font.get("/Widths", [])
        return float(listed[at]) if at in range(len(listed)) else 0.0
    table, at = list(inner(font).get("/W", [])), 0
    while at < len(table):
        if isinstance(table[at + 1], pikepdf.Array):
            if 0 <= code - table[at] < len(table[at + 1]):
                return float(table[at + 1][code - table[at]])
            at += 2
        else:
            if table[at] <= code <= table[at + 1]:
                return float(table[at + 2])
            at += 3
    return float(inner(font).get("/DW", 1000))


@rule("6.2.11.5")
def widths(file):
    for font, shown in used(file):
        seen = set().union(*(codes for mode, codes in shown.items() if mode != 3))
        for code, name, width in glyphs(font, seen):
            if name and abs(width - told(font, code)) > 1:
                yield f"{font.BaseFont}: code {code} is {width} wide, not {told(font, code)}"


@rule("6.2.11.6")
def truetype(file):
    for font, _ in used(file):
        if font.get("/Subtype") != "/TrueType":
            continue
        encoding = font.get("/Encoding")
        symbolic = int(font.FontDescriptor.get("/Flags", 0)) & 4
        if symbolic and encoding is not None:
            yield "a symbolic font with an encoding"
        named = isinstance(encoding, pikepdf.Name | None)
        if (
            not symbolic
            and named
            and str(encoding) not in ("/WinAnsiEncoding", "/MacRomanEncoding")
        ):
            yield "a font without a known encoding"


@rule("6.2.11.8")
def notdef(file):
    for font, shown in used(file):
        for code, name, _ in glyphs(font, set().union(*shown.values())):
            if not name:
                yield f"{font.BaseFont}: the code {code} has no glyph"
