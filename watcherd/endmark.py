"""Whether a file ends as its format says that it ends, judged by its first and last bytes.

It decodes nothing. A format that marks its end shows a copy that was cut short; one that does
not is `UNKNOWN`, and only time can tell. Where a rule could err, it errs towards waiting.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

HEAD: Final = 64
"""Bytes of a file's beginning that `ending` wants to see."""

TAIL: Final = 1024
"""Bytes of a file's end that `ending` wants to see; readers look for %%EOF in as many."""


class Ending(StrEnum):
    """What a file's last bytes say."""

    COMPLETE = "complete"  # the end mark is where it belongs
    INCOMPLETE = "incomplete"  # the format has an end mark, and it is not there
    UNKNOWN = "unknown"  # the format has none, or the bytes do not decide it


def ending(head: bytes, tail: bytes, size: int) -> Ending:
    """Judge a file of `size` bytes by its first `HEAD` and last `TAIL` bytes; never raises."""
    for signature, judge in _FORMATS:
        if signature.match(head):
            return judge(head, tail, size)
    return Ending.UNKNOWN


def _pdf(head: bytes, tail: bytes, size: int) -> Ending:
    # A linearized file has a second %%EOF near its beginning, but it also tells its length
    # in its first object (ISO 32000-1, annex F.3.3).
    linearized = re.search(rb"/Linearized\s+[\d.]+\s*/L\s+(\d{1,18})[^\d]", head)
    if linearized and size < int(linearized[1]):
        return Ending.INCOMPLETE
    _, mark, rest = tail.rpartition(b"%%EOF")
    if not mark:
        return Ending.INCOMPLETE
    # What follows the mark may be dirt, or the beginning of an incremental update.
    return Ending.UNKNOWN if rest.strip(b"\0\t\n\f\r \x1a") else Ending.COMPLETE


def _png(_head: bytes, tail: bytes, _size: int) -> Ending:
    # The IEND chunk is always these twelve bytes (PNG specification, 11.2.5).
    _, mark, rest = tail.rpartition(b"\0\0\0\0IEND\xaeB`\x82")
    if not mark:
        return Ending.INCOMPLETE
    return Ending.UNKNOWN if rest.strip(b"\0\r\n") else Ending.COMPLETE


def _jpeg(_head: bytes, tail: bytes, _size: int) -> Ending:
    if tail.rstrip(b"\0\xff\r\n ").endswith(b"\xff\xd9"):
        return Ending.COMPLETE
    # Samsung's phones write their own directory behind the end mark.
    return Ending.UNKNOWN if tail.endswith(b"SEFT") else Ending.INCOMPLETE


def _gif(_head: bytes, tail: bytes, _size: int) -> Ending:
    # The trailer is a single byte: it can be missed, but any cut may end in it by chance.
    return Ending.UNKNOWN if tail.rstrip(b"\0").endswith(b"\x3b") else Ending.INCOMPLETE


def _webp(head: bytes, tail: bytes, size: int) -> Ending:
    return _declared(int.from_bytes(head[4:8], "little") + 8, tail, size, slack=1)


def _bmp(head: bytes, tail: bytes, size: int) -> Ending:
    return _declared(int.from_bytes(head[2:6], "little"), tail, size)


def _declared(length: int, tail: bytes, size: int, *, slack: int = 0) -> Ending:
    """Compare a size with the one that the header declares."""
    if size < length:
        return Ending.INCOMPLETE
    # Windows sets a file's final length before it copies the bytes: a tail of zeros proves
    # nothing. Neither does a length that the writer has not filled in yet.
    if size > length + slack or not tail[-HEAD:].strip(b"\0"):
        return Ending.UNKNOWN
    return Ending.COMPLETE


def _tiff(head: bytes, _tail: bytes, size: int) -> Ending:
    # Never complete: a scanner may append the next page (TIFF 6.0, section 2).
    order: Final = "little" if head[:1] == b"I" else "big"
    big = head[2:4] in (b"+\0", b"\0+")
    directory = head[8:16] if big else head[4:8]
    offset = int.from_bytes(directory, order)
    return Ending.UNKNOWN if 0 < offset < size else Ending.INCOMPLETE


_FORMATS: Final[tuple[tuple[re.Pattern[bytes], Callable[[bytes, bytes, int], Ending]], ...]] = (
    (re.compile(rb".{0,32}?%PDF-", re.DOTALL), _pdf),  # readers allow some bytes before it
    (re.compile(rb"\x89PNG\r\n\x1a\n"), _png),
    (re.compile(rb"\xff\xd8\xff"), _jpeg),
    (re.compile(rb"GIF8[79]a"), _gif),
    (re.compile(rb"RIFF.{4}WEBP", re.DOTALL), _webp),
    # Two letters are no signature: the reserved zeros and a known header size go with them.
    (re.compile(rb"BM.{4}\0{4}.{4}[\x0c\x10\x28\x34\x38\x40\x6c\x7c]\0{3}", re.DOTALL), _bmp),
    (re.compile(rb"II[*+]\0|MM\0[*+]"), _tiff),
)
