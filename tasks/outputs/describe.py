"""What a PDF says of itself: title, origin, job."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import watcherd

if TYPE_CHECKING:
    import pikepdf

    from tasks.outputs import Meta

_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_CREATOR = f"watcherd {watcherd.__version__}"


def describe(pdf: pikepdf.Pdf, meta: Meta) -> None:
    """Say title, origin and job in both places that PDF has for it; a PDF keeps its own title."""
    when = moment(meta)
    title = str(pdf.docinfo.get("/Title", "")).strip() or clean(meta.title)
    creator = str(pdf.docinfo.get("/Creator", "")).strip() or _CREATOR
    stamp = f"D:{when:%Y%m%d%H%M%S}Z"
    created = str(pdf.docinfo.get("/CreationDate", "")) or stamp
    pdf.docinfo["/Title"] = title
    pdf.docinfo["/Creator"] = creator
    pdf.docinfo["/CreationDate"] = created
    pdf.docinfo["/ModDate"] = stamp
    pdf.docinfo["/WatcherdSource"] = clean(meta.source_name)
    pdf.docinfo["/WatcherdJob"] = clean(meta.job)
    pdf.docinfo["/WatcherdSHA256"] = clean(meta.sha256)
    with pdf.open_metadata(set_pikepdf_as_editor=False, update_docinfo=False) as xmp:
        xmp["dc:title"] = title
        xmp["dc:source"] = clean(meta.source_name)
        xmp["dc:identifier"] = clean(meta.job)
        xmp["xmp:CreatorTool"] = creator
        xmp["xmp:ModifyDate"] = xmp["xmp:MetadataDate"] = when.isoformat()
        if created == stamp:
            xmp["xmp:CreateDate"] = when.isoformat()


def moment(meta: Meta) -> datetime:
    """Return the job's time."""
    return datetime.fromtimestamp(meta.when, UTC)


def clean(text: str) -> str:
    """Return text that XML and PDF can hold; names of files may hold anything."""
    return _UNPRINTABLE.sub("\ufffd", text)
