"""What makes a PDF say that it is PDF/A-2b: its metadata, and the colours it is meant for."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

from pikepdf import Array, Dictionary, Name, String

from tasks.outputs.archival import icc
from tasks.outputs.describe import PDFA_LEVEL, PDFA_PART

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pikepdf

_EXTENSIONS = "{http://www.aiim.org/pdfa/ns/extension/}schemas"
_SPACES = {
    "dc": "http://purl.org/dc/elements/1.1/",
    "pdf": "http://ns.adobe.com/pdf/1.3/",
    "xmp": "http://ns.adobe.com/xap/1.0/",
    "xmpMM": "http://ns.adobe.com/xap/1.0/mm/",
    "pdfaid": "http://www.aiim.org/pdfa/ns/id/",
}
_KNOWN = {
    "dc:title": "Alt",
    "dc:creator": "Seq",
    "dc:description": "Alt",
    "dc:subject": "Bag",
    "dc:publisher": "Bag",
    "dc:contributor": "Bag",
    "dc:language": "Bag",
    "dc:rights": "Alt",
    "dc:source": "",
    "dc:identifier": "",
    "pdf:Keywords": "",
    "pdf:Producer": "",
    "xmp:CreatorTool": "",
    "xmp:CreateDate": "",
    "xmp:ModifyDate": "",
    "xmp:MetadataDate": "",
    "xmpMM:DocumentID": "",
    PDFA_PART: "",
    PDFA_LEVEL: "",
}
"""The properties that are kept, and what holds their values (XMP Specification, 2005)."""

_FRAME = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about=""{spaces}>
{body}
</rdf:Description>
</rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>
"""


def claim(pdf: pikepdf.Pdf) -> tuple[str, ...]:
    """Write into a described PDF that it is PDF/A-2: level B, or a higher one that it has.

    Metadata that PDF/A does not define is left out, unless the PDF defines it itself; notes
    tell of it.
    """
    with pdf.open_metadata(set_pikepdf_as_editor=False, update_docinfo=False) as xmp:
        level = str(xmp.get(PDFA_LEVEL, "B")) if xmp.get(PDFA_PART) in {"2", "3"} else "B"
        xmp[PDFA_PART] = "2"
        xmp[PDFA_LEVEL] = level
        if _EXTENSIONS in xmp:
            return ()
        names = {f"{{{_SPACES[known.split(':')[0]]}}}{known.split(':')[1]}" for known in _KNOWN}
        lost = sorted({n.rpartition("}")[2] for n in set(xmp) - names if not _housekeeping(n)})
        values = {n: xmp[n] for n in _KNOWN if xmp.get(n) and _sound(n, xmp[n])}
    if "xmp:CreateDate" not in values and "/CreationDate" in pdf.docinfo:
        del pdf.docinfo["/CreationDate"]  # nobody can read it
    packet = pdf.make_stream(_packet(values).encode(), Type=Name.Metadata, Subtype=Name.XML)
    pdf.Root.Metadata = packet
    if not lost:
        return ()
    return (f"metadata that PDF/A does not define was left out: {', '.join(lost)}",)


def intend(pdf: pikepdf.Pdf) -> None:
    """Say what the device's colours mean: as the PDF says itself, else as sRGB."""
    old = _intent(pdf)
    if old is None:
        data = icc.srgb()
        profile = pdf.make_stream(data, N=icc.channels(data))
        new = Dictionary(OutputConditionIdentifier=String("sRGB"), DestOutputProfile=profile)
    else:
        new = Dictionary({"/OutputConditionIdentifier": String("Custom"), **dict(old.items())})
    new.Type, new.S = Name.OutputIntent, Name.GTS_PDFA1
    new.Info = new.get("/Info", String("The embedded profile"))
    pdf.Root.OutputIntents = Array([pdf.make_indirect(new)])
    for key in ("/GTS_PDFXVersion", "/GTS_PDFXConformance"):
        if key in pdf.docinfo:
            del pdf.docinfo[key]  # PDF/X would need the intent that it had


def intended(pdf: pikepdf.Pdf) -> int:
    """Return how many channels the colours have that the device's are to be."""
    intent = _intent(pdf)
    return 3 if intent is None else icc.channels(intent.DestOutputProfile.read_bytes())


def _intent(pdf: pikepdf.Pdf) -> Any:
    """Return the PDF's first output intent with a profile that PDF/A allows, None without one."""
    intents: Any = pdf.Root.get("/OutputIntents", ())
    return next((i for i in intents if "/DestOutputProfile" in i and _usable(i)), None)


def _usable(intent: Any) -> bool:
    profile = intent.DestOutputProfile
    data = profile.read_bytes()
    return icc.is_output(data) and bool(profile.get("/N") == icc.channels(data))


def _sound(name: str, value: Any) -> bool:
    """Say whether a date is one."""
    if not name.endswith("Date"):
        return True
    try:
        return bool(datetime.fromisoformat(value))
    except (TypeError, ValueError):
        return False


def _housekeeping(name: str) -> bool:
    """Say whether a property is a program's own business, which nobody will miss."""
    space, _, short = name[1:].partition("}")
    return space in {_SPACES["xmpMM"], _SPACES["xmp"]} or short in {
        "format",
        "Trapped",
        "PDFVersion",
    }


def _packet(values: dict[str, Any]) -> str:
    used = {name.partition(":")[0] for name in values}
    spaces = "".join(f' xmlns:{p}="{uri}"' for p, uri in _SPACES.items() if p in used)
    body = "\n".join(_property(name, value) for name, value in values.items())
    return _FRAME.format(spaces=spaces, body=body)


def _property(name: str, value: Any) -> str:
    if isinstance(value, set):
        value = sorted(value)
    kind = _KNOWN[name]
    several: Iterable[Any] = value if isinstance(value, list) else [value]
    if not kind:
        return f"<{name}>{escape(', '.join(map(str, several)))}</{name}>"
    lang = ' xml:lang="x-default"' if kind == "Alt" else ""
    parts = "".join(f"<rdf:li{lang}>{escape(str(part))}</rdf:li>" for part in several)
    return f"<{name}><rdf:{kind}>{parts}</rdf:{kind}></{name}>"
