"""What JPEG 2000 data says of itself, as far as PDF/A asks (ISO 19005-2, 6.2.8.3)."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_SIGNATURE = b"\0\0\0\x0cjP  \r\n\x87\n"
_METHODS = {1, 2, 3}
_CMYK, _CIEJAB = 12, 19  # enumerated colour spaces (ISO 15444-2, table M.25)
_CHANNELS = {1, 3, 4}
_DEEPEST = 38  # bits


def fault(data: bytes, *, told: bool) -> str:
    """Return why the data cannot stand in a PDF/A file, "" if it can.

    `told`: the image's dictionary names the colour space, so that the data's own is not asked.
    """
    if not data.startswith(_SIGNATURE):
        return "it is a bare codestream"
    head = b"".join(body for kind, body in _boxes(data) if kind == b"jp2h")
    parts = list(_boxes(head))
    table: dict[bytes, bytes] = dict(reversed(parts))
    if len(table.get(b"ihdr", b"")) < 14:  # noqa: PLR2004  -- ISO 15444-1, I.5.3.1
        return "its header is damaged"
    count, depth = struct.unpack(">HB", table[b"ihdr"][8:11])
    if _colours(table, count) not in _CHANNELS:
        return f"it has {_colours(table, count)} colour channels"
    if b"bpcc" in table or not 1 <= (depth & 0x7F) + 1 <= _DEEPEST:
        return "its channels have different depths"
    return "" if told else _colour_fault([body for kind, body in parts if kind == b"colr"])


def _colours(table: dict[bytes, bytes], count: int) -> int:
    """Return the channels that are colour: of the palette, if any, and without opacity."""
    if b"pclr" in table:
        count = table[b"pclr"][2]
    roles = table.get(b"cdef", b"")[2:]
    return count - sum(
        roles[at + 2 : at + 4] in {b"\0\1", b"\0\2"} for at in range(0, len(roles), 6)
    )


def _colour_fault(specs: list[bytes]) -> str:
    best = [spec for spec in specs if spec[2:3] == b"\1"] if len(specs) > 1 else specs
    if len(best) != 1:
        return "it does not say which of its colour spaces counts"
    if best[0][0] not in _METHODS:
        return "its colour space is told in an unknown way"
    if best[0][0] == 1 and int.from_bytes(best[0][3:7], "big") in {_CMYK, _CIEJAB}:
        return "its colour space is not allowed"
    return ""


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield kind and body of each box (ISO 15444-1, I.4)."""
    at = 0
    while at + 8 <= len(data):
        size, kind = struct.unpack(">I4s", data[at : at + 8])
        start = at + 8
        if size == 1:
            size = int.from_bytes(data[start : start + 8], "big")
            start += 8
        end = at + size if size else len(data)
        if end < start:
            return
        yield kind, data[start:end]
        at = end
