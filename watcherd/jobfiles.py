"""The JSON files of a job's directory, as frozen values.

Whoever reads one must not trust it: a decoder that was taken over could have written it. Each
`from_json` gives a checked value or None, never half of one.
"""

from __future__ import annotations

import base64
import re
from dataclasses import asdict, astuple, dataclass
from typing import Any, get_args

from watcherd.formats import FORMATS
from watcherd.model import SCHEMA, EngineName, Fingerprint, Limits, Options

REMARKS = "remarks.json"
"""Lies beside the landed outputs, and is none."""

JOB = re.compile(r"(?P<spool>[a-z0-9]{4})-[a-z0-9]{14}")
"""A job's id; it begins with the short name of its spool."""


def born(job: str) -> float:
    """Return when a job's id was made, in seconds since the epoch."""
    return int(job[5:14], 36) / 1000


_LANGUAGE = re.compile(r"[A-Za-z][A-Za-z0-9_/]{1,40}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_RESULT = re.compile(r"[a-z0-9]{1,16}\.[a-z0-9]{1,8}")
_KINDS = ("done", "failed", "cancelled", "skipped")
_STAGES = (None, "ocr", "pdf")
_MOST = (1 << 63) - 1
_NOTE, _MOST_NOTES = 500, 50
_YEAR_3000 = 32503680000
_BROKEN = (KeyError, TypeError, ValueError, AttributeError)


def b64(name: bytes) -> str:
    """Return a name's exact bytes in a form that JSON can hold."""
    return base64.b64encode(name).decode("ascii")


def relative_name(text: Any) -> bytes:
    """Decode a relative path and refuse one that is not plainly below its root."""
    name = base64.b64decode(_typed(text, str), validate=True)
    if not name or b"\0" in name or any(p in (b"", b".", b"..") for p in name.split(b"/")):
        raise ValueError("not a relative path")
    return name


def _typed(value: Any, kind: type) -> Any:
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise TypeError(f"{value!r} is not {kind.__name__}")
    return value


def _number(value: Any) -> int:
    """Check an integer that the ledger and the clock can hold."""
    number: int = _typed(value, int)
    if not -_MOST <= number <= _MOST:
        raise ValueError("beyond all bounds")
    return number


def _moment(value: Any) -> int:
    """Check a time in seconds since the epoch that a calendar can show."""
    if not 0 <= _number(value) < _YEAR_3000:
        raise ValueError("not a time")
    return int(value)


def _notes(value: Any) -> tuple[str, ...]:
    return tuple(str(_typed(note, str))[:_NOTE] for note in _typed(value, list)[:_MOST_NOTES])


def _percent(value: Any) -> float | None:
    if value is None or (isinstance(value, int | float) and 0 <= value <= 100):  # noqa: PLR2004
        return value
    raise ValueError("not a percentage")


def _known(table: dict[str, Any]) -> bool:
    return isinstance(table.get("schema"), int) and 1 <= table["schema"] <= SCHEMA


@dataclass(frozen=True, slots=True)
class Claim:
    """job.json: what was claimed, written before the claim."""

    job: str
    inbox: str
    source: bytes  # relative to the inbox
    fingerprint: Fingerprint
    options: Options
    at: int  # seconds since the epoch, for names and display
    copied: bool = False  # the inbox file must be unlinked, or is kept

    def to_json(self) -> dict[str, Any]:
        """Return what job.json holds."""
        table = asdict(self) | {"schema": SCHEMA, "source": b64(self.source)}
        table["name"] = self.source.decode("utf-8", "backslashreplace")  # for a person who looks
        return table

    @classmethod
    def from_json(cls, table: dict[str, Any] | None) -> Claim | None:
        """Return the claim, None where the file does not hold a sound one."""
        try:
            if table is None or not _known(table) or not JOB.fullmatch(table["job"]):
                return None
            return cls(
                table["job"],
                _typed(table["inbox"], str),
                relative_name(table["source"]),
                Fingerprint(**{k: _number(v) for k, v in table["fingerprint"].items()}),
                _options(table["options"]),
                _moment(table["at"]),
                _typed(table["copied"], bool),
            )
        except _BROKEN:
            return None


def _options(table: dict[str, Any]) -> Options:
    languages = tuple(table["languages"])
    formats = tuple(table["formats"])
    engine: EngineName = table["engine"]
    limits = Limits(**{k: _number(v) for k, v in table["limits"].items()})
    sound = (
        languages
        and all(_LANGUAGE.fullmatch(language) for language in languages)
        and set(formats) <= set(FORMATS)
        and engine in get_args(EngineName)
        and min(astuple(limits)) >= 0
    )
    if not sound:
        raise ValueError("not sound options")
    review = table.get("review", Options().review)
    fast = table.get("fast_web_view", False)  # claims of earlier versions say neither
    return Options(languages, engine, formats, limits, float(review), _typed(fast, bool))


@dataclass(frozen=True, slots=True)
class Seal:
    """sealed.json: the original as it was when its last writer had left."""

    size: int
    mtime_ns: int
    sha256: str

    def to_json(self) -> dict[str, Any]:
        """Return what sealed.json holds."""
        return asdict(self) | {"schema": SCHEMA}

    @classmethod
    def from_json(cls, table: dict[str, Any] | None) -> Seal | None:
        """Return the seal, None where the file does not hold a sound one."""
        try:
            if table is None or not _known(table) or not _SHA256.fullmatch(table["sha256"]):
                return None
            return cls(_number(table["size"]), _number(table["mtime_ns"]), table["sha256"])
        except _BROKEN:
            return None


@dataclass(frozen=True, slots=True)
class Output:
    """One file to be published."""

    result: str  # its name among the results of the pdf stage
    target: bytes  # relative to the outbox
    sha256: str


@dataclass(frozen=True, slots=True)
class Publication:
    """publish.<n>.json: the n-th set of names that was tried, all or none of them."""

    n: int
    outputs: tuple[Output, ...]  # sidecars first, the PDF last

    def to_json(self) -> dict[str, Any]:
        """Return what publish.<n>.json holds."""
        rows = [asdict(o) | {"target": b64(o.target)} for o in self.outputs]
        return {"schema": SCHEMA, "n": self.n, "outputs": rows}

    @classmethod
    def from_json(cls, table: dict[str, Any] | None) -> Publication | None:
        """Return the publication, None where the file does not hold a sound one."""
        try:
            if table is None or not _known(table):
                return None
            outputs = tuple(
                Output(row["result"], relative_name(row["target"]), row["sha256"])
                for row in table["outputs"]
            )
            sound = outputs and all(
                _RESULT.fullmatch(o.result) and _SHA256.fullmatch(o.sha256) for o in outputs
            )
            return cls(_number(table["n"]), outputs) if sound else None
        except _BROKEN:
            return None


@dataclass(frozen=True, slots=True)
class Outcome:
    """outcome.json: how the job ended. One name, made exclusively: a job has one outcome."""

    kind: str  # done, failed, cancelled, skipped
    at: int
    outputs: tuple[bytes, ...] = ()  # relative to the outbox
    stage: str | None = None
    page: int | None = None
    code: str | None = None
    reason: str | None = None
    attempts: int = 0
    notes: tuple[str, ...] = ()  # what a person should know of the document
    confidence: float | None = None  # of the page that was read least surely, 0 to 100
    review: bool = False  # a person should look it over

    def to_json(self) -> dict[str, Any]:
        """Return what outcome.json holds."""
        lists = {"outputs": [b64(o) for o in self.outputs], "notes": list(self.notes)}
        return asdict(self) | lists | {"schema": SCHEMA}

    @classmethod
    def from_json(cls, table: dict[str, Any] | None) -> Outcome | None:
        """Return the outcome, None where the file does not hold a sound one."""
        try:
            if table is None or not _known(table) or table["kind"] not in _KINDS:
                return None
            outputs = tuple(relative_name(o) for o in table["outputs"])
            if table["stage"] not in _STAGES or (table["kind"] == "done" and not outputs):
                return None
            words = {
                k: None if table[k] is None else str(_typed(table[k], str))[:2000]
                for k in ("stage", "code", "reason")
            }
            return cls(
                table["kind"],
                _moment(table["at"]),
                outputs,
                page=None if table["page"] is None else _number(table["page"]),
                attempts=_number(table["attempts"]),
                notes=_notes(table.get("notes", [])),  # earlier versions say none of these three
                confidence=_percent(table.get("confidence")),
                review=_typed(table.get("review", False), bool),
                **words,
            )
        except _BROKEN:
            return None
