"""What a PDF says of itself: title, origin, job, and which standards it keeps."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pikepdf.models.metadata import decode_pdf_date

import watcherd

if TYPE_CHECKING:
    import pikepdf
    from pikepdf.models import PdfMetadata

    from tasks.outputs import Meta

PDFA_PART = "pdfaid:part"
PDFA_LEVEL = "pdfaid:conformance"
_PDFUA = "{http://www.aiim.org/pdfua/ns/id/}part"
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_CREATOR = f"watcherd {watcherd.__version__}"
_TWICE = {
    "/Title": "dc:title",
    "/Author": "dc:creator",
    "/Subject": "dc:description",
    "/Keywords": "pdf:Keywords",
    "/Creator": "xmp:CreatorTool",
    "/Producer": "pdf:Producer",
    "/CreationDate": "xmp:CreateDate",
    "/ModDate": "xmp:ModifyDate",
}
"""What stands in both places, and has to be the same in them (ISO 19005-1, 6.7.3)."""


def describe(pdf: pikepdf.Pdf, meta: Meta, *, laid: bool = True) -> None:
    """Say title, origin and job in both places that PDF has for it; a PDF keeps what it said.

    `laid`: text was laid under a page. It has no tags, so that claims which hold for wholly
    tagged documents alone (PDF/UA, level A of PDF/A) are taken back.
    """
    when = moment(meta)
    info = pdf.docinfo
    with pdf.open_metadata(set_pikepdf_as_editor=False, update_docinfo=False) as xmp:
        _fill(info, "/Title", xmp.get("dc:title") or meta.title)
        _fill(info, "/Creator", xmp.get("xmp:CreatorTool") or _CREATOR)
        stamp = f"D:{when:%Y%m%d%H%M%S}Z"
        if "xmp:CreateDate" not in xmp:
            _fill(info, "/CreationDate", stamp)
        info["/ModDate"] = stamp
        info["/WatcherdSource"] = clean(meta.source_name)
        info["/WatcherdJob"] = clean(meta.job)
        info["/WatcherdSHA256"] = clean(meta.sha256)
        _mirror(info, xmp)
        xmp["dc:source"] = clean(meta.source_name)
        xmp["dc:identifier"] = clean(meta.job)
        xmp["xmp:MetadataDate"] = when.isoformat()
        if laid:
            _take_back(xmp)


def moment(meta: Meta) -> datetime:
    """Return the job's time."""
    return datetime.fromtimestamp(meta.when, UTC)


def clean(text: str) -> str:
    """Return text that XML and PDF can hold; names of files may hold anything."""
    return _UNPRINTABLE.sub("\ufffd", text)


def _fill(info: pikepdf.Dictionary, key: str, value: Any) -> None:
    """Set what is not said yet."""
    if not str(info.get(key, "")).strip():
        info[key] = clean(str(value))


def _mirror(info: pikepdf.Dictionary, xmp: PdfMetadata) -> None:
    for key, name in _TWICE.items():
        said = clean(str(info.get(key, "")).strip())
        if key.endswith("Date"):
            said = _iso(said)
        elif said:
            info[key] = said
        if said:
            xmp[name] = [said] if key == "/Author" else said


def _iso(date: str) -> str:
    """Return a date of PDF as XMP writes it, "" where nobody could say what is meant."""
    try:
        return decode_pdf_date(date).isoformat()
    except ValueError:
        return ""


def _take_back(xmp: PdfMetadata) -> None:
    if _PDFUA in xmp:
        del xmp[_PDFUA]
    if xmp.get(PDFA_LEVEL) == "A":  # what remains: in part 1 there is no level U
        xmp[PDFA_LEVEL] = "B" if xmp.get(PDFA_PART) == "1" else "U"
