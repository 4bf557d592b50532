"""PDF/A-2b: rules of ISO 19005-2 about metadata (6.6)."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import pikepdf
from pdfa_rules import rule

RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
PDFAID = "{http://www.aiim.org/pdfa/ns/id/}"
DC = "{http://purl.org/dc/elements/1.1/}"
XMP = "{http://ns.adobe.com/xap/1.0/}"
PDF = "{http://ns.adobe.com/pdf/1.3/}"
MM = "{http://ns.adobe.com/xap/1.0/mm/}"
TYPES = {
    **dict.fromkeys([DC + n for n in ("title", "description", "rights")], "Alt"),
    **dict.fromkeys([DC + n for n in ("creator", "date")], "Seq"),
    **dict.fromkeys(
        [DC + n for n in ("subject", "publisher", "contributor", "language", "type")], "Bag"
    ),
    **dict.fromkeys([DC + n for n in ("source", "identifier", "format", "coverage")], None),
    **dict.fromkeys([PDF + n for n in ("Keywords", "Producer", "PDFVersion", "Trapped")], None),
    **dict.fromkeys(
        [XMP + n for n in ("CreatorTool", "CreateDate", "ModifyDate", "MetadataDate", "Nickname")]
    ),
    **dict.fromkeys([MM + n for n in ("DocumentID", "InstanceID", "VersionID")], None),
    **dict.fromkeys([PDFAID + n for n in ("part", "conformance", "amd", "corr")], None),
}
DATE = re.compile(r"\d{4}(-\d\d(-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d))?)?)?")


@rule("6.6.2.1")
def metadata(file):
    found = file.root.get("/Metadata")
    if not isinstance(found, pikepdf.Stream) or found.get("/Subtype") != "/XML":
        yield "no metadata"
        return
    packet = found.read_bytes()
    if re.search(rb"<\?xpacket begin[^>]*(bytes|encoding)=", packet):
        yield "bytes or encoding in the packet's head"
    if not re.match(
        rb"\s*<\?xpacket begin=.\xef\xbb\xbf. id=.W5M0MpCehiHzreSzNTczkc9d.\?>", packet
    ):
        yield "the packet has no proper head"
    for stream in file.streams:
        if stream.get("/Type") == "/Metadata":
            try:
                ET.fromstring(stream.read_bytes().decode("utf-8").strip())  # noqa: S314
            except (ET.ParseError, UnicodeDecodeError) as error:
                yield f"metadata is no XML: {error}"


def properties(file):
    """Yield each property of the document's metadata: its name and element, or its text."""
    try:
        packet = file.root.Metadata.read_bytes().decode("utf-8").strip()
        top = ET.fromstring(packet)  # noqa: S314
    except (AttributeError, ET.ParseError, UnicodeDecodeError):
        return
    for description in top.iter(RDF + "Description"):
        for name, value in description.attrib.items():
            if name != RDF + "about":
                yield name, value
        for element in description:
            yield element.tag, element


def text_of(value):
    """Return a property's text, or the list of its parts."""
    if isinstance(value, str):
        return value
    parts = [li.text or "" for li in value.iter(RDF + "li")]
    return parts if len(value) else (value.text or "")


@rule("6.6.2.3")
def known_properties(file):
    found = list(properties(file))
    if any(name.startswith("{http://www.aiim.org/pdfa/ns/extension/}") for name, _ in found):
        return  # it defines its own
    for name, value in found:
        if name not in TYPES:
            yield f"unknown property {name}"
            continue
        inner = None if isinstance(value, str) or not len(value) else value[0].tag
        wanted = TYPES[name] and RDF + TYPES[name]
        if inner != wanted:
            yield f"{name} has the wrong type"
        if name.endswith("Date") and not DATE.fullmatch(str(text_of(value))):
            yield f"{name} is no date"


@rule("6.6.3")
def same_in_info(file):
    """Hold Info against XMP: not asked by readers of part 2, but two truths help nobody."""
    said = {name: text_of(value) for name, value in properties(file)}
    pairs = {
        "/Title": DC + "title",
        "/Author": DC + "creator",
        "/Subject": DC + "description",
        "/Keywords": PDF + "Keywords",
        "/Creator": XMP + "CreatorTool",
        "/Producer": PDF + "Producer",
        "/CreationDate": XMP + "CreateDate",
        "/ModDate": XMP + "ModifyDate",
    }
    for key, name in pairs.items():
        if key not in file.pdf.docinfo:
            continue
        info, xmp = str(file.pdf.docinfo[key]), said.get(name, "")
        if key.endswith("Date"):
            info = re.sub(r"\D", "", info)[:14]
            xmp = re.sub(r"\D", "", str(xmp))[:14]
        if xmp not in (info, [info]):
            yield f"{key} is {info!r} here and {xmp!r} there"


@rule("6.6.4")
def identification(file):
    said = {name: text_of(value) for name, value in properties(file)}
    if said.get(PDFAID + "part") != "2":
        yield "not part 2"
    if said.get(PDFAID + "conformance") not in ("A", "B", "U"):
        yield "no level"
