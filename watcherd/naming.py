"""Names: pure functions from bytes to bytes, and to what a person may see.

A file name on Linux is any run of bytes but `/` and NUL. Names are carried as bytes, shown
escaped, and shortened where a suffix would pass the filesystem's limit.
"""

from __future__ import annotations

import base64
import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

NAME_MAX = 255
"""Bytes in one path component on the filesystems in question (NAME_MAX of limits.h)."""

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
