"""Names: pure functions from bytes to bytes, and to what a person may see.

A file name on Linux is any run of bytes but `/` and NUL. Names are carried as bytes, shown
escaped, shortened where a suffix would pass the filesystem's limit, and mapped where a filesystem
does not take them.
"""

from __future__ import annotations

import base64
import os
import re
import unicodedata
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

NAME_MAX = 255
"""Bytes in one path component on the filesystems in question (NAME_MAX of limits.h).

Those that count UTF-16 units instead (FAT, exFAT, NTFS, SMB) take 255 of them, and a name in UTF-8
never has more units than bytes.
"""

_FIELD = re.compile(r"\{(\w+)(?::([^{}]*))?\}")
FIELDS = ("dir", "stem", "ext", "date", "inbox", "job")


def display(name: bytes | str) -> str:
    """Return `name` for a person: valid UTF-8 as it is, all else and control characters escaped."""
    text = (name if isinstance(name, bytes) else os.fsencode(name)).decode("utf-8", "replace")
    if "\ufffd" in text:
        text = os.fsencode(name).decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def json_name(name: bytes) -> dict[str, str]:
    """Return the `source` keys of the JSON contract: exact, with `source_b64` if not UTF-8."""
    try:
        return {"source": name.decode("utf-8")}
    except UnicodeDecodeError:
        return {"source": display(name), "source_b64": base64.b64encode(name).decode("ascii")}


def split(name: bytes) -> tuple[bytes, bytes]:
    """Return stem and extension of a path component; `.tar.gz` counts as `.gz`."""
    stem, dot, ext = name.rpartition(b".")
    if not dot or not stem.strip(b".") or len(ext) > 16:  # noqa: PLR2004 - no extension is longer
        return name, b""
    return stem, dot + ext


def _cut(stem: bytes, room: int) -> bytes:
    """Shorten to `room` bytes without cutting a UTF-8 sequence in two."""
    if len(stem) <= room:
        return stem
    cut = stem[:room]
    while cut and (stem[len(cut)] & 0xC0) == 0x80:  # noqa: PLR2004 - a continuation byte follows
        cut = cut[:-1]
    return cut or stem[:room]


def fitted(stem: bytes, suffix: bytes) -> bytes:
    """Return `stem + suffix`, the stem shortened so that the whole fits into `NAME_MAX` bytes."""
    return _cut(stem, NAME_MAX - len(suffix)) + suffix


def numbered(stem: bytes, ext: bytes, n: int) -> bytes:
    """Return the `n`-th choice of a name: `a.pdf`, `a-2.pdf`, `a-3.pdf`, …."""
    return fitted(stem, ext if n == 1 else b"-%d" % n + ext)


class Form(IntEnum):
    """How far a name is changed so that a filesystem takes it; each goes further than the last."""

    EXACT = 0  # any bytes
    COMMON = 1  # what Windows and its filesystems take as well
    PLAIN = 2  # POSIX's portable file name characters: letters, digits, `.`, `_` and `-`
    SHORT = 3  # the job's id instead of the name

    def after(self, refusal: OSError) -> Form:
        """Return the form to try after a refusal of this one; raise that after the last."""
        if self is Form.SHORT:
            raise refusal
        return Form(self + 1)


# Not UTF-8 (surrogates stand for such bytes), or reserved by Windows, as are the names of devices
# and a dot or blank at the end: "Naming Files, Paths, and Namespaces" of the Win32 documentation.
_FORBIDDEN = re.compile(r'[<>:"\\|?*\x00-\x1f\udc80-\udcff]')
_DEVICE = re.compile(
    r"\A((?:CON|PRN|AUX|NUL|CONIN\$|CONOUT\$|(?:COM|LPT)[1-9¹²³]) *)(?=\.|\Z)", re.IGNORECASE
)
_NOT_PORTABLE = re.compile(r"[^A-Za-z0-9._-]")


def mapped(path: bytes, form: Form) -> bytes:
    """Return a relative path in this form, for `SHORT` in the form before it.

    Different paths may become one, what is in that form already stays as it is, and no component
    is lost or grows beyond `NAME_MAX`.
    """
    if form is Form.EXACT:
        return path
    each = _common if form is Form.COMMON else _plain
    return b"/".join(each(component) for component in path.split(b"/"))


def form_of(path: bytes) -> Form:
    """Return the furthest form that leaves a relative path as it is; never `SHORT`."""
    return max(f for f in Form if f is not Form.SHORT and mapped(path, f) == path)


def _common(name: bytes) -> bytes:
    text = _FORBIDDEN.sub("_", name.decode("utf-8", "surrogateescape"))
    cut = _cut(_DEVICE.sub(r"\1_", text).encode(), NAME_MAX)
    kept = cut.rstrip(b". ")
    return kept + b"_" * (len(cut) - len(kept))


def _plain(name: bytes) -> bytes:
    apart = unicodedata.normalize("NFD", _common(name).decode())
    bare = "".join(c for c in apart if not unicodedata.combining(c)) or "_"
    return _common(_NOT_PORTABLE.sub("_", bare).encode())


@dataclass(frozen=True, slots=True)
class NameFacts:
    """What a template may speak of."""

    source: bytes  # relative to the inbox
    inbox: str
    job: str
    when: datetime


def problems_of(template: str) -> str | None:
    """Return what is wrong with an output template, or None."""
    for field, spec in _FIELD.findall(template):
        if field not in FIELDS:
            return f"unknown field {{{field}}}; known are {', '.join(f'{{{f}}}' for f in FIELDS)}"
        if spec and field != "date":
            return f"only {{date}} takes a format, not {{{field}}}"
    rest = _FIELD.sub("x", template)
    if "{" in rest or "}" in rest:
        return "unbalanced braces"
    if rest.startswith("/") or ".." in rest.split("/"):
        return "must stay below the outbox (no leading / and no ..)"
    if not rest.strip("/") or rest.endswith("/"):
        return "must end in a file name"
    return None


def render(template: str, facts: NameFacts) -> bytes:
    """Return the output's path below the outbox, without extension, every component fitting.

    Nothing that a template or a source name holds can leave the outbox: empty, `.` and `..`
    components are dropped, and `/` in a value stays a separator only for `{dir}`.
    """
    folder, _, name = facts.source.rpartition(b"/")
    stem, ext = split(name)

    def value(match: re.Match[str]) -> str:
        field, spec = match.group(1), match.group(2)
        raw: bytes = {
            "dir": folder,
            "stem": stem,
            "ext": ext.lstrip(b"."),
            "inbox": facts.inbox.encode(),
            "job": facts.job.encode(),
            "date": facts.when.strftime(spec or "%Y-%m-%d").encode(),
        }[field]
        return os.fsdecode(raw)

    path = os.fsencode(_FIELD.sub(value, template))
    parts = [p for p in path.split(b"/") if p not in (b"", b".", b"..")]
    return b"/".join(_cut(p, NAME_MAX) for p in parts) or b"document"
