"""PDF/A-2b: rules of ISO 19005-2 about what content draws (6.1.6, 6.1.10, 6.1.13, 6.2)."""

from __future__ import annotations

import re

import pikepdf
from pdfa_rules import filters, rule

OPERATORS = {
    *("w", "J", "j", "M", "d", "ri", "i", "gs", "q", "Q", "cm", "m", "l", "c", "v", "y", "h", "re"),
    *("S", "s", "f", "F", "f*", "B", "B*", "b", "b*", "n", "W", "W*", "BT", "ET", "Tc", "Tw", "Tz"),
    *("TL", "Tf", "Tr", "Ts", "Td", "TD", "Tm", "T*", "Tj", "TJ", "'", '"', "d0", "d1", "CS", "cs"),
    *("SC", "SCN", "sc", "scn", "G", "g", "RG", "rg", "K", "k", "sh", "BI", "ID", "EI", "Do", "MP"),
    *("DP", "BMC", "BDC", "EMC", "BX", "EX", "INLINE IMAGE"),
}
RENDERING = ["/AbsoluteColorimetric", "/RelativeColorimetric", "/Saturation", "/Perceptual"]
BLENDING = """/Normal /Compatible /Multiply /Screen /Overlay /Darken /Lighten /ColorDodge
    /ColorBurn /HardLight /SoftLight /Difference /Exclusion /Hue /Saturation /Color /Luminosity"""


def contents(file):
    """Yield every content stream with its resources: pages, forms, patterns, glyphs, looks."""
    for page in file.pdf.pages:
        if "/Contents" in page.obj:
            yield page.obj, page.obj.get("/Resources")
    for stream in file.streams:
        if stream.get("/Subtype") == "/Form" or stream.get("/PatternType") == 1:
            yield stream, stream.get("/Resources")
    for table in file.tables:
        if table.get("/Subtype") == "/Type3":
            for glyph in table.CharProcs.values():
                yield glyph, table.get("/Resources", pikepdf.Dictionary())


def instructions(file):
    for holder, resources in contents(file):
        for each in pikepdf.parse_content_stream(holder):
            yield str(each.operator), each.operands, resources


def raw(holder):
    if isinstance(holder, pikepdf.Stream):
        return holder.read_bytes()
    found = holder.Contents
    return b"\n".join(
        s.read_bytes() for s in (found if isinstance(found, pikepdf.Array) else [found])
    )


@rule("6.1.6")
def hexadecimal(file):
    for holder, _ in contents(file):
        data = raw(holder)
        if b"BI" in data:
            continue  # what follows may be anything
        data = re.sub(rb"\((\\.|[^()\\])*\)", b"()", data, flags=re.DOTALL)
        for digits in re.findall(rb"(?<!<)<([^<>]*)>(?!>)", data):
            bare = re.sub(rb"\s", b"", digits)
            if len(bare) % 2 or not re.fullmatch(rb"[0-9A-Fa-f]*", bare):
                yield f"hexadecimal string {digits[:20]!r}"


@rule("6.1.10")
def inline_images(file):
    for operator, operands, _ in instructions(file):
        if operator == "INLINE IMAGE":
            for name in operands[0].filters:
                if name in ("/LZW", "/LZWDecode", "/Crypt"):
                    yield f"inline filter {name}"


@rule("6.1.13")
def nesting(file):
    for holder, _ in contents(file):
        depth = deepest = 0
        for each in pikepdf.parse_content_stream(holder):
            depth += {"q": 1, "Q": -1}.get(str(each.operator), 0)
            deepest = max(deepest, depth)
        if deepest > 28:
            yield f"q nested {deepest} deep"


@rule("6.2.2")
def operators(file):
    for operator, _, resources in instructions(file):
        if operator not in OPERATORS:
            yield f"operator {operator}"
        if operator in ("Do", "Tf", "gs", "sh") and resources is None:
            yield "content without resources of its own"


