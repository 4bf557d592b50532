"""Images of a PDF page that are cut short: readers show the part that is there and say nothing."""

from __future__ import annotations

import zlib
from heapq import nlargest
from math import prod
from typing import TYPE_CHECKING

import pypdfium2.raw as pdfium

if TYPE_CHECKING:
    import pypdfium2

MOST = 20
"""Images that are looked at, the biggest of a page; a scan has one or a few strips."""

_MARKED = frozenset({"DCTDecode", "JPXDecode"})
_MARK = b"\xff\xd9"  # ends a JPEG (ITU-T T.81, B.1.1.3) and a JPEG 2000 (ITU-T T.800, A.4.4)
_PIECE = 1 << 20


def notes(page: pypdfium2.PdfPage) -> tuple[str, ...]:
    """Say whether an image on the page is damaged, as far as its packing tells.

    JPEG and JPEG 2000 end in a mark. Deflated images say where they end, and their rows are all
    as long (to unpack one takes 20 ms for an A4 page at 300 dpi). Fax (CCITT) and JBIG2 images
    have no end that all programs write.
    """
    images = page.get_objects(filter=[pdfium.FPDF_PAGEOBJ_IMAGE])
    biggest = nlargest(MOST, images, key=lambda image: prod(image.get_px_size()))
    if not any(map(_is_spoilt, biggest)):
        return ()
    return ("an image on the page is damaged; what is left of it was read",)


def is_short(filters: list[str], data: bytes, rows: int) -> bool:
    """Say whether an image of so many rows surely ends before its end."""
    if not data:
        return True
    if filters == ["FlateDecode"]:
        return not _rows_are_whole(data, rows)
    if filters[:1] == ["FlateDecode"]:
        try:
            return is_short(filters[1:], zlib.decompress(data), rows)
        except zlib.error:
            return True
    # Anything may follow the mark, but before it stands nothing like it: only a small picture
    # of the picture, at the beginning.
    return bool(filters) and filters[0] in _MARKED and _MARK not in data[len(data) // 2 :]


def _is_spoilt(image: pypdfium2.PdfImage) -> bool:
    filters = image.get_filters()
    known = filters and (filters[0] in _MARKED or filters[0] == "FlateDecode")
    return known and is_short(filters, bytes(image.get_data()), image.get_px_size()[1])


def _rows_are_whole(data: bytes, rows: int) -> bool:
    """Unpack piece by piece, and count; a missing checksum at the end is no missing row."""
    unpacking, length = zlib.decompressobj(), 0
    try:
        while data and not unpacking.eof:
            length += len(unpacking.decompress(data, _PIECE))
            data = unpacking.unconsumed_tail
    except zlib.error:
        return False
    return unpacking.eof or (length > 0 and length % rows == 0)