def intents(file):
    return list(file.root.get("/OutputIntents", []))


def header(profile):
    """Return version, class and colours of an ICC profile."""
    data = profile.read_bytes()
    ok = data[36:40] == b"acsp" and int.from_bytes(data[:4], "big") == len(data)
    return (data[8], data[12:16], data[16:20]) if ok else (99, b"", b"")


@rule("6.2.3")
def output_intent(file):
    profiles = [i.DestOutputProfile for i in intents(file) if "/DestOutputProfile" in i]
    if len({p.objgen for p in profiles}) > 1:
        yield "several profiles"
    for profile in profiles:
        version, kind, colours = header(profile)
        if version > 4 or kind not in (b"prtr", b"mntr"):
            yield "the intent's profile is not one of an output"
        if {b"GRAY": 1, b"RGB ": 3, b"CMYK": 4}.get(colours) != profile.get("/N"):
            yield "the intent's profile has other channels"
    for intent in intents(file):
        if intent.get("/S") == "/GTS_PDFA1" and "/OutputConditionIdentifier" not in intent:
            yield "the intent says not what it is"


def destination(file):
    """Return the colours that the file is meant for, None without an intent."""
    for intent in intents(file):
        if intent.get("/S") == "/GTS_PDFA1" and "/DestOutputProfile" in intent:
            return header(intent.DestOutputProfile)[2]
    return None


def drawn_spaces(file):
    """Yield the colour spaces that operators name."""
    short = {"/RGB": "/DeviceRGB", "/G": "/DeviceGray", "/CMYK": "/DeviceCMYK"}
    for operator, operands, _ in instructions(file):
        device = {"g": "Gray", "rg": "RGB", "k": "CMYK"}.get(operator.lower())
        if device:
            yield pikepdf.Name(f"/Device{device}")
        if operator in ("cs", "CS"):
            yield operands[0]
        if operator == "INLINE IMAGE":
            space = operands[0].obj.get("/CS", operands[0].obj.get("/ColorSpace"))
            if isinstance(space, pikepdf.Name):
                yield pikepdf.Name(short.get(str(space), str(space)))


def spaces(file):
    """Yield every colour space, however deep in another."""
    yield from drawn_spaces(file)
    for table in file.tables:
        for found in (table.get("/ColorSpace"), table.get("/CS")):
            if isinstance(found, pikepdf.Dictionary):
                yield from found.values()
            elif isinstance(found, pikepdf.Name | pikepdf.Array):
                yield found
    for part in file.parts:  # what stands inside others
        if isinstance(part, pikepdf.Array) and len(part) > 2 and isinstance(part[0], pikepdf.Name):
            inside = {"/Indexed": (1,), "/Separation": (2,), "/DeviceN": (2,)}
            yield from (part[n] for n in inside.get(str(part[0]), ()))
            if str(part[0]) in inside:
                yield part


@rule("6.2.4.2")
def profiles(file):
    for space in spaces(file):
        if isinstance(space, pikepdf.Array) and space[0] == "/ICCBased":
            version, kind, colours = header(space[1])
            channels = {b"GRAY": 1, b"RGB ": 3, b"Lab ": 3, b"CMYK": 4}.get(colours)
            if version > 4 or kind not in (b"prtr", b"mntr", b"scnr", b"spac"):
                yield "a profile that is not allowed"
            elif channels != space[1].get("/N"):
                yield "a profile of other channels"
            elif channels == 4 and any(
                t.get("/OPM") == 1 and bool(t.get("/op", t.get("/OP", False))) for t in file.tables
            ):
                yield "overprint in a profile's inks"


@rule("6.2.4.3")
def devices(file):
    meant = destination(file)
    for space in spaces(file):
        name = str(space[0] if isinstance(space, pikepdf.Array) else space)
        wanted = {"/DeviceRGB": b"RGB ", "/DeviceCMYK": b"CMYK", "/DeviceGray": meant}.get(
            name, meant
        )
        if name.startswith("/Device") and name != "/DeviceN" and (not meant or wanted != meant):
            yield f"{name} without an intent for it"


@rule("6.2.4.4")
def inks(file):
    looks = {}
    for space in spaces(file):
        if not isinstance(space, pikepdf.Array):
            continue
        if space[0] == "/DeviceN":
            told = space[4].get("/Colorants", {}) if len(space) > 4 else {}
            if (
                {str(n) for n in space[1]}
                - {"/Cyan", "/Magenta", "/Yellow", "/Black"}
                - set(told.keys())
            ):
                yield "an ink that is not told"
        if space[0] == "/Separation":
            look = (
                str(space[2]),
                space[3].read_bytes()
                if isinstance(space[3], pikepdf.Stream)
                else space[3].unparse(resolved=True),
            )
            if looks.setdefault(str(space[1]), look) != look:
                yield "an ink that looks different"


@rule("6.1.13")
def many_inks(file):
    for space in spaces(file):
        if isinstance(space, pikepdf.Array) and space[0] == "/DeviceN" and len(space[1]) > 32:
            yield "more than 32 inks"


@rule("6.2.5")
def states(file):
    for table in file.tables:
        if table.get("/Type") == "/ExtGState":
            if "/TR" in table or table.get("/TR2", "/Default") != "/Default" or "/HTP" in table:
                yield "transfer function"
            screen = table.get("/HT")
            if isinstance(screen, pikepdf.Dictionary | pikepdf.Stream) and (
                int(screen.get("/HalftoneType", 0)) not in (1, 5) or "/HalftoneName" in screen
            ):
                yield "halftone"


@rule("6.2.6")
def rendering(file):
    for table in file.tables:
        for key in ("/RI", "/Intent"):
            value = table.get(key)
            known = isinstance(value, pikepdf.Name) and table.get("/Type") != "/OCG"
            if known and str(value) not in RENDERING:
                yield f"rendering intent {value}"
    for operator, operands, _ in instructions(file):
        if operator == "ri" and str(operands[0]) not in RENDERING:
            yield f"rendering intent {operands[0]}"


@rule("6.2.8")
def images(file):
    for stream in file.streams:
        if stream.get("/Subtype") == "/Image":
            if {"/Alternates", "/OPI"} & set(stream.keys()):
                yield "alternate images"
            if bool(stream.get("/Interpolate", False)):
                yield "smoothed"
    for operator, operands, _ in instructions(file):
        if operator == "INLINE IMAGE":
            table = operands[0].obj
            if bool(table.get("/I", table.get("/Interpolate", False))):
                yield "inline image smoothed"


@rule("6.2.8.3")
def jpeg2000(file):
    for stream in file.streams:
        if "/JPXDecode" in filters(stream):
            data = stream.read_raw_bytes()
            at = data.find(b"ihdr")
            if at < 0 or data[4:8] != b"jP  ":
                yield "JPEG 2000 without its file format"
            elif data[at + 14] > 37 or b"bpcc" in data[: at + 200]:
                yield "JPEG 2000 with channels of different depth"
            elif int.from_bytes(data[at + 12 : at + 14], "big") not in (1, 3, 4):
                yield "JPEG 2000 with other channels"


@rule("6.2.9")
def xobjects(file):
    for stream in file.streams:
        if stream.get("/Subtype") == "/PS" or stream.get("/Subtype2") == "/PS":
            yield "PostScript"
        if stream.get("/Subtype") == "/Form" and {"/PS", "/OPI", "/Ref"} & set(stream.keys()):
            yield "a form with PS, OPI or Ref"


@rule("6.2.10")
def blending(file):
    for table in file.tables:
        modes = table.get("/BM", [])
        for mode in [modes] if isinstance(modes, pikepdf.Name) else modes:
            if str(mode) not in BLENDING.split():
                yield f"blend mode {mode}"
